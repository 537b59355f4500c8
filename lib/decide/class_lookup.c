/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/class_lookup.h"

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/decide/subjects.h"
#include "lib/socketmap/socketmap.h"
#include "lib/store/store_note.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_MAX 50000 /* logins */
#define STALE_US (3600 * INT64_C(1000000)) /* an answer of someone who is away holds so long */
#define TROUBLE_US INT64_C(1000000) /* when someone who was away is asked again */

/* What is known of a login. */
struct known {
    char *class; /* NULL: it has none */
    int64_t heard_us, good_until_us;
};

struct class_lookup {
    struct loop *loop;
    struct map *cache; /* struct known by subject */
    struct map *servers; /* struct socketmap by where it is */
    struct map *down; /* those that are away, by how they are written: told once */
    bool closing;
};

/* One question on its way through class-lookup. */
struct asking {
    struct class_lookup *lookup;
    struct services *services;
    const struct conf *conf;
    char *subject; /* "user:alice@example.com" */
    size_t next; /* of conf->class_lookups */
    bool trouble; /* somebody was away */
    class_lookup_callback *callback;
    void *context;
};

static int64_t now_us(void)
{
    return clock_now_us(&clock_steady);
}

static void ask_next(struct asking *asking);

/* --- what is known -------------------------------------------------------------------- */

static void free_known(void *value)
{
    struct known *known = value;

    free(known->class);
    free(known);
}

static struct known *find_known(const struct class_lookup *lookup, const char *subject)
{
    return map_peek(lookup->cache, subject, strlen(subject));
}

static void remember(struct class_lookup *lookup, const char *subject, const char *class,
                     int64_t life_us)
{
    struct known *known = mem_new(1, sizeof(*known));
    struct known *before;

    *known = (struct known){mem_copy(class), now_us(), now_us() + life_us};
    before = map_put(lookup->cache, subject, strlen(subject), known);
    if (before != NULL)
        free_known(before);
    while (map_count(lookup->cache) > CACHE_MAX) {
        const void *key;
        size_t length;

        map_oldest(lookup->cache, &key, &length);
        free_known(map_remove(lookup->cache, key, length));
    }
}

static void finish(struct asking *asking, const char *class)
{
    asking->callback(class, asking->context);
    free(asking->subject);
    free(asking);
}

static void found(struct asking *asking, const char *class)
{
    remember(asking->lookup, asking->subject, class, asking->conf->class_cache_ms * 1000);
    finish(asking, class);
}

/* Nobody knows.  Where one was away, what was known before holds for a while. */
static void not_found(struct asking *asking)
{
    struct known *known = find_known(asking->lookup, asking->subject);

    if (!asking->trouble) {
        remember(asking->lookup, asking->subject, NULL, asking->conf->class_cache_ms * 1000);
        finish(asking, NULL);
    } else if (known != NULL && now_us() - known->heard_us < STALE_US) {
        /* Until then it holds without a question; when it was heard stays as it is. */
        known->good_until_us = now_us() + TROUBLE_US;
        finish(asking, known->class);
    } else {
        finish(asking, NULL);
    }
}

/* --- who is asked --------------------------------------------------------------------- */

/* Says once that somebody is away, and once that they are back. */
static void tell(const struct asking *asking, const struct conf_lookup *place, const char *problem)
{
    struct class_lookup *lookup = asking->lookup;
    size_t length = strlen(place->text);
    bool was_down = map_peek(lookup->down, place->text, length) != NULL;
    struct log_event event;

    if (was_down == (problem != NULL) || lookup->closing)
        return;
    if (problem != NULL)
        map_put(lookup->down, place->text, length, lookup);
    else
        map_remove(lookup->down, place->text, length);
    if (asking->services->log == NULL)
        return;
    log_begin(&event, asking->services->log, problem != NULL ? LOG_WARNING : LOG_INFO, NULL,
              "class-lookup");
    log_string(&event, "state", problem != NULL ? "down" : "up");
    log_string(&event, "lookup", place->text);
    log_string(&event, "problem", problem);
    log_write(&event);
}

static void store_answered(const struct store_answer *answer, void *context)
{
    struct asking *asking = context;
    const char *class =
        answer->nnotes > 0 ? store_note_value(&answer->notes[0], CLASS_NOTE_FIELD) : NULL;

    /* Also what this process last saw, while the store is away. */
    if (class != NULL) {
        found(asking, class);
        return;
    }
    asking->trouble = asking->trouble || answer->outcome == STORE_OUTCOME_AWAY || answer->local;
    ask_next(asking);
}

static void ask_store(struct asking *asking)
{
    static const char *const fields[] = {CLASS_NOTE_FIELD};
    const struct store_wish wish = {
        .subject = asking->subject, .kind = CLASS_NOTE_KIND, .fields = fields, .nfields = 1};
    const struct store_request request = {.identity = "", .wishes = &wish, .nwishes = 1};

    store_look(asking->services->store, &request, store_answered, asking);
}

static void server_answered(const struct socketmap_answer *answer, void *context)
{
    struct asking *asking = context;
    const struct conf_lookup *place = &asking->conf->class_lookups[asking->next - 1];

    if (asking->lookup->closing) {
        finish(asking, NULL);
        return;
    }
    tell(asking, place, answer->status == SOCKETMAP_TROUBLE ? answer->problem : NULL);
    asking->trouble = asking->trouble || answer->status == SOCKETMAP_TROUBLE;
    if (answer->status == SOCKETMAP_FOUND)
        found(asking, answer->value);
    else
        ask_next(asking);
}

static void ask_server(struct asking *asking, const struct conf_lookup *place)
{
    struct class_lookup *lookup = asking->lookup;
    char *key = place->path != NULL ? mem_copy(place->path)
                                    : mem_print("%s:%u", place->host, (unsigned)place->port);
    struct socketmap *server = map_peek(lookup->servers, key, strlen(key));

    if (server == NULL) {
        server = socketmap_new(lookup->loop, place);
        map_put(lookup->servers, key, strlen(key), server);
    }
    socketmap_ask(server, place->table, strchr(asking->subject, ':') + 1,
                  asking->conf->class_timeout_ms, server_answered, asking);
    free(key);
}

static void ask_next(struct asking *asking)
{
    const struct conf *conf = asking->conf;
    const struct conf_lookup *place;

    if (asking->next == conf->nclass_lookups || asking->lookup->closing) {
        not_found(asking);
        return;
    }
    place = &conf->class_lookups[asking->next++];
    if (place->table == NULL)
        ask_store(asking);
    else
        ask_server(asking, place);
}

/* --- from outside --------------------------------------------------------------------- */

struct class_lookup *class_lookup_new(struct loop *loop)
{
    struct class_lookup *lookup = mem_new(1, sizeof(*lookup));

    *lookup = (struct class_lookup){
        .loop = loop, .cache = map_new(), .servers = map_new(), .down = map_new()};
    return lookup;
}

static void free_server(void *value)
{
    struct socketmap *server = value;

    socketmap_free(&server);
}

void class_lookup_stop(struct class_lookup *lookup)
{
    if (lookup == NULL)
        return;
    lookup->closing = true;
    map_free(&lookup->servers, free_server);
}

void class_lookup_free(struct class_lookup **lookup)
{
    if (*lookup == NULL)
        return;
    class_lookup_stop(*lookup);
    map_free(&(*lookup)->cache, free_known);
    map_free(&(*lookup)->down, NULL);
    free(*lookup);
    *lookup = NULL;
}

void class_lookup_find(struct class_lookup *lookup, struct services *services,
                       const struct conf *conf, const struct message *message,
                       class_lookup_callback *callback, void *context)
{
    struct text subject = TEXT_EMPTY;
    const struct known *known;
    struct asking *asking;

    if (conf->nclasses == 0 || conf->nclass_lookups == 0 ||
        !subjects_name(conf, message, SUBJECT_USER, NULL, &subject)) {
        text_free(&subject);
        callback(NULL, context);
        return;
    }
    known = find_known(lookup, text_string(&subject));
    if (known != NULL && now_us() < known->good_until_us) {
        text_free(&subject);
        callback(known->class, context);
        return;
    }
    asking = mem_new(1, sizeof(*asking));
    *asking = (struct asking){.lookup = lookup,
                              .services = services,
                              .conf = conf,
                              .subject = text_take(&subject),
                              .callback = callback,
                              .context = context};
    ask_next(asking);
}
