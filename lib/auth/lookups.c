/* SPDX-License-Identifier: BSD-2-Clause */
/* Running an evaluation with the resolver. */
#include "lib/auth/lookups.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MAX_SEC 86400

struct question {
    struct lookups *lookups;
    struct dns_question *open; /* NULL: not asked yet, or answered */
    bool known;
    struct dns_answer answer; /* name and type from the start, the rest once it is known */
    char *name, *problem; /* what the answer points to */
    struct dns_record *records;
};

/* What the second SPF engine is asked. */
struct opinion {
    struct opinion *next;
    struct lookups *lookups;
    struct spf_asking *open; /* NULL: answered, or there was nobody to ask */
    bool known;
    struct spf_opinion answer;
    char *text;
    size_t length;
};

struct lookups {
    struct dns *dns;
    struct spf_engine *engine;
    struct loop_timer *deadline;
    lookups_evaluate *evaluate;
    lookups_done *done;
    void *context;
    struct map *questions; /* by type and name */
    struct question *wanted[LOOKUPS_MAX]; /* in the last run, and not asked yet */
    size_t nwanted;
    struct opinion *opinions;
    const bool *blocker; /* the first that the last run did not know: nothing changes before */
    struct dns_answer refused; /* where there are too many */
    int64_t ttl_sec;
    bool running;
    bool expired;
};

/* --- questions ------------------------------------------------------------------------ */

static struct dns_record *copy_records(const struct dns_answer *answer)
{
    struct dns_record *records = mem_new(answer->count > 0 ? answer->count : 1, sizeof(*records));

    for (size_t i = 0; i < answer->count; i++) {
        records[i] = answer->records[i];
        if (records[i].text != NULL)
            records[i].text = mem_copy_n(answer->records[i].text, answer->records[i].length);
    }
    return records;
}

static void keep_answer(struct question *question, const struct dns_answer *answer)
{
    question->records = copy_records(answer);
    question->problem = mem_copy(answer->problem);
    question->answer = *answer;
    question->answer.name = question->name;
    question->answer.records = question->records;
    question->answer.problem = question->problem;
    question->known = true;
    question->open = NULL;
}

static void fail(struct question *question, const char *problem)
{
    struct dns_answer answer = {
        .status = DNS_FAILED,
        .type = question->answer.type,
        .problem = problem,
        .timed_out = true,
    };

    keep_answer(question, &answer);
}

static void free_question(void *value)
{
    struct question *question = value;

    if (question->open != NULL)
        dns_cancel(question->open);
    for (size_t i = 0; question->known && i < question->answer.count; i++)
        free(question->records[i].text);
    free(question->records);
    free(question->name);
    free(question->problem);
    free(question);
}

static struct question *new_question(struct lookups *lookups, const char *name, enum dns_type type)
{
    struct question *question = mem_new(1, sizeof(*question));

    question->lookups = lookups;
    question->name = mem_copy(name);
    question->answer.name = question->name;
    question->answer.type = type;
    return question;
}

static const struct dns_answer *find(void *context, const char *name, enum dns_type type)
{
    struct lookups *lookups = context;
    struct text key = TEXT_EMPTY;
    struct question *question;

    text_add_number(&key, (int)type);
    text_add_char(&key, ' ');
    text_add_string(&key, name);
    question = map_peek(lookups->questions, key.bytes, key.length);
    if (question == NULL && map_count(lookups->questions) < LOOKUPS_MAX) {
        question = new_question(lookups, name, type);
        (void)map_put(lookups->questions, key.bytes, key.length, question);
        lookups->wanted[lookups->nwanted++] = question;
    }
    text_free(&key);
    if (question == NULL) {
        lookups->refused.type = type;
        return &lookups->refused;
    }
    if (!question->known && lookups->expired)
        fail(question, "timed out");
    if (!question->known) {
        if (lookups->blocker == NULL)
            lookups->blocker = &question->known;
        return NULL;
    }
    if (question->answer.ttl_sec < lookups->ttl_sec)
        lookups->ttl_sec = question->answer.ttl_sec;
    return &question->answer;
}

/* --- the second engine ---------------------------------------------------------------- */

static bool run(struct lookups *lookups);

static void on_opinion(const struct spf_opinion *answer, void *context)
{
    struct opinion *opinion = context;

    opinion->open = NULL;
    opinion->answer = *answer;
    opinion->known = true;
    if (opinion->lookups->blocker == &opinion->known)
        (void)run(opinion->lookups);
}

static struct opinion *ask_opinion(struct lookups *lookups, const struct spf_question *question)
{
    struct opinion *opinion = mem_new(1, sizeof(*opinion));

    *opinion = (struct opinion){
        .next = lookups->opinions,
        .lookups = lookups,
        .answer = {.stands = question->own},
        .text = mem_copy_n(question->text, question->length),
        .length = question->length,
    };
    lookups->opinions = opinion;
    if (!lookups->expired)
        opinion->open = spf_engine_ask(lookups->engine, question, on_opinion, opinion);
    opinion->known = opinion->open == NULL;
    return opinion;
}

static const struct spf_opinion *second(void *context, const struct spf_question *question)
{
    struct lookups *lookups = context;
    struct opinion *opinion = lookups->opinions;

    while (opinion != NULL && (opinion->length != question->length ||
                               memcmp(opinion->text, question->text, question->length) != 0))
        opinion = opinion->next;
    if (opinion == NULL)
        opinion = ask_opinion(lookups, question);
    if (opinion->known)
        return &opinion->answer;
    if (lookups->blocker == NULL)
        lookups->blocker = &opinion->known;
    return NULL;
}

static void give_up_opinions(struct lookups *lookups)
{
    for (struct opinion *opinion = lookups->opinions; opinion != NULL; opinion = opinion->next) {
        spf_engine_cancel(opinion->open);
        opinion->open = NULL;
        opinion->known = true;
    }
}

static void free_opinions(struct lookups *lookups)
{
    give_up_opinions(lookups);
    while (lookups->opinions != NULL) {
        struct opinion *opinion = lookups->opinions;

        lookups->opinions = opinion->next;
        free(opinion->text);
        free(opinion);
    }
}

/* --- runs ----------------------------------------------------------------------------- */

static void free_lookups(struct lookups *lookups)
{
    map_free(&lookups->questions, free_question);
    free_opinions(lookups);
    loop_timer_free(&lookups->deadline);
    free(lookups);
}

static void on_answer(const struct dns_answer *answer, void *context);

static void ask_wanted(struct lookups *lookups)
{
    for (size_t i = 0; i < lookups->nwanted; i++) {
        struct question *question = lookups->wanted[i];
        struct dns_question *open = dns_ask(lookups->dns, question->answer.name,
                                            question->answer.type, 0, on_answer, question);

        if (!question->known)
            question->open = open;
    }
    lookups->nwanted = 0;
}

/* Runs as long as there is something new.  true: it ended, and lookups is gone. */
static bool run(struct lookups *lookups)
{
    struct lookup lookup = {
        .find = find,
        .second = spf_engine_is_on(lookups->engine) ? second : NULL,
        .context = lookups,
    };

    lookups->running = true;
    do {
        lookups->blocker = NULL;
        lookups->ttl_sec = TTL_MAX_SEC;
        if (lookups->evaluate(&lookup, lookups->context)) {
            lookups_done *done = lookups->done;
            void *context = lookups->context;
            int64_t ttl_sec = lookups->ttl_sec;

            free_lookups(lookups);
            done(ttl_sec, context);
            return true;
        }
        assert(lookups->blocker != NULL);
        ask_wanted(lookups);
    } while (*lookups->blocker);
    lookups->running = false;
    return false;
}

static void on_answer(const struct dns_answer *answer, void *context)
{
    struct question *question = context;
    struct lookups *lookups = question->lookups;

    keep_answer(question, answer);
    if (!lookups->running && &question->known == lookups->blocker)
        (void)run(lookups);
}

static void expire(const void *key, size_t key_length, void *value, void *context)
{
    struct question *question = value;

    (void)key;
    (void)key_length;
    (void)context;
    if (question->open != NULL)
        dns_cancel(question->open);
    if (!question->known)
        fail(question, "timed out");
}

static void on_deadline(void *context)
{
    struct lookups *lookups = context;

    lookups->expired = true;
    map_each(lookups->questions, expire, NULL);
    give_up_opinions(lookups);
    (void)run(lookups);
}

struct lookups *lookups_start_with(struct loop *loop, struct dns *dns, struct spf_engine *engine,
                                   int64_t timeout_ms, lookups_evaluate *evaluate,
                                   lookups_done *done, void *context)
{
    struct lookups *lookups = mem_new(1, sizeof(*lookups));

    lookups->dns = dns;
    lookups->engine = engine;
    lookups->evaluate = evaluate;
    lookups->done = done;
    lookups->context = context;
    lookups->questions = map_new();
    lookups->refused = (struct dns_answer){
        .status = DNS_FAILED, .name = "another name", .problem = "too many questions"};
    lookups->deadline = loop_timer_new(loop, on_deadline, lookups);
    loop_timer_start(lookups->deadline, timeout_ms);
    return run(lookups) ? NULL : lookups;
}

struct lookups *lookups_start(struct loop *loop, struct dns *dns, int64_t timeout_ms,
                              lookups_evaluate *evaluate, lookups_done *done, void *context)
{
    return lookups_start_with(loop, dns, NULL, timeout_ms, evaluate, done, context);
}

void lookups_cancel(struct lookups **lookups)
{
    if (*lookups != NULL)
        free_lookups(*lookups);
    *lookups = NULL;
}
