/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "milter/act.h"
#include "tests/milter/fake_libmilter.h"
#include "tests/support/conf_text.h"

#include "lib/causes/causes.h"
#include "lib/decide/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct services services;
static struct session session;

static int set_up(void **state)
{
    (void)state;
    services = (struct services){.log = log_open_memory(LOG_FORMAT_TEXT), .steady = &clock_steady};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_close(&services.log);
    return 0;
}

/* A message from the world, so that it is not to be signed, with one finding under this action. */
static void begin(const char *conf_text, enum cause_id cause, int action, unsigned long actions)
{
    char *problem = NULL;

    session = (struct session){.actions = actions, .protocol = SMFIP_HDR_LEADSPC};
    session.conf = conf_of(conf_text);
    session.signer = signer_new(session.conf, NULL, &problem);
    session.message = message_new(PROGRAM_MILTER, "mx.example.test");
    message_set_sender(session.message, "<someone@example.net>");
    message_set(&session.message->queue_id, "4XkP");
    (void)ip_parse("192.0.2.1", &session.message->client);
    session.message->stage = STAGE_END_OF_MESSAGE;
    if (cause != CAUSE_COUNT) {
        struct finding *finding = findings_add(&session.message->findings, cause_get(cause));

        finding->action_asked = action;
        finding_sentence(finding, "It is 100%% certain.");
    }
    verdict_set(session.conf, session.message);
}

static void end(void)
{
    message_free(&session.message);
    signature_free(&session.signature);
    signer_release(&session.signer);
    conf_release(&session.conf);
}

#define ALL (SMFIF_ADDHDRS | SMFIF_QUARANTINE)
#define NONE CAUSE_COUNT

static void test_act_end(void **state)
{
    static const struct {
        const char *name, *conf;
        enum cause_id cause;
        int action;
        unsigned long actions;
        sfsistat result;
        const char *asked, *log;
    } cases[] = {
        {"nothing found", "mode = enforce\n", NONE, 0, ALL, SMFIS_CONTINUE, "", "verdict=accept"},
        {"logged", "mode = enforce\n", CAUSE_CONFIG_HELO, ACTION_LOG, ALL, SMFIS_CONTINUE, "",
         "verdict=accept causes=config.helo dkim=none:inbound"},
        {"warned", "mode = enforce\n", CAUSE_CONFIG_HELO, ACTION_WARN, ALL, SMFIS_CONTINUE,
         "add X-Sluice-Warning: [config.helo] It is 100% certain.\n", "verdict=warn"},
        {"held", "mode = enforce\n", CAUSE_CONFIG_HELO, ACTION_HOLD, ALL, SMFIS_CONTINUE,
         "quarantine It is 100% certain. [config.helo]\n", "verdict=hold"},
        {"held where that is impossible", "mode = enforce\n", CAUSE_CONFIG_HELO, ACTION_HOLD,
         SMFIF_ADDHDRS, SMFIS_TEMPFAIL, "reply 450 4.7.1 It is 100%% certain. [config.helo]\n",
         "verdict=hold"},
        {"deferred", "mode = enforce\n", CAUSE_CONFIG_HELO, ACTION_DEFER, ALL, SMFIS_TEMPFAIL,
         "reply 450 4.7.1 It is 100%% certain. [config.helo]\n", "verdict=defer"},
        {"rejected", "mode = enforce\n", CAUSE_CONTENT_SIZE, ACTION_REJECT, ALL, SMFIS_REJECT,
         "reply 552 5.3.4 It is 100%% certain. [content.size]\n", "verdict=reject"},
        {"observed", "mode = observe\n", CAUSE_CONTENT_SIZE, ACTION_REJECT, ALL, SMFIS_CONTINUE, "",
         "would=reject"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *asked, *log;
        sfsistat result;

        begin(cases[i].conf, cases[i].cause, cases[i].action, cases[i].actions);
        result = act_end(NULL, &session, &services);
        asked = fake_taken();
        log = log_taken(services.log);
        if (result != cases[i].result || strcmp(asked, cases[i].asked) != 0 ||
            strstr(log, cases[i].log) == NULL || strncmp(log, "4XkP: event=message ", 20) != 0)
            fail_msg("%s: %d\n%s%s", cases[i].name, result, asked, log);
        free(asked);
        free(log);
        end();
    }
}

/* Each finding that is warned about has its header, the same one only once. */
static void test_act_warns_once(void **state)
{
    char *asked;

    (void)state;
    begin("mode = enforce\n", CAUSE_CONFIG_HELO, ACTION_WARN, ALL);
    for (int i = 0; i < 2; i++) {
        struct finding *finding =
            findings_add(&session.message->findings, cause_get(CAUSE_CONFIG_HELO));

        finding->action_asked = ACTION_WARN;
        finding_sentence(finding, "Another one.");
    }
    verdict_set(session.conf, session.message);
    assert_int_equal(act_end(NULL, &session, &services), SMFIS_CONTINUE);
    asked = fake_taken();
    assert_string_equal(asked, "add X-Sluice-Warning: [config.helo] It is 100% certain.\n"
                               "add X-Sluice-Warning: [config.helo] Another one.\n");
    free(asked);
    free(log_taken(services.log));
    end();
}

static void test_act_without_leading_space(void **state)
{
    char *asked;

    (void)state;
    begin("mode = enforce\n", CAUSE_CONFIG_HELO, ACTION_WARN, ALL);
    session.protocol = 0;
    assert_int_equal(act_end(NULL, &session, &services), SMFIS_CONTINUE);
    asked = fake_taken();
    assert_string_equal(asked, "add X-Sluice-Warning:[config.helo] It is 100% certain.\n");
    free(asked);
    free(log_taken(services.log));
    end();
}

/* A message of ours for whose domain there is a key that cannot be read. */
static void check_sign_failure(const char *conf_text, sfsistat want, const char *log_part)
{
    char *asked, *log;
    sfsistat result;

    begin(conf_text, NONE, 0, ALL);
    message_set_user(session.message, "alice@example.test");
    message_add_header(session.message, "From", " alice@example.test");
    result = act_end(NULL, &session, &services);
    asked = fake_taken();
    log = log_taken(services.log);
    if (result != want || strstr(log, log_part) == NULL ||
        strstr(log, "dkim=none:key-unreadable") == NULL ||
        strstr(log, "cause=self.key-unreadable") == NULL)
        fail_msg("%d\n%s%s", result, asked, log);
    free(asked);
    free(log);
    end();
}

static void test_act_sign_failure(void **state)
{
#define SIGN "sign example.test { selector = s1  key = \"/nonexistent/key.pem\" }\n"
    (void)state;
    check_sign_failure("mode = enforce\nsign-failure = send\n" SIGN, SMFIS_CONTINUE,
                       "verdict=accept");
    check_sign_failure("mode = enforce\nsign-failure = defer\n" SIGN, SMFIS_TEMPFAIL,
                       "verdict=defer");
    check_sign_failure("mode = observe\nsign-failure = defer\n" SIGN, SMFIS_CONTINUE,
                       "would=defer");
}

/* The MTA is gone: nothing more is said, and the log still has its line. */
static void test_act_mta_gone(void **state)
{
    char *log;

    (void)state;
    fake_gone(1);
    begin("mode = enforce\n", CAUSE_CONFIG_HELO, ACTION_HOLD, ALL);
    assert_int_equal(act_end(NULL, &session, &services), SMFIS_TEMPFAIL);
    fake_gone(0);
    free(fake_taken());
    log = log_taken(services.log);
    assert_non_null(strstr(log, "event=message"));
    free(log);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_act_end),
        cmocka_unit_test(test_act_warns_once),
        cmocka_unit_test(test_act_without_leading_space),
        cmocka_unit_test(test_act_sign_failure),
        cmocka_unit_test(test_act_mta_gone),
    };

    return cmocka_run_group_tests_name("act", tests, set_up, tear_down);
}
