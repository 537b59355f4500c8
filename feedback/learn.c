/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/learn.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/decide/outcomes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECTS 3 /* user, sender domain, recipient domain */
#define COUNTS_MAX (SUBJECTS * 2)
#define OLD_US (60 * INT64_C(1000000)) /* a line that is older happened then, not now */

/* One result on its way through the store. */
struct lesson {
    struct store *store;
    const struct outcome_rule *rule; /* NULL: a success, or nothing to remember */
    bool success;
    int64_t size; /* of the message, in octets; 0 unknown */
    uint64_t fingerprint; /* of the line */
    char *subjects[SUBJECTS];
    struct text recipient, destination;
    struct learned learned;
    learn_callback *callback;
    void *context;
};

static void finish(struct lesson *lesson)
{
    lesson->callback(&lesson->learned, lesson->context);
    for (size_t i = 0; i < SUBJECTS; i++)
        free(lesson->subjects[i]);
    text_free(&lesson->recipient);
    text_free(&lesson->destination);
    free(lesson);
}

/* --- the answer --------------------------------------------------------------------------- */

static void take(struct learned *learned, const struct outcome_seen *seen)
{
    learned->failing = true;
    learned->cause = (enum cause_id)(seen->cause - cause_get((enum cause_id)0));
    learned->since_sec = seen->since_sec;
    learned->last_sec = seen->last_sec;
    learned->count = seen->count;
}

/* What was known of the failure's own cause, this time included. */
static void answer_failure(struct lesson *lesson, const struct store_answer *answer)
{
    const size_t which = lesson->rule->of == OUTCOME_OF_DESTINATION ? 1 : 0;
    struct learned *learned = &lesson->learned;
    struct store_mark_value value;
    const char *mark = NULL;

    if (which < answer->nnotes)
        mark = store_note_value(&answer->notes[which], cause_get(lesson->rule->cause)->id);
    if (mark == NULL || !store_mark_read(mark, &value)) {
        learned->since_sec = learned->last_sec = answer->now_us / 1000000;
        learned->count = 1;
        return;
    }
    learned->failing = true;
    learned->cause = lesson->rule->cause;
    learned->since_sec = value.first_sec;
    learned->last_sec = value.last_sec;
    learned->count = value.count + !answer->known;
}

static void ignore(const struct store_answer *answer, void *context)
{
    (void)answer;
    (void)context;
}

/* Of two sizes that were refused the smaller says more; the script has just written this one. */
static void keep_smaller(const struct lesson *lesson, const struct store_answer *answer)
{
    const size_t which = lesson->rule->of == OUTCOME_OF_DESTINATION ? 1 : 0;
    const int64_t known = which < answer->nnotes ? outcome_refused_size(&answer->notes[which]) : 0;
    char identity[64], size[24];
    const struct store_mark mark = {
        .subject = text_string(which == 1 ? &lesson->destination : &lesson->recipient),
        .kind = OUTCOME_KIND,
        .field = OUTCOME_SIZE_FIELD,
        .amount = 1,
        .text = size,
        .keep_sec = lesson->rule->keep_sec,
        .fields_max = OUTCOME_FIELDS_MAX,
    };
    const struct store_request request = {
        .identity = identity, .fingerprint = lesson->fingerprint, .marks = &mark, .nmarks = 1};

    if (!outcome_is_of_size(lesson->rule->cause) || known == 0 || known >= lesson->size)
        return;
    snprintf(identity, sizeof(identity), "size/%016" PRIx64, lesson->fingerprint);
    snprintf(size, sizeof(size), "%" PRId64, known);
    store_charge(lesson->store, &request, ignore, NULL);
}

/* Forgets what the success of a message of that size proves wrong. */
static void forget(struct lesson *lesson, const char *subject, const struct store_note *note)
{
    const char *fields[STORE_NOTE_FIELDS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < note->npairs && count < STORE_NOTE_FIELDS_MAX; i++)
        if (outcome_concerns(note, note->pairs[i].name, lesson->size))
            fields[count++] = note->pairs[i].name;
    store_note_remove(lesson->store, subject, OUTCOME_KIND, count == note->npairs ? NULL : fields,
                      count, NULL, NULL);
}

/* A success ends what was wrong with either; a small message's not what larger ones met. */
static void answer_success(struct lesson *lesson, const struct store_answer *answer)
{
    const char *const subjects[] = {text_string(&lesson->recipient),
                                    text_string(&lesson->destination)};

    for (size_t i = 0; i < answer->nnotes && i < 2; i++) {
        struct outcome_seen seen;

        if (!outcome_latest(&answer->notes[i], 0, lesson->size, &seen))
            continue;
        if (!lesson->learned.failing || seen.last_sec > lesson->learned.last_sec)
            take(&lesson->learned, &seen);
        forget(lesson, subjects[i], &answer->notes[i]);
    }
}

static void answered(const struct store_answer *answer, void *context)
{
    struct lesson *lesson = context;

    if (lesson->rule != NULL && lesson->rule->of != OUTCOME_OF_NOBODY) {
        answer_failure(lesson, answer);
        keep_smaller(lesson, answer);
    } else if (lesson->success) {
        answer_success(lesson, answer);
    }
    finish(lesson);
}

/* --- the question ------------------------------------------------------------------------- */

static struct store_limit count_of(const struct conf *conf, const char *subject, char count)
{
    return (struct store_limit){
        .subject = subject,
        .count = count,
        .window_sec = conf->bounce_rate_window_ms / 1000,
        .amount = 1,
        .max = OUTCOME_COUNT_MAX,
    };
}

/* Login names and domains, as the subjects of limits are named. */
static void name_subjects(struct lesson *lesson, const struct conf *conf,
                          const struct result *result)
{
    const char *at = strrchr(result->sender, '@');

    if (result->user[0] != '\0')
        lesson->subjects[0] = outcome_user(conf, result->user);
    if (at != NULL && at[1] != '\0')
        lesson->subjects[1] = text_lower(mem_print("sender-domain:%s", at + 1));
    if (result->domain[0] != '\0')
        lesson->subjects[2] = mem_print("recipient-domain:%s", result->domain);
}

static size_t plan_counts(const struct lesson *lesson, const struct conf *conf,
                          const struct result *result, struct store_limit *limits_r)
{
    const struct outcome_rule *rule = outcome_rule(result->cause);
    bool hard = result->status != RESULT_SENT && result->status != RESULT_DEFERRED &&
                rule != NULL && rule->accuses;
    size_t count = 0;

    for (size_t i = 0; i < SUBJECTS; i++) {
        if (lesson->subjects[i] == NULL)
            continue;
        limits_r[count++] =
            count_of(conf, lesson->subjects[i],
                     result->status == RESULT_DEFERRED ? OUTCOME_DEFERRED : OUTCOME_RESULTS);
        if (hard)
            limits_r[count++] = count_of(conf, lesson->subjects[i], OUTCOME_HARD);
    }
    return count;
}

/* What is to be remembered, if anything: our own recipients' failures are ours to repair. */
static void choose_rule(struct lesson *lesson, const struct conf *conf, const struct result *result)
{
    const struct outcome_rule *rule = outcome_rule(result->cause);

    if (result->status == RESULT_SENT) {
        lesson->success = true;
        return;
    }
    if (rule == NULL || rule->of == OUTCOME_OF_NOBODY || result->domain[0] == '\0' ||
        conf_is_local_domain(conf, result->domain) ||
        (rule->hard_only && result->failure != FAILURE_HARD))
        return;
    lesson->rule = rule;
}

static int64_t happened_us(int64_t at_us)
{
    return clock_now_us(&clock_wall) - at_us > OLD_US ? at_us : 0;
}

/* The server's words may name whom the store is not to name. */
static char *words_for_store(const struct conf *conf, const char *words)
{
    struct text text = TEXT_EMPTY;

    if (!conf->store_hash_addresses)
        return mem_copy(words);
    while (*words != '\0') {
        size_t blanks = strspn(words, " \t");
        size_t length = strcspn(words + blanks, " \t");
        bool address = memchr(words + blanks, '@', length) != NULL;

        text_add(&text, words, blanks);
        if (address)
            text_add_string(&text, "<address>");
        else
            text_add(&text, words + blanks, length);
        words += blanks + length;
    }
    return text_take(&text);
}

void learn_result(struct store *store, const struct conf *conf, const struct result *result,
                  learn_callback *callback, void *context)
{
    struct lesson *lesson = mem_new(1, sizeof(*lesson));
    struct store_limit limits[COUNTS_MAX];
    struct store_wish wishes[2];
    struct store_mark marks[2];
    char identity[64], size[24];
    struct store_request request;
    char *words = words_for_store(conf, result->text);

    *lesson = (struct lesson){
        .store = store,
        .size = result->size,
        .fingerprint = result->fingerprint,
        .callback = callback,
        .context = context,
    };
    name_subjects(lesson, conf, result);
    choose_rule(lesson, conf, result);
    outcome_recipient(result->recipient, &lesson->recipient);
    outcome_destination(result->domain, &lesson->destination);
    wishes[0] =
        (struct store_wish){.subject = text_string(&lesson->recipient), .kind = OUTCOME_KIND};
    wishes[1] =
        (struct store_wish){.subject = text_string(&lesson->destination), .kind = OUTCOME_KIND};
    /* What this line was learned from is known by it, should it be read once more. */
    snprintf(identity, sizeof(identity), "feedback/%016" PRIx64, result->fingerprint);
    request = (struct store_request){
        .identity = identity,
        .fingerprint = result->fingerprint,
        .limits = limits,
        .nlimits = plan_counts(lesson, conf, result, limits),
        .at_us = happened_us(result->at_us),
        .wishes = wishes,
        .nwishes = result->domain[0] != '\0' ? 2 : 0,
    };
    if (lesson->rule != NULL) {
        marks[0] = (struct store_mark){
            .subject = wishes[lesson->rule->of == OUTCOME_OF_DESTINATION].subject,
            .kind = OUTCOME_KIND,
            .field = cause_get(lesson->rule->cause)->id,
            .amount = 1,
            .text = words,
            .keep_sec = lesson->rule->keep_sec,
            .fields_max = OUTCOME_FIELDS_MAX,
        };
        request.marks = marks;
        request.nmarks = 1;
        if (outcome_is_of_size(lesson->rule->cause) && result->size > 0) {
            snprintf(size, sizeof(size), "%" PRId64, result->size);
            marks[1] = marks[0];
            marks[1].field = OUTCOME_SIZE_FIELD;
            marks[1].text = size;
            request.nmarks = 2;
        }
    }
    store_charge(store, &request, answered, lesson);
    free(words);
}

void learn_complaint(struct store *store, const struct conf *conf, const char *user,
                     const char *sender_domain, uint64_t fingerprint, store_callback *callback,
                     void *context)
{
    char *subjects[] = {user[0] != '\0' ? outcome_user(conf, user) : NULL,
                        sender_domain[0] != '\0' ? mem_print("sender-domain:%s", sender_domain)
                                                 : NULL};
    struct store_limit limits[2];
    char identity[64];
    struct store_request request = {
        .identity = identity, .fingerprint = fingerprint, .limits = limits};

    snprintf(identity, sizeof(identity), "complaint/%016" PRIx64, fingerprint);
    for (size_t i = 0; i < 2; i++)
        if (subjects[i] != NULL)
            limits[request.nlimits++] = count_of(conf, subjects[i], OUTCOME_COMPLAINTS);
    store_charge(store, &request, callback, context);
    free(subjects[0]);
    free(subjects[1]);
}

void learn_login_failure(struct store *store, const struct conf *conf, const char *subject,
                         uint64_t fingerprint, store_callback *callback, void *context)
{
    const struct store_limit limit = {
        .subject = subject,
        .count = OUTCOME_LOGINS,
        .window_sec = conf->login_failures_window_ms / 1000,
        .amount = 1,
        .max = OUTCOME_COUNT_MAX,
        .near = conf->login_failures,
    };
    char identity[64];
    const struct store_request request = {
        .identity = identity, .fingerprint = fingerprint, .limits = &limit, .nlimits = 1};

    snprintf(identity, sizeof(identity), "login/%016" PRIx64, fingerprint);
    store_charge(store, &request, callback, context);
}
