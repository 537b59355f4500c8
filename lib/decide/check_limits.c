/* SPDX-License-Identifier: BSD-2-Clause */
/* limit.*: what the subjects used up, and what this message would add. */
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/limits.h"
#include "lib/decide/subjects.h"
#include "lib/decide/verdict.h"
#include "lib/store/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void add_fields(struct finding *finding, const struct limit_fact *fact)
{
    const struct conf_limit *limit = fact->limit;

    finding->shadow = limit->shadow;
    finding_field(finding, "limit", "%s", limit->name);
    finding_field(finding, "subject", "%s", fact->subject);
    finding_field(finding, "used", "%" PRId64, fact->used);
    finding_field(finding, "max", "%" PRId64, fact->max);
    if (limit->window_sec == 0)
        finding_field(finding, "window", "message");
    else
        finding_field(finding, "window", "%" PRId64, limit->window_sec);
    if (limit->shadow)
        finding_field(finding, "shadow", "yes");
}

/* "alice@example.com", "192.0.2.0/24": who a class could name to mean this subject; NULL: there is
 * no such way, as with a recipient. */
static char *member_of(const struct limit_fact *fact)
{
    static const bool in_classes[SUBJECT_COUNT] = {
        [SUBJECT_USER] = true,   [SUBJECT_SENDER] = true,         [SUBJECT_SENDER_DOMAIN] = true,
        [SUBJECT_CLIENT] = true, [SUBJECT_CLIENT_NETWORK] = true,
    };
    const enum limit_subject subject = fact->limit->subject;
    const char *name = strchr(fact->subject, ':');

    if (!in_classes[subject] || name == NULL || fact->limit->warmup != NULL)
        return NULL;
    return mem_print("%s%s", subject == SUBJECT_SENDER_DOMAIN ? "@" : "", name + 1);
}

/* The line that says what the maximum is, with the number that stands there. */
static void add_line(struct text *hint, const struct limit_fact *fact)
{
    const struct conf_limit *limit = fact->limit;
    const struct conf_class_limit *by = fact->set_by;
    const struct conf_place *place = by != NULL ? &by->place : &limit->place;

    text_print(hint, "raise max (now %" PRId64 ") of limit %s", fact->max, limit->name);
    if (by != NULL)
        text_print(hint, " in class %s", by->from->name);
    if (strcmp(place->file, "defaults") == 0)
        text_add_string(hint, " (built in: sluicectl config --defaults prints it for sluice.conf)");
    else
        text_print(hint, " (%s:%u)", place->file, place->line);
}

static void add_remedy(struct text *hint, const struct limit_fact *fact)
{
    char *member = member_of(fact);

    add_line(hint, fact);
    if (member != NULL && fact->set_by == NULL)
        text_print(hint, " for all, or for %s alone with a class that has it as a member", member);
    free(member);
}

static void hint_remedy(struct finding *finding, const struct limit_fact *fact)
{
    struct text hint = TEXT_EMPTY;

    text_add_string(&hint, "sluicectl limits ");
    text_add_shell_word(&hint, fact->subject);
    text_add_string(&hint, " shows the use; to allow more, ");
    add_remedy(&hint, fact);
    finding_hint(finding, "%s", text_string(&hint));
    text_free(&hint);
}

static void over_per_message(struct message *message, const struct limit_fact *fact)
{
    struct finding *finding =
        findings_add(&message->findings, cause_get(limits_cause(fact->limit)));
    const char *noun = fact->limit->count == COUNT_BYTES ? "bytes"
                       : fact->limit->count == COUNT_EXTERNAL_RECIPIENTS
                           ? "recipients outside our own domains"
                           : "recipients";
    struct text hint = TEXT_EMPTY;
    const char *one = fact->limit->count == COUNT_BYTES ? "byte"
                      : fact->limit->count == COUNT_EXTERNAL_RECIPIENTS
                          ? "recipient outside our own domains"
                          : "recipient";

    if (!finding)
        return;
    finding->action_asked = fact->limit->over;
    add_fields(finding, fact);
    finding_sentence(finding,
                     "This message has %" PRId64 " %s and at most %" PRId64
                     " %s allowed on one message.",
                     fact->amount, noun, fact->max, fact->max == 1 ? "is" : "are");
    text_print(&hint, "send it in parts of at most %" PRId64 " %s, or ", fact->max,
               fact->max == 1 ? one : noun);
    add_remedy(&hint, fact);
    finding_hint(finding, "%s", text_string(&hint));
    text_free(&hint);
}

/* What becomes of the message: over = warn and mail that is never refused go out. */
static enum action becomes(const struct conf *conf, const struct message *message,
                           const struct finding *finding)
{
    const enum action configured = verdict_configured(conf, finding->cause, finding->action_asked);

    if (configured <= ACTION_WARN)
        return configured;
    /* In observe mode the words are those of what would be done. */
    if (verdict_effective(conf, message, finding->cause, configured) == ACTION_WARN)
        return ACTION_WARN;
    return configured;
}

/* How the message counts: one that is charged is in the use already. */
static void add_amount(struct text *sentence, const struct message *message,
                       const struct limit_fact *fact, bool goes_on)
{
    if (message->facts.charged)
        text_add_string(sentence, ", this message included");
    else if (fact->taken > 0)
        text_add_string(sentence, ", with the recipients of this message so far");
    else if (fact->amount > 1 || goes_on)
        text_print(sentence, ", and this message adds %" PRId64, fact->amount);
}

/* When it can go out, where it has to wait; time alone does not let go what is held. */
static void add_when(struct text *sentence, const struct conf *conf, const struct message *message,
                     const struct limit_fact *fact, const struct finding *finding)
{
    const enum action action = becomes(conf, message, finding);
    char when[64];

    add_amount(sentence, message, fact, action <= ACTION_HOLD);
    text_add_char(sentence, '.');
    limits_duration_words(fact->retry_after_sec, when, sizeof when);
    if (action == ACTION_HOLD) {
        text_add_string(sentence, " It is held until somebody has looked at it");
        if (fact->retry_after_sec >= 0)
            text_print(sentence, "; there is room again in %s", when);
        text_add_char(sentence, '.');
    } else if (action > ACTION_HOLD && !message->facts.charged) {
        if (fact->retry_after_sec >= 0)
            text_print(sentence, " It can go out in %s.", when);
        else
            text_add_string(sentence, " This message alone is more than that.");
    }
}

static void over_window(const struct conf *conf, struct message *message,
                        const struct limit_fact *fact)
{
    struct finding *finding =
        findings_add(&message->findings, cause_get(limits_cause(fact->limit)));
    struct text who = TEXT_EMPTY, sentence = TEXT_EMPTY;
    char limit[96];

    if (!finding)
        return;
    finding->action_asked = fact->limit->over;
    add_fields(finding, fact);
    if (fact->retry_after_sec >= 0)
        finding_field(finding, "retry-after", "%" PRId64, fact->retry_after_sec);
    subjects_words(fact->subject, &who);
    limits_words(fact->limit, fact->max, limit, sizeof limit);
    text_print(&sentence, "%s has used %" PRId64 " of %s", text_string(&who), fact->used, limit);
    add_when(&sentence, conf, message, fact, finding);
    finding_sentence(finding, "%s", text_string(&sentence));
    hint_remedy(finding, fact);
    text_free(&who);
    text_free(&sentence);
}

/* "while 198.51.100.9 (to gmail.com) builds up a reputation" */
static void over_warmup(const struct conf *conf, struct message *message,
                        const struct limit_fact *fact)
{
    const struct conf_warmup *warmup = fact->limit->warmup;
    struct finding *finding =
        findings_add(&message->findings, cause_get(limits_cause(fact->limit)));
    struct text sentence = TEXT_EMPTY;
    char limit[96];

    if (!finding)
        return;
    finding->action_asked = fact->limit->over;
    add_fields(finding, fact);
    if (fact->retry_after_sec >= 0)
        finding_field(finding, "retry-after", "%" PRId64, fact->retry_after_sec);
    limits_words(fact->limit, fact->max, limit, sizeof limit);
    text_add_string(&sentence, "Our mail server sends slowly");
    if (warmup->destinations.count > 0)
        text_print(&sentence, " to %s", warmup->destinations.items[0]);
    text_print(&sentence, " while it builds a reputation: %" PRId64 " of %s are used up",
               fact->used, limit);
    add_when(&sentence, conf, message, fact, finding);
    finding_sentence(finding, "%s", text_string(&sentence));
    finding_hint(
        finding,
        "nothing to do if the plan is right: sluicectl warmup shows it; else change first, "
        "growth or ceiling of warmup %s (%s:%u)",
        warmup->title, fact->limit->place.file, fact->limit->place.line);
    text_free(&sentence);
}

static void near_window(struct message *message, const struct limit_fact *fact)
{
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_LIMIT_NEAR));
    char limit[96];

    if (!finding)
        return;
    add_fields(finding, fact);
    limits_words(fact->limit, fact->max, limit, sizeof limit);
    finding_sentence(finding, "You have nearly used up your mail: %" PRId64 " of %s.", fact->used,
                     limit);
    finding_hint(finding,
                 "%s used %" PRId64 " of %s: ask whether that is meant before limit %s stops it",
                 fact->subject, fact->used, limit, fact->limit->name);
}

/* The client sends the others in another transaction (RFC 5321 section 4.5.3.1.10). */
static void too_many_to_count(struct message *message)
{
    struct finding *finding =
        findings_add(&message->findings, cause_get(CAUSE_LIMIT_MESSAGE_RECIPIENTS));

    if (!finding)
        return;
    finding->action_asked = ACTION_DEFER;
    finding->reply_code = 452;
    finding->enhanced = mem_copy("4.5.3");
    finding_sentence(finding, "This message has too many recipients for one message. Please send "
                              "it to the others in another one.");
    finding_hint(finding,
                 "a limit by recipient or recipient-domain counts at most %d of them in "
                 "one message: nothing to do, unless the client does not try again",
                 STORE_LIMITS_MAX);
}

void check_limits(const struct conf *conf, struct message *message)
{
    if (message->facts.limits_cut)
        too_many_to_count(message);
    for (size_t i = 0; i < message->facts.nlimits; i++) {
        const struct limit_fact *fact = &message->facts.limits[i];

        if (fact->over && fact->limit->window_sec == 0)
            over_per_message(message, fact);
        else if (fact->over && fact->limit->warmup != NULL)
            over_warmup(conf, message, fact);
        else if (fact->over)
            over_window(conf, message, fact);
        if (fact->near)
            near_window(message, fact);
    }
}

/* Only where the operator prefers no mail to uncounted mail is the store's absence the message's
 * business; else the daemon says it once for all messages. */
void check_store(const struct conf *conf, struct message *message)
{
    if (message->facts.store != STORE_NO_ANSWER || conf->store_failure != STORE_FAILURE_DEFER)
        return;

    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_SELF_STORE_DOWN));

    if (!finding)
        return;
    finding->action_asked = ACTION_DEFER;
    finding->reply_code = 451;
    finding->enhanced = mem_copy("4.3.0");
    finding_sentence(finding, "The mail system cannot check your sending limits at the moment. "
                              "Please try again in a few minutes.");
    finding_hint(finding, "bring the counter store back (sluicectl status), or set store-failure = "
                          "local to count here meanwhile");
}
