/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/notices.h"

#include "lib/base/mem.h"
#include "lib/base/runner.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/decide/notice_text.h"

#include <stdlib.h>
#include <string.h>

struct notices {
    struct services *services;
    struct runner *runner;
};

/* A finding on its way to those who want to know of it. */
struct notice {
    struct services *services;
    struct conf *conf; /* held */
    const struct conf_notify *notify;
    struct notice_words words;
    char *key; /* in the store: whom, of what, about whom */
};

/* One program that was started for it. */
struct sending {
    struct services *services;
    char *name, *cause, *subject, *to;
};

static void free_notice(struct notice *notice)
{
    notice_words_clear(&notice->words);
    conf_release(&notice->conf);
    free(notice->key);
    free(notice);
}

/* --- running -------------------------------------------------------------------------- */

static void tell(const struct sending *sending, const char *state, const char *problem)
{
    struct log_event event;

    log_begin(&event, sending->services->log, problem != NULL ? LOG_WARNING : LOG_INFO, NULL,
              "notify");
    log_string(&event, "notify", sending->name);
    log_string(&event, "cause", sending->cause);
    log_string(&event, "subject", sending->subject);
    log_string(&event, "to", sending->to);
    log_string(&event, "state", state);
    log_string(&event, "problem", problem);
    log_write(&event);
}

static void free_sending(struct sending *sending)
{
    free(sending->name);
    free(sending->cause);
    free(sending->subject);
    free(sending->to);
    free(sending);
}

static void program_ended(const char *problem, void *context)
{
    struct sending *sending = context;

    tell(sending, problem != NULL ? "failed" : "sent", problem);
    free_sending(sending);
}

static void run(const struct notice *notice, const struct strings *argv, const char *input,
                size_t length, const char *to)
{
    struct services *services = notice->services;
    struct sending *sending = mem_new(1, sizeof(*sending));
    const struct conf *conf = notice->conf;

    *sending = (struct sending){.services = services,
                                .name = mem_copy(notice->notify->name),
                                .cause = mem_copy(notice_words_value(&notice->words, "cause")),
                                .subject = mem_copy(notice_words_value(&notice->words, "subject")),
                                .to = mem_copy(to)};
    if (runner_start(services->notices->runner, (const char *const *)argv->items, argv->count,
                     input, length, (size_t)conf->notify_processes, conf->notify_timeout_ms,
                     program_ended, sending))
        return;
    tell(sending, "dropped", "too many wait to be run");
    free_sending(sending);
}

static void run_command(const struct notice *notice)
{
    struct strings argv = {NULL, 0, 0};
    struct text text = TEXT_EMPTY;

    for (size_t i = 0; i < notice->notify->command.count; i++) {
        text_clear(&text);
        notice_fill(&notice->words, notice->notify->command.items[i], &text);
        strings_add(&argv, text_string(&text));
    }
    text_clear(&text);
    notice_body(notice->notify, &notice->words, false, &text);
    run(notice, &argv, text_string(&text), text.length, argv.items[0]);
    strings_free(&argv);
    text_free(&text);
}

static void send_mail(const struct notice *notice, const char *to, bool to_user)
{
    struct strings argv = {NULL, 0, 0};
    struct text text = TEXT_EMPTY;
    const struct conf *conf = notice->conf;

    for (size_t i = 0; i < conf->notify_sendmail.count; i++)
        strings_add(&argv, conf->notify_sendmail.items[i]);
    strings_add(&argv, "-i");
    strings_add(&argv, "-f");
    strings_add(&argv, ""); /* nobody wants a bounce of it */
    strings_add(&argv, "--");
    strings_add(&argv, to);
    notice_mail(conf, notice->notify, &notice->words, to, to_user, &text);
    run(notice, &argv, text_string(&text), text.length, to);
    strings_free(&argv);
    text_free(&text);
}

/* The login's own address; NULL: it has none that we know. */
static char *user_address(const struct conf *conf, const char *user)
{
    if (user[0] == '\0' || user[0] == '-' || strpbrk(user, " \t\r\n<>,;\"") != NULL)
        return NULL;
    if (strchr(user, '@') != NULL)
        return mem_copy(user);
    for (size_t i = 0; i < conf->local_domains.count; i++)
        if (conf->local_domains.items[i][0] != '.')
            return mem_print("%s@%s", user, conf->local_domains.items[i]);
    return NULL;
}

static void send_all(const struct notice *notice)
{
    const struct conf_notify *notify = notice->notify;
    char *user;

    if (notify->command.count > 0)
        run_command(notice);
    for (size_t i = 0; i < notify->mail.count; i++)
        send_mail(notice, notify->mail.items[i], false);
    /* What is only observed concerns nobody but the admin. */
    if (!notify->user || !notice->words.done)
        return;
    user = user_address(notice->conf, notice_words_value(&notice->words, "user"));
    if (user != NULL)
        send_mail(notice, user, true);
    free(user);
}

/* --- once in a window ----------------------------------------------------------------- */

static void counted(const struct store_answer *answer, void *context)
{
    struct notice *notice = context;
    /* That nobody counts is said once by itself. */
    const bool away =
        answer->outcome == STORE_OUTCOME_AWAY && strcmp(notice_words_value(&notice->words, "cause"),
                                                        cause_get(CAUSE_SELF_STORE_DOWN)->id) == 0;

    if ((answer->outcome == STORE_OUTCOME_DONE || away) && notice->services->notices != NULL)
        send_all(notice);
    free_notice(notice);
}

/* In the loop's thread. */
static void begin(void *context)
{
    struct notice *notice = context;
    const struct store_limit limit = {.subject = notice->key,
                                      .count = 'm',
                                      .window_sec = notice->notify->window_sec,
                                      .amount = 1,
                                      .max = 1,
                                      .enforce = true};
    const struct store_request request = {.identity = "", .limits = &limit, .nlimits = 1};

    if (notice->services->notices == NULL || notice->services->store == NULL)
        free_notice(notice);
    else
        store_charge(notice->services->store, &request, counted, notice);
}

/* --- which findings ------------------------------------------------------------------- */

/* "limit.near", "limit.*" or "*". */
static bool wants(const struct conf_notify *notify, const char *cause)
{
    for (size_t i = 0; i < notify->causes.count; i++) {
        const char *pattern = notify->causes.items[i];
        size_t length = strlen(pattern);

        if (strcmp(pattern, cause) == 0 ||
            (pattern[length - 1] == '*' && strncmp(pattern, cause, length - 1) == 0))
            return true;
    }
    return false;
}

static void post(struct services *services, const struct conf *conf,
                 const struct conf_notify *notify, const struct message *message,
                 const struct finding *finding)
{
    struct notice *notice = mem_new(1, sizeof(*notice));

    notice->services = services;
    notice->conf = conf_hold((struct conf *)(uintptr_t)conf);
    notice->notify = notify;
    notice_words_of(&notice->words, conf, message, finding);
    notice->key =
        mem_print("notify:%s:%s:%s", notify->name, notice_words_value(&notice->words, "cause"),
                  notice_words_value(&notice->words, "subject"));
    loop_post(services->loop, begin, notice);
}

void notices_tell(struct services *services, const struct conf *conf, const struct message *message,
                  const struct finding *finding)
{
    for (size_t i = 0; services->notices != NULL && i < conf->nnotifies; i++)
        if (wants(&conf->notifies[i], finding->cause->id))
            post(services, conf, &conf->notifies[i], message, finding);
}

void notices_of(struct services *services, const struct conf *conf, const struct message *message)
{
    /* A notice is from <> itself, and must not lead to another; no notice has a login. */
    bool is_bounce = address_is_null(&message->sender) && message->user[0] == '\0';

    if (services->notices == NULL || conf->nnotifies == 0 || is_bounce)
        return;
    for (size_t i = 0; i < message->findings.count; i++) {
        const struct finding *finding = &message->findings.items[i];

        /* Of the store the daemon tells by itself, once and not for each message. */
        if (!finding->shadow && finding->would >= (int)ACTION_LOG &&
            finding->cause != cause_get(CAUSE_SELF_STORE_DOWN))
            notices_tell(services, conf, message, finding);
    }
}

struct notices *notices_new(struct services *services)
{
    struct notices *notices = mem_new(1, sizeof(*notices));

    *notices = (struct notices){services, runner_new(services->loop)};
    return notices;
}

void notices_free(struct notices **notices)
{
    if (*notices == NULL)
        return;
    runner_free(&(*notices)->runner);
    free(*notices);
    *notices = NULL;
}
