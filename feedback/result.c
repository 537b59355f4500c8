/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/result.h"

#include "lib/base/count.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define GREYLISTED_MAX_US (INT64_C(24) * 3600 * 1000000)

const char *result_status_name(enum result_status status)
{
    static const char *const names[] = {[RESULT_SENT] = "sent",
                                        [RESULT_DEFERRED] = "deferred",
                                        [RESULT_BOUNCED] = "bounced",
                                        [RESULT_EXPIRED] = "expired"};

    return names[status];
}

void result_free(struct result **result)
{
    struct result *it = *result;

    if (it == NULL)
        return;
    free(it->queue_id);
    free(it->user);
    free(it->sender);
    free(it->recipient);
    free(it->domain);
    free(it->relay);
    free(it->dsn);
    free(it->text);
    free(it->rule);
    free(it);
    *result = NULL;
}

/* --- one line ----------------------------------------------------------------------------- */

static char *copy(struct span span, size_t most)
{
    return mem_copy_n(span.start != NULL ? span.start : "",
                      span.length < most ? span.length : most);
}

static bool status_of(const struct line *line, enum result_status *status_r)
{
    static const struct {
        enum line_status line;
        enum result_status result;
    } rows[] = {
        {LINE_STATUS_SENT, RESULT_SENT},
        {LINE_STATUS_DEFERRED, RESULT_DEFERRED},
        {LINE_STATUS_BOUNCED, RESULT_BOUNCED},
        {LINE_STATUS_EXPIRED, RESULT_EXPIRED},
    };

    if (line->kind == LINE_EXPIRED) {
        *status_r = RESULT_EXPIRED;
        return true;
    }
    for (size_t i = 0; line->kind == LINE_DELIVERY && i < COUNT_OF(rows); i++) {
        if (rows[i].line == line->status) {
            *status_r = rows[i].result;
            return true;
        }
    }
    return false;
}

/* The remote's words with their codes, as they stand in the line. */
static struct span words_of(const struct line *line, const struct classification *classification)
{
    struct span text = line->fields[FIELD_TEXT];
    size_t said;

    if (text.start == NULL)
        text = classification->reply.text;
    said = span_find(text, " said: ");
    return said == SPAN_NONE ? text : span_from(text, said + strlen(" said: "));
}

static char *domain_of(const char *recipient)
{
    const char *at = strrchr(recipient, '@');

    return text_lower(mem_copy(at != NULL ? at + 1 : ""));
}

static struct result *make(const struct line *line, struct span recipient,
                           const struct classification *classification, const struct mail *mail)
{
    struct result *result = mem_new(1, sizeof(*result));

    result->queue_id = copy(line->fields[FIELD_QUEUE_ID], MAIL_WORD_MAX);
    result->user = mem_copy(mail != NULL ? mail->user : "");
    result->sender = mem_copy(mail != NULL ? mail->sender : "");
    result->size = mail != NULL ? mail->size : 0;
    result->recipient = text_lower(copy(recipient, MAIL_WORD_MAX));
    result->domain = domain_of(result->recipient);
    result->relay = copy(line->fields[FIELD_RELAY], MAIL_WORD_MAX);
    result->dsn = copy(line->fields[FIELD_DSN], MAIL_WORD_MAX);
    result->text = copy(words_of(line, classification), RESULT_TEXT_MAX);
    result->rule = mem_copy(classification->rule != NULL ? classification->rule : "");
    result->cause = classification->cause;
    result->failure = classification->failure;
    return result;
}

/* --- attempts ----------------------------------------------------------------------------- */

static bool same_server(const struct tried *tried, const struct line *line)
{
    return tried->relay != NULL && span_equals(line->fields[FIELD_RELAY_IP], tried->relay);
}

/* The server answered 4xx without a word of why; or only, to a recipient, that it is unwell. */
static bool is_put_off(const struct result *result, const struct classification *classification)
{
    return result->status == RESULT_DEFERRED && classification->reply.code / 100 == 4 &&
           (result->cause == CAUSE_DESTINATION_OTHER ||
            (result->cause == CAUSE_DESTINATION_UNREACHABLE &&
             classification->reply.stage == SMTP_RCPT));
}

static void count_attempt(struct result *result, struct mail *mail, const struct line *line,
                          const struct classification *classification)
{
    struct tried *tried = mail != NULL ? mail_tried(mail, result->recipient) : NULL;

    result->attempt = 1;
    if (tried == NULL)
        return;
    if (tried->attempts == 0) {
        tried->first_us = result->at_us;
        tried->put_off = is_put_off(result, classification);
        free(tried->relay);
        tried->relay = copy(line->fields[FIELD_RELAY_IP], MAIL_WORD_MAX);
    }
    result->attempt = ++tried->attempts;
    if (result->status == RESULT_SENT && tried->put_off && same_server(tried, line) &&
        result->at_us - tried->first_us < GREYLISTED_MAX_US) {
        result->greylisted = true;
        result->greylisted_sec = (result->at_us - tried->first_us) / 1000000;
    }
    tried->failed = result->status != RESULT_SENT;
    tried->cause = result->cause;
}

/* The MTA gives up: why is what the last attempt said. */
static void read_expired(struct result *result, const struct mail *mail)
{
    result->cause = CAUSE_DESTINATION_UNREACHABLE;
    result->failure = FAILURE_HARD;
    for (size_t i = 0; mail != NULL && i < mail->ntried; i++) {
        if (!mail->tried[i].failed)
            continue;
        result->cause = mail->tried[i].cause;
        result->attempt = mail->tried[i].attempts;
        free(result->recipient);
        free(result->domain);
        result->recipient = mem_copy(mail->tried[i].recipient);
        result->domain = domain_of(result->recipient);
        return;
    }
}

/* --- all that a line says -------------------------------------------------------------------- */

size_t result_read(const struct rules *rules, struct classify_scratch *scratch, struct mails *mails,
                   const struct line *line, int64_t now_us, uint64_t fingerprint,
                   struct result **results_r)
{
    struct classification classification;
    struct span list = line->fields[FIELD_RECIPIENT];
    struct span recipient = {"", 0};
    enum result_status status;
    struct mail *mail, *next;
    int64_t at_us = now_us;
    size_t count = 0;

    if (!status_of(line, &status))
        return 0;
    (void)line_time(line, now_us, &at_us);
    mail = mails_make(mails, line);
    classify_line(rules, scratch, line, &classification);
    /* Handed to a content filter, whose next queue file is on this host: nothing is delivered yet.
     */
    next = status == RESULT_SENT ? mails_find_next(mails, line, words_of(line, &classification))
                                 : NULL;
    if (next != NULL && mail != NULL && next != mail) {
        mail_inherit(next, mail);
        return 0;
    }
    if (line->kind != LINE_EXPIRED && !line_next_recipient(&list, &recipient))
        return 0;
    do {
        struct result *result = make(line, recipient, &classification, mail);

        result->status = status;
        result->at_us = at_us;
        if (line->kind == LINE_EXPIRED)
            read_expired(result, mail);
        else
            count_attempt(result, mail, line, &classification);
        if (status == RESULT_DEFERRED)
            result->retry_after_sec = result_retry_after(span_of(result->text));
        result->fingerprint =
            hash_stable_more(fingerprint, result->recipient, strlen(result->recipient));
        results_r[count++] = result;
    } while (count < RESULTS_MAX && line_next_recipient(&list, &recipient));
    return count;
}
