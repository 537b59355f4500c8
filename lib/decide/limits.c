/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/limits.h"

#include "lib/base/count.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/decide/subjects.h"
#include "lib/decide/verdict.h"
#include "lib/decide/warmup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each count: the letter that the store keeps it under, the cause that is found, and its words. */
static const struct {
    char letter;
    enum cause_id cause;
    const char *one, *many;
} counts[COUNT_COUNT] = {
    [COUNT_MESSAGES] = {'m', CAUSE_LIMIT_MESSAGES, "message", "messages"},
    [COUNT_RECIPIENTS] = {'r', CAUSE_LIMIT_RECIPIENTS, "recipient", "recipients"},
    [COUNT_EXTERNAL_RECIPIENTS] = {'e', CAUSE_LIMIT_EXTERNAL_RECIPIENTS, "external recipient",
                                   "external recipients"},
    [COUNT_DISTINCT_RECIPIENTS] = {STORE_DISTINCT, CAUSE_LIMIT_RECIPIENTS, "different recipient",
                                   "different recipients"},
    [COUNT_BYTES] = {'b', CAUSE_LIMIT_BYTES, "byte", "bytes"},
};

enum cause_id limits_cause(const struct conf_limit *limit)
{
    if (limit->warmup != NULL)
        return CAUSE_LIMIT_WARMUP;

    bool whole = limit->window_sec == 0 && limit->count != COUNT_BYTES;

    return whole ? CAUSE_LIMIT_MESSAGE_RECIPIENTS : counts[limit->count].cause;
}

char limits_letter(enum limit_count count)
{
    return counts[count].letter;
}

/* --- the plan ------------------------------------------------------------------------- */

/* Recipients that we never saw (a wiring without a look at RCPT) count as external. */
static int64_t external_recipients(const struct message *message)
{
    size_t local = message->nlocal_unseen;

    for (size_t i = 0; i < message->nrecipients; i++)
        local += message->recipients[i].local;
    return (int64_t)(message->nrecipients_total > local ? message->nrecipients_total - local : 0);
}

/* Whether a limit sees two recipients as one: of a mailbox, subaddresses and case do not matter. */
static bool is_same(const struct conf *conf, const struct conf_limit *limit,
                    const struct recipient *a, const struct recipient *b)
{
    size_t length = strcspn(a->address.local, conf->recipient_delimiter);

    if (strcmp(a->address.domain, b->address.domain) != 0)
        return false;
    return limit->subject != SUBJECT_RECIPIENT ||
           (strcspn(b->address.local, conf->recipient_delimiter) == length &&
            strncasecmp(a->address.local, b->address.local, length) == 0);
}

static int64_t recipients_like(const struct conf *conf, const struct message *message,
                               const struct conf_limit *limit, const struct recipient *recipient)
{
    int64_t n = 0;

    for (size_t i = 0; i < message->nrecipients; i++)
        n += is_same(conf, limit, &message->recipients[i], recipient);
    return n;
}

static int64_t amount(const struct conf *conf, const struct message *message,
                      const struct conf_limit *limit, const struct recipient *recipient)
{
    switch (limit->count) {
    case COUNT_MESSAGES:
        return 1;
    case COUNT_RECIPIENTS:
        return recipient ? recipients_like(conf, message, limit, recipient)
                         : (int64_t)message->nrecipients_total;
    case COUNT_EXTERNAL_RECIPIENTS:
        if (recipient)
            return recipient->local ? 0 : recipients_like(conf, message, limit, recipient);
        return external_recipients(message);
    case COUNT_BYTES:
        return message->size;
    case COUNT_DISTINCT_RECIPIENTS: /* members_of() says */
    case COUNT_COUNT:
        break;
    }
    return 0;
}

static int by_number(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;

    return (first > second) - (first < second);
}

/* The different recipients, as hashes that are the same in every program; with a recipient those
 * that are like it to the limit. */
static void set_members(const struct conf *conf, const struct message *message,
                        const struct recipient *recipient, struct limit_fact *fact)
{
    static const uint8_t key[HASH_KEY_SIZE] = "sluice recipient";
    size_t count = 0;

    fact->members = mem_new(message->nrecipients + 1, sizeof *fact->members);
    for (size_t i = 0; i < message->nrecipients; i++) {
        const struct recipient *one = &message->recipients[i];
        char *counted = address_counted(&one->address, conf->recipient_delimiter);

        if (!recipient || is_same(conf, fact->limit, one, recipient))
            fact->members[count++] = hash_keyed(key, counted, strlen(counted));
        free(counted);
    }
    qsort(fact->members, count, sizeof *fact->members, by_number);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || fact->members[i] != fact->members[i - 1])
            fact->members[fact->nmembers++] = fact->members[i];
    fact->amount = (int64_t)fact->nmembers;
}

/* At RCPT the last recipient is asked about; it comes to one more, unless it is not counted. */
static int64_t taken_before(const struct message *message, const struct limit_fact *fact)
{
    const struct recipient *last;

    if (message->stage != STAGE_RCPT || message->nrecipients == 0 || fact->amount == 0 ||
        fact->limit->count == COUNT_MESSAGES || fact->limit->count == COUNT_BYTES)
        return 0;
    last = &message->recipients[message->nrecipients - 1];
    if (fact->limit->count == COUNT_EXTERNAL_RECIPIENTS && last->local)
        return fact->amount;
    return fact->amount - 1;
}

static void plan_one(const struct conf *conf, struct message *message,
                     const struct conf_limit *limit, const struct recipient *recipient,
                     struct text *subject)
{
    struct facts *facts = &message->facts;
    struct conf_match match;

    if (facts->nlimits == STORE_LIMITS_MAX ||
        !subjects_name(conf, message, limit->subject, recipient, subject))
        return;

    struct limit_fact *fact = &facts->limits[facts->nlimits++];

    fact->limit = limit;
    fact->subject = mem_copy(text_string(subject));
    fact->amount = amount(conf, message, limit, recipient);
    if (limit->count == COUNT_DISTINCT_RECIPIENTS)
        set_members(conf, message, recipient, fact);
    fact->taken = taken_before(message, fact);
    fact->max = conf_limit_max(conf, limit,
                               &(struct conf_person){.login = message->user,
                                                     .sender = message->sender.text,
                                                     .client = &message->client,
                                                     .class = facts->class},
                               &match);
    fact->set_by = match.class != NULL ? match.limit : NULL;
    if (limit->window_sec == 0) {
        fact->used = fact->amount;
        fact->over = fact->amount > fact->max;
        fact->retry_after_sec = fact->over ? -1 : 0;
    }
}

static bool is_new(const struct conf *conf, const struct message *message,
                   const struct conf_limit *limit, size_t first, size_t index)
{
    for (size_t i = first; i < index; i++)
        if (is_same(conf, limit, &message->recipients[i], &message->recipients[index]))
            return false;
    return true;
}

static bool is_of_recipients(const struct conf_limit *limit)
{
    return limit->subject == SUBJECT_RECIPIENT_DOMAIN || limit->subject == SUBJECT_RECIPIENT;
}

/* At RCPT only the recipient that is asked about can still be refused; later each one counts. */
static void plan_recipients(const struct conf *conf, struct message *message,
                            const struct conf_limit *limit, struct text *subject)
{
    size_t first =
        message->stage == STAGE_RCPT && message->nrecipients > 0 ? message->nrecipients - 1 : 0;

    for (size_t i = first; i < message->nrecipients && message->facts.nlimits < STORE_LIMITS_MAX;
         i++)
        if (is_new(conf, message, limit, first, i))
            plan_one(conf, message, limit, &message->recipients[i], subject);
}

/* How many subjects the limit has among all recipients, up to most. */
static size_t subjects_of(const struct conf *conf, const struct message *message,
                          const struct conf_limit *limit, size_t most)
{
    const struct recipient *seen[STORE_LIMITS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < message->nrecipients && count < most; i++) {
        size_t place = 0;

        while (place < count && !is_same(conf, limit, seen[place], &message->recipients[i]))
            place++;
        if (place == count)
            seen[count++] = &message->recipients[i];
    }
    return count;
}

/* Whether all that the message counts against, once it is whole, is more than the store takes at
 * once. */
static bool is_too_much(const struct conf *conf, const struct message *message)
{
    size_t others = conf->nwarmups; /* at most */
    size_t rows = conf->nwarmups;

    for (size_t i = 0; i < conf->nlimits; i++)
        others += is_of_recipients(&conf->limits[i]) ? message->nrecipients : 1;
    if (others <= STORE_LIMITS_MAX)
        return false;
    for (size_t i = 0; i < conf->nlimits && rows <= STORE_LIMITS_MAX; i++)
        rows += is_of_recipients(&conf->limits[i])
                    ? subjects_of(conf, message, &conf->limits[i], STORE_LIMITS_MAX)
                    : 1;
    return rows > STORE_LIMITS_MAX;
}

static void forget_plan(struct facts *facts)
{
    for (size_t i = 0; i < facts->nlimits; i++)
        limit_fact_clear(&facts->limits[i]);
    facts->nlimits = 0;
    facts->store = STORE_UNASKED;
    facts->limits_cut = false;
    facts->charged = facts->charged_by_us = false;
}

/* Most messages have a handful of limits: STORE_LIMITS_MAX of these facts would be the larger part
 * of a message. */
static size_t plan_room(const struct conf *conf)
{
    for (size_t i = 0; i < conf->nlimits; i++)
        if (is_of_recipients(&conf->limits[i]))
            return STORE_LIMITS_MAX;

    size_t all = conf->nlimits + conf->nwarmups;

    return all < STORE_LIMITS_MAX ? all : STORE_LIMITS_MAX;
}

static void plan_warmups(const struct conf *conf, struct message *message)
{
    struct facts *facts = &message->facts;

    for (size_t i = 0; i < conf->nwarmups && facts->nlimits < STORE_LIMITS_MAX; i++)
        if (warmup_fact(conf, message, &conf->warmups[i], &facts->limits[facts->nlimits]))
            facts->nlimits++;
}

void limits_plan(const struct conf *conf, struct message *message)
{
    struct facts *facts = &message->facts;
    struct text subject = TEXT_EMPTY;

    forget_plan(facts);
    if (message->direction != DIRECTION_OUT || conf->nlimits + conf->nwarmups == 0)
        return;
    free(facts->limits);
    facts->limits = mem_new(plan_room(conf), sizeof *facts->limits);
    for (size_t i = 0; i < conf->nlimits; i++) {
        const struct conf_limit *limit = &conf->limits[i];

        if (is_of_recipients(limit))
            plan_recipients(conf, message, limit, &subject);
        else
            plan_one(conf, message, limit, NULL, &subject);
    }
    plan_warmups(conf, message);
    facts->limits_cut = is_too_much(conf, message);
    text_free(&subject);
}

/* --- asking the store ----------------------------------------------------------------- */

static bool enforced(const struct conf *conf, const struct message *message,
                     const struct conf_limit *limit)
{
    const struct cause *cause = cause_get(limits_cause(limit));
    enum action configured = verdict_configured(conf, cause, limit->over);

    return !limit->shadow && verdict_effective(conf, message, cause, configured) >= ACTION_DEFER;
}

/* A queue id comes back for another message some day; its sender and client tell the two apart. */
static uint64_t fingerprint(const struct message *message)
{
    uint64_t hash = hash_stable(message->user, strlen(message->user) + 1);

    hash = hash_stable_more(hash, message->sender.text, strlen(message->sender.text) + 1);
    return hash_stable_more(hash, message->client.bytes, sizeof message->client.bytes);
}

/* Rounded up, and without multiplying max, which may be anything. */
static int64_t share_of(int64_t max, unsigned percent)
{
    return percent == 0 ? 0 : max / 100 * percent + (max % 100 * percent + 99) / 100;
}

void limits_request(const struct conf *conf, const struct message *message,
                    struct store_limit *limits_r, char **identity_r,
                    struct store_request *request_r)
{
    const struct facts *facts = &message->facts;
    size_t n = 0;

    for (size_t i = 0; i < facts->nlimits; i++) {
        const struct limit_fact *fact = &facts->limits[i];

        if (fact->limit->window_sec == 0)
            continue;
        limits_r[n++] = (struct store_limit){
            .subject = fact->subject,
            .count = counts[fact->limit->count].letter,
            .window_sec = fact->limit->window_sec,
            .amount = fact->amount,
            .max = fact->max,
            .near = share_of(fact->max, fact->limit->near_percent),
            .enforce = enforced(conf, message, fact->limit),
            .members = fact->members,
            .nmembers = fact->nmembers,
        };
    }
    *identity_r = message_identity(message);
    *request_r = (struct store_request){
        .identity = *identity_r,
        .fingerprint = fingerprint(message),
        .limits = limits_r,
        .nlimits = n,
        .at_us = message->sent_us,
    };
}

static int64_t whole_seconds(int64_t microseconds)
{
    return microseconds < 0 ? -1 : (microseconds + 999999) / 1000000;
}

/* What a person expects to be told of a recipient who is one too many: what was taken before it is
 * used up, and by itself it fits as soon as that leaves the window. */
static void add_taken(struct limit_fact *fact)
{
    int64_t used = fact->used + fact->taken;

    /* Some of the different ones may be in the window already. */
    if (fact->limit->count == COUNT_DISTINCT_RECIPIENTS && used > fact->max)
        used = fact->used > fact->max ? fact->used : fact->max;
    fact->used = used;
    if (fact->retry_after_sec < 0 && fact->amount - fact->taken <= fact->max)
        fact->retry_after_sec = fact->limit->window_sec;
}

void limits_answered(struct message *message, const struct store_answer *answer)
{
    struct facts *facts = &message->facts;

    if (answer->outcome == STORE_OUTCOME_AWAY) {
        facts->store = STORE_NO_ANSWER;
        return;
    }
    facts->store = answer->local ? STORE_ANSWERED_LOCALLY : STORE_ANSWERED;
    for (size_t i = 0, n = 0; i < facts->nlimits && n < answer->nlimits; i++) {
        struct limit_fact *fact = &facts->limits[i];

        if (fact->limit->window_sec == 0)
            continue;

        const struct store_limit_answer *said = &answer->limits[n++];

        fact->used = said->used;
        fact->over = said->over;
        fact->near = said->near;
        fact->retry_after_sec = said->over ? whole_seconds(said->retry_after_us) : 0;
        if (said->over && fact->limit->warmup != NULL)
            warmup_retry(message, fact);
        if (said->over && fact->taken > 0)
            add_taken(fact);
    }
}

/* --- words ---------------------------------------------------------------------------- */

static const struct {
    int64_t seconds;
    int64_t
        least; /* of them, for the unit to be used: a day would sound like one of the calendar */
    const char *one, *many;
} units[] = {
    {86400, 2, "day", "days"},
    {3600, 1, "hour", "hours"},
    {60, 1, "minute", "minutes"},
    {1, 1, "second", "seconds"},
};

/* In one unit only, the largest that fits; a window is what was configured, to the second, and is
 * never rounded.  What is rounded is said in at least two of its unit, so that it is not far off.
 */
static void duration_words(int64_t seconds, bool exact, char *text_r, size_t room)
{
    size_t last = COUNT_OF(units) - 1, i = 0;

    while (i < last) {
        int64_t least = seconds % units[i].seconds == 0 ? units[i].least : exact ? INT64_MAX : 2;

        if (seconds / units[i].seconds >= least)
            break;
        i++;
    }

    int64_t n = (seconds + units[i].seconds - 1) / units[i].seconds;

    snprintf(text_r, room, "%" PRId64 " %s", n, n == 1 ? units[i].one : units[i].many);
}

void limits_duration_words(int64_t seconds, char *text_r, size_t room)
{
    duration_words(seconds < 1 ? 1 : seconds, false, text_r, room);
}

void limits_words(const struct conf_limit *limit, int64_t max, char *text_r, size_t room)
{
    const char *noun = max == 1 ? counts[limit->count].one : counts[limit->count].many;
    char window[32] = "one message", number[32] = "unlimited";

    if (limit->window_sec > 0)
        duration_words(limit->window_sec, true, window, sizeof window);
    if (max != CONF_UNLIMITED)
        snprintf(number, sizeof number, "%" PRId64, max);
    snprintf(text_r, room, "%s %s in %s", number, noun, window);
}
