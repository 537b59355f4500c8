/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/report.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/decide/limits.h"
#include "lib/decide/verdict.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t fixed_time(void *context)
{
    (void)context;
    return 1003100;
}

static const struct clock fixed_clock = {.now_us = fixed_time};

static struct message *alice(void)
{
    struct message *message = message_new(PROGRAM_MILTER, "mx.example.test");

    message->stage = STAGE_END_OF_MESSAGE;
    message->direction = DIRECTION_OUT;
    message->started_us = 1000000;
    message->size = 48211;
    message_set_user(message, "alice@example.test");
    message_set_sender(message, "alice@example.test");
    message_set(&message->queue_id, "4XkP2q1Zz");
    ip_parse("203.0.113.7", &message->client);
    message_add_recipient(message, "bob@one.test");
    return message;
}

/* The lines that report_message() writes, with the trace, which is a hash, made plain. */
static char *lines_of(const struct conf *conf, struct message *message)
{
    struct services services = {.log = log_open_memory(LOG_FORMAT_TEXT), .steady = &fixed_clock};
    char trace[17], *lines, *at;

    verdict_set(conf, message);
    report_message(&services, conf, message);
    lines = log_taken(services.log);
    message_trace(message, trace);
    while ((at = strstr(lines, trace)) != NULL)
        memset(at, 'x', 16);
    log_close(&services.log);
    return lines;
}

static void test_accepted(void **state)
{
    struct conf *conf = conf_of(
        "mode = enforce\nlimit daily { subject = user count = messages max = 2000 per = 24h }\n"
        "limit burst { subject = user count = messages max = 10 per = 1m }");
    struct message *message = alice();
    const struct store_limit_answer answers[] = {{.used = 1611}, {.used = 2}};
    const struct store_answer answer = {
        .outcome = STORE_OUTCOME_DONE, .limits = answers, .nlimits = 2};
    char *lines;

    (void)state;
    limits_plan(conf, message);
    limits_answered(message, &answer);
    message->facts.dkim = mem_copy("signed:s1/example.test");
    message->facts.spf = mem_copy("fail");
    message->facts.dmarc = mem_copy("fail(none)");
    lines = lines_of(conf, message);
    assert_string_equal(
        lines, "4XkP2q1Zz: event=message dir=out user=alice@example.test from=alice@example.test "
               "nrcpt=1 size=48211 client=203.0.113.7 verdict=accept dkim=signed:s1/example.test "
               "spf=fail dmarc=fail(none) used=1611/2000 ms=3.1 trace=xxxxxxxxxxxxxxxx "
               "stage=end-of-message rcpts=bob@one.test\n");
    free(lines);
    message_free(&message);
    conf_release(&conf);
}

static void test_observed_refusal(void **state)
{
    struct conf *conf = conf_of("mode = observe");
    struct message *message = alice();
    struct finding *finding =
        findings_add(&message->findings, cause_get(CAUSE_DNS_RECIPIENT_DOMAIN));
    char *lines;

    (void)state;
    finding_field(finding, "rcpt", "%s", "x@no.test");
    finding_hint(finding, "correct \"%s\"", "no.test");
    message->stage = STAGE_RCPT;
    lines = lines_of(conf, message);
    assert_string_equal(
        lines,
        "4XkP2q1Zz: event=message dir=out user=alice@example.test from=alice@example.test nrcpt=1 "
        "size=48211 "
        "client=203.0.113.7 verdict=accept causes=dns.recipient-domain ms=3.1 "
        "trace=xxxxxxxxxxxxxxxx "
        "would=reject stage=rcpt rcpt=bob@one.test rcpts=bob@one.test\n"
        "4XkP2q1Zz: event=cause cause=dns.recipient-domain severity=error action=log would=reject "
        "rcpt=x@no.test reply=\"550 5.1.2\" hint=\"correct \\\"no.test\\\"\" "
        "trace=xxxxxxxxxxxxxxxx\n");
    free(lines);
    message_free(&message);
    conf_release(&conf);
}

static void test_numbers_are_numbers_in_json(void **state)
{
    struct conf *conf = conf_of("mode = enforce");
    struct message *message = alice();
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_LIMIT_NEAR));
    struct services services = {.log = log_open_memory(LOG_FORMAT_JSON), .steady = &fixed_clock};
    char *lines;

    (void)state;
    finding_field(finding, "limit", "7");
    finding_field(finding, "used", "1611");
    finding_field(finding, "window", "message");
    verdict_set(conf, message);
    report_message(&services, conf, message);
    lines = log_taken(services.log);
    assert_non_null(strstr(lines, "\"limit\":\"7\""));
    assert_non_null(strstr(lines, "\"used\":1611"));
    assert_non_null(strstr(lines, "\"window\":\"message\""));
    free(lines);
    log_close(&services.log);
    message_free(&message);
    conf_release(&conf);
}

static void test_ignored_causes_are_not_there(void **state)
{
    struct conf *conf = conf_of("mode = enforce\ncause dns.failure { action = ignore }");
    struct message *message = alice();
    char *lines;

    (void)state;
    findings_add(&message->findings, cause_get(CAUSE_DNS_FAILURE));
    lines = lines_of(conf, message);
    assert_null(strstr(lines, "dns.failure"));
    assert_non_null(strstr(lines, "verdict=accept ms="));
    free(lines);
    message_free(&message);
    conf_release(&conf);
}

static void test_a_cause_is_named_once(void **state)
{
    struct conf *conf = conf_of("mode = enforce");
    struct message *message = alice();
    char *lines;

    (void)state;
    findings_add(&message->findings, cause_get(CAUSE_DNS_FAILURE));
    findings_add(&message->findings, cause_get(CAUSE_LIMIT_NEAR));
    findings_add(&message->findings, cause_get(CAUSE_DNS_FAILURE));
    lines = lines_of(conf, message);
    assert_non_null(strstr(lines, " causes=dns.failure,limit.near "));
    free(lines);
    message_free(&message);
    conf_release(&conf);
}

static void test_values_from_outside_forge_nothing(void **state)
{
    struct conf *conf = conf_of("mode = enforce");
    struct message *message = alice();
    char *lines;

    (void)state;
    message_set_user(message, "x verdict=reject\nNOQUEUE: event=message");
    message_set(&message->queue_id, "");
    lines = lines_of(conf, message);
    assert_ptr_equal(strchr(lines, '\n'), lines + strlen(lines) - 1);
    assert_int_equal(
        strncmp(lines, "NOQUEUE: event=message dir=out user=\"x verdict=reject\\nnoqueue:", 60), 0);
    free(lines);
    message_free(&message);
    conf_release(&conf);
}

static void test_cause_without_a_message(void **state)
{
    struct log *log = log_open_memory(LOG_FORMAT_TEXT);
    char *lines;

    (void)state;
    report_cause(log, NULL, "self.store-down", "start Redis", "state", "down", NULL);
    report_cause(log, NULL, "self.no-such-cause", "x", NULL);
    lines = log_taken(log);
    assert_string_equal(lines, "NOQUEUE: event=cause cause=self.store-down severity=error "
                               "action=log state=down hint=\"start Redis\"\n");
    free(lines);
    log_close(&log);
}

/* The recipients where they fit, else their domains, as many as fit. */
static void test_whom_a_line_names(void **state)
{
    static const struct {
        const char *name, *helo, *first, *then; /* then: a format with a number */
        unsigned count;
        const char *want;
    } cases[] = {
        {"few", "pc.test", "a@x.test", "n%u@y.test", 1, " helo=pc.test rcpts=a@x.test,n0@y.test\n"},
        {"a comma", "", "\"a,b\"@x.test", "n%u@y.test", 1, " rcpt-domains=x.test:1,y.test:1\n"},
        {"many", "", "a@x.test", "number-%u@y.test", 40, " rcpt-domains=x.test:1,y.test:40\n"},
        {"many domains", "", "a@x.test", "n@y%u.test", 90,
         " rcpt-domains=x.test:1,y0.test:1,y1.test:1,y2.test:1,y3.test:1,y4.test:1,y5.test:1,"
         "y6.test:1,y7.test:1,y8.test:1,y9.test:1,y10.test:1,y11.test:1,y12.test:1,y13.test:1,"
         "y14.test:1,y15.test:1\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct conf *conf = conf_of("limit l { count = messages max = 1 per = 1h }");
        struct message *message = alice();
        char *lines;

        message_drop_recipient(message);
        message_set(&message->helo, cases[i].helo);
        message_add_recipient(message, cases[i].first);
        for (unsigned n = 0; n < cases[i].count; n++) {
            struct text address = TEXT_EMPTY;
            const char *hole = strchr(cases[i].then, '%');

            text_print(&address, "%.*s%u%s", (int)(hole - cases[i].then), cases[i].then, n,
                       hole + 2);
            message_add_recipient(message, text_string(&address));
            text_free(&address);
        }
        lines = lines_of(conf, message);
        if (strstr(lines, cases[i].want) == NULL)
            fail_msg("%s: %s", cases[i].name, lines);
        free(lines);
        message_free(&message);
        conf_release(&conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_observed_refusal),
        cmocka_unit_test(test_numbers_are_numbers_in_json),
        cmocka_unit_test(test_ignored_causes_are_not_there),
        cmocka_unit_test(test_a_cause_is_named_once),
        cmocka_unit_test(test_values_from_outside_forge_nothing),
        cmocka_unit_test(test_cause_without_a_message),
        cmocka_unit_test(test_whom_a_line_names),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
