/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/logins.h"

#include "feedback/accuse.h"
#include "feedback/learn.h"
#include "feedback/notice.h"

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/decide/outcomes.h"
#include "lib/decide/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX_LENGTH ((size_t)320)
#define TOLD_MAX ((size_t)10000) /* clients whose mechanism was told lately */
#define TOLD_US (INT64_C(3600) * 1000000)

struct logins {
    struct services *services;
    struct map *told; /* of int64_t, when */
    size_t open;
    bool left; /* by its owner; free once nothing is open */
};

struct attempt {
    struct logins *logins;
    char *user, *client, *mechanism, *text;
    struct conf *conf; /* by which it is judged; NULL while it is not */
    uint64_t fingerprint;
    int64_t at_us; /* when the line was written; 0: it does not say */
};

struct logins *logins_new(struct services *services)
{
    struct logins *logins = mem_new(1, sizeof(*logins));

    *logins = (struct logins){.services = services, .told = map_new()};
    return logins;
}

static void free_when_done(struct logins *logins)
{
    if (!logins->left || logins->open > 0)
        return;
    map_free(&logins->told, free);
    free(logins);
}

void logins_free(struct logins **logins)
{
    (*logins)->left = true;
    free_when_done(*logins);
    *logins = NULL;
}

size_t logins_open(const struct logins *logins)
{
    return logins->open;
}

static char *copy(const struct line *line, enum line_field field)
{
    const struct span span = line->fields[field];

    return mem_copy_n(span.start != NULL ? span.start : "",
                      span.length < WORD_MAX_LENGTH ? span.length : WORD_MAX_LENGTH);
}

static const char *or_null(const char *value)
{
    return *value != '\0' ? value : NULL;
}

static void free_attempt(struct attempt *attempt)
{
    free(attempt->user);
    free(attempt->client);
    free(attempt->mechanism);
    free(attempt->text);
    if (attempt->conf != NULL)
        conf_release(&attempt->conf);
    free(attempt);
}

static struct attempt *attempt_of(struct logins *logins, const struct line *line)
{
    struct attempt *attempt = mem_new(1, sizeof(*attempt));

    *attempt = (struct attempt){
        .logins = logins,
        .user = text_lower(copy(line, FIELD_USER)),
        .client = copy(line, FIELD_CLIENT_IP),
        .mechanism = copy(line, FIELD_MECHANISM),
        .text = copy(line, FIELD_TEXT),
    };
    return attempt;
}

static void report(const struct attempt *attempt, const struct conf *conf, enum cause_id cause,
                   const char *hint, int64_t count)
{
    struct services *services = attempt->logins->services;
    char number[24], window[24];

    (void)snprintf(number, sizeof(number), "%" PRId64, count);
    (void)snprintf(window, sizeof(window), "%" PRId64, conf->login_failures_window_ms / 1000);
    report_cause(services->log, NULL, cause_get(cause)->id, hint, "user", or_null(attempt->user),
                 "client", or_null(attempt->client), "mechanism", or_null(attempt->mechanism), "n",
                 count > 0 ? number : NULL, "window", count > 0 ? window : NULL, "text",
                 or_null(attempt->text), NULL);
    notice_login(services, conf,
                 &(struct notice_login){.cause = cause,
                                        .user = attempt->user,
                                        .client = attempt->client,
                                        .mechanism = attempt->mechanism,
                                        .text = attempt->text,
                                        .hint = hint,
                                        .count = count,
                                        .at_us = attempt->at_us});
}

static void counted(const struct store_answer *answer, void *context)
{
    struct attempt *attempt = context;
    const char *client = attempt->client[0] != '\0' ? attempt->client : "the client";
    char *hint;

    attempt->logins->open--;
    if (answer->nlimits > 0 && !answer->known &&
        answer->limits[0].used >= attempt->conf->login_failures)
        accuse_login(attempt->logins->services, attempt->conf, attempt->user, attempt->fingerprint,
                     attempt->at_us);
    if (answer->nlimits > 0 && answer->limits[0].near) {
        hint = mem_print("if %s is %s's own: enter the password again, or unlock the account; "
                         "if not: block %s in the firewall",
                         client, attempt->user[0] != '\0' ? attempt->user : "the account", client);
        report(attempt, attempt->conf, CAUSE_ACCOUNT_LOGIN_FAILURES, hint, answer->limits[0].used);
        free(hint);
    }
    free_when_done(attempt->logins);
    free_attempt(attempt);
}

/* A client that asks for a mechanism does so again with each mail: once an hour is enough. */
static bool was_told(struct logins *logins, const struct attempt *attempt)
{
    const int64_t now_us = clock_now_us(logins->services->steady);
    char *key = mem_print("%s %s", attempt->client, attempt->mechanism);
    int64_t *told = map_get(logins->told, key, strlen(key));
    bool was = told != NULL && now_us - *told < TOLD_US;

    if (told == NULL) {
        const void *oldest;
        size_t length;

        if (map_count(logins->told) >= TOLD_MAX &&
            map_oldest(logins->told, &oldest, &length) != NULL)
            free(map_remove(logins->told, oldest, length));
        told = mem_new(1, sizeof(*told));
        (void)map_put(logins->told, key, strlen(key), told);
    }
    if (!was)
        *told = now_us;
    free(key);
    return was;
}

static void see_mechanism(struct logins *logins, const struct conf *conf, struct attempt *attempt)
{
    char *hint;

    if (!was_told(logins, attempt)) {
        hint = mem_print(
            "in the mail program at %s choose \"normal password\" with STARTTLS or TLS in place of "
            "%s; if %s should be there, add it to the SASL server's mechanisms (Dovecot: "
            "auth_mechanisms; Cyrus: mech_list)",
            attempt->client[0] != '\0' ? attempt->client : "the client",
            attempt->mechanism[0] != '\0' ? attempt->mechanism : "what it asks for",
            attempt->mechanism[0] != '\0' ? attempt->mechanism : "it");
        report(attempt, conf, CAUSE_ACCOUNT_LOGIN_MECHANISM, hint, 0);
        free(hint);
    }
    free_attempt(attempt);
}

void logins_see(struct logins *logins, struct conf *conf, const struct line *line,
                const struct classification *classification, uint64_t fingerprint)
{
    struct attempt *attempt;
    char *subject;

    if (classification->outcome != OUTCOME_FAILED)
        return;
    attempt = attempt_of(logins, line);
    if (!line_time(line, clock_now_us(&clock_wall), &attempt->at_us))
        attempt->at_us = 0;
    if (classification->cause == CAUSE_ACCOUNT_LOGIN_MECHANISM) {
        see_mechanism(logins, conf, attempt);
        return;
    }
    subject = attempt->user[0] != '\0' ? outcome_user(conf, attempt->user)
                                       : mem_print("client:%s", attempt->client);
    attempt->conf = conf_hold(conf);
    attempt->fingerprint = fingerprint;
    logins->open++;
    learn_login_failure(logins->services->store, conf, subject, fingerprint, counted, attempt);
    free(subject);
}
