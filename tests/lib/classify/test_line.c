/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines of Postfix and Sendmail, headers of all kinds, and lines that are neither. */
#include "lib/base/count.h"
#include "lib/classify/line.h"
#include "lib/classify/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define FIELDS 5
#define HEAD "Oct  1 10:00:00 mx postfix"
#define MAIL "Oct  1 10:00:00 mx sendmail[7]: x91A00Fe000123: "

static unsigned complaints;

static const struct {
    enum line_kind kind;
    const char *line;
    struct {
        enum line_field field;
        const char *value;
    } fields[FIELDS];
} rows[] = {
    /* Headers */
    {LINE_REMOVED,
     "<22>Oct  1 10:00:00 mx postfix/qmgr[12]: 4XkP2q1ZzzzB: removed",
     {{FIELD_TIME, "Oct  1 10:00:00"}, {FIELD_HOST, "mx"}, {FIELD_SERVICE, "qmgr"}}},
    {LINE_REMOVED,
     "<22>1 2026-10-01T10:00:00.123456Z mx postfix/qmgr 12 - - 4XkP2q1ZzzzB: removed",
     {{FIELD_TIME, "2026-10-01T10:00:00.123456Z"}, {FIELD_QUEUE_ID, "4XkP2q1ZzzzB"}}},
    {LINE_REMOVED,
     "2026-10-01T10:00:00.123456+02:00 mx postfix/qmgr[12]: A0B1C2D3E4: removed",
     {{FIELD_HOST, "mx"}, {FIELD_QUEUE_ID, "A0B1C2D3E4"}}},
    {LINE_REMOVED,
     "Oct 11 10:00:00 mx postfix-out/qmgr[12]: 4XkP2q1ZzzzB: removed",
     {{FIELD_INSTANCE, "postfix-out"}, {FIELD_PROGRAM, "postfix-out/qmgr"}}},
    {LINE_REMOVED,
     "Oct  1 10:00:00 postfix/qmgr[12]: 4XkP2q1ZzzzB: removed",
     {{FIELD_HOST, NULL}, {FIELD_SERVICE, "qmgr"}, {FIELD_QUEUE_ID, "4XkP2q1ZzzzB"}}},
    {LINE_REMOVED,
     "Oct  1 10:00:00 2001:db8:: postfix/qmgr[12]: 4XkP2q1ZzzzB: removed",
     {{FIELD_HOST, "2001:db8::"}, {FIELD_SERVICE, "qmgr"}, {FIELD_QUEUE_ID, "4XkP2q1ZzzzB"}}},
    {LINE_CLIENT,
     HEAD "/submission/smtpd[7]: connect from a.example[192.0.2.1]",
     {{FIELD_SERVICE, "smtpd"}, {FIELD_CLIENT_IP, "192.0.2.1"}}},
    {LINE_FOREIGN, "Oct  1 10:00:00 mx sshd[7]: Accepted publickey", {{FIELD_SERVICE, NULL}}},
    {LINE_FOREIGN, "", {{FIELD_BODY, NULL}}},
    /* Deliveries */
    {LINE_DELIVERY,
     HEAD "/smtp[7]: 4XkP2q1ZzzzB: to=<a@b.example>, orig_to=<c>, "
          "relay=mx.b.example[192.0.2.1]:25, delay=0.3, delays=0.1/0/0.1/0.1, dsn=5.1.1, "
          "status=bounced (host mx.b.example[192.0.2.1] said: 550 5.1.1 No such user (in reply to "
          "RCPT TO command))",
     {{FIELD_RECIPIENT, "a@b.example"},
      {FIELD_RELAY_IP, "192.0.2.1"},
      {FIELD_DSN, "5.1.1"},
      {FIELD_STATUS, "bounced"},
      {FIELD_STAGE, "RCPT TO"}}},
    {LINE_DELIVERY,
     HEAD "/lmtp[7]: A0B1C2D3E4: to=<a@b.example>, relay=mx[private/dovecot-lmtp], delay=0.3, "
          "delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 <a@b.example> Saved)",
     {{FIELD_RELAY_IP, "private/dovecot-lmtp"}, {FIELD_STATUS, "sent"}}},
    {LINE_DELIVERY,
     HEAD "/local[7]: A0B1C2D3E4: to=<a@b.example>, relay=local, delay=0, delays=0/0/0/0, "
          "dsn=5.1.1, status=bounced (unknown user: \"a\")",
     {{FIELD_RELAY, "local"}, {FIELD_TEXT, "unknown user: \"a\""}}},
    {LINE_DELIVERY,
     HEAD "/virtual[7]: A0B1C2D3E4: to=<a@b.example>, relay=virtual, delay=0, delays=0/0/0/0, "
          "dsn=5.1.1, status=bounced (unknown user: \"a@b.example\")",
     {{FIELD_SERVICE, "virtual"}}},
    {LINE_DELIVERY,
     HEAD "/pipe[7]: A0B1C2D3E4: to=<a@b.example>, relay=procmail, delay=0, delays=0/0/0/0, "
          "dsn=4.3.0, status=deferred (temporary failure. Command output: x)",
     {{FIELD_RELAY, "procmail"}, {FIELD_STATUS, "deferred"}}},
    {LINE_DELIVERY,
     HEAD "/error[7]: A0B1C2D3E4: to=<a@b.example>, relay=none, delay=9, delays=9/0/0/0, "
          "dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to "
          "mx.b.example[192.0.2.1]:25: Connection refused)",
     {{FIELD_RELAY, "none"}, {FIELD_DELAY, "9"}}},
    {LINE_DELIVERY,
     HEAD "/discard[7]: A0B1C2D3E4: to=<a@b.example>, relay=none, delay=0, delays=0/0/0/0, "
          "dsn=2.0.0, status=sent (x)",
     {{FIELD_STATUS, "sent"}}},
    {LINE_ATTEMPT,
     HEAD "/smtp[7]: 4XkP2q1ZzzzB: host mx.b.example[192.0.2.1] said: 450 4.2.0 Greylisted (in "
          "reply to RCPT TO command)",
     {{FIELD_RELAY_HOST, "mx.b.example"}, {FIELD_STAGE, "RCPT TO"}}},
    {LINE_ATTEMPT,
     HEAD "/smtp[7]: 4XkP2q1ZzzzB: lost connection with mx.b.example[192.0.2.1] while receiving "
          "the initial server greeting",
     {{FIELD_RELAY_IP, "192.0.2.1"}}},
    {LINE_ATTEMPT,
     HEAD "/smtp[7]: 4XkP2q1ZzzzB: conversation with mx.b.example[192.0.2.1] timed out while "
          "sending message body",
     {{FIELD_RELAY_HOST, "mx.b.example"}}},
    {LINE_CONNECT,
     HEAD "/smtp[7]: connect to mx.b.example[2001:db8::1]:25: Network is unreachable",
     {{FIELD_RELAY_IP, "2001:db8::1"}, {FIELD_RELAY_PORT, "25"}}},
    {LINE_EXPIRED,
     HEAD "/qmgr[7]: A0B1C2D3E4: from=<a@b.example>, status=expired, returned to sender",
     {{FIELD_SENDER, "a@b.example"}}},
    {LINE_RELAY_LOGIN,
     HEAD "/smtp[7]: A0B1C2D3E4: SASL authentication failed; server r.example[192.0.2.1] said: "
          "535 5.7.8 Error",
     {{FIELD_RELAY_HOST, "r.example"}}},
    {LINE_TLS_OUT,
     HEAD "/smtp[7]: SSL_connect error to mx.b.example[192.0.2.1]:25: lost connection",
     {{FIELD_RELAY_HOST, "mx.b.example"}}},
    {LINE_TLS,
     HEAD "/smtp[7]: Trusted TLS connection established to mx.b.example[192.0.2.1]:25: TLSv1.3 "
          "with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
     {{FIELD_TLS_TRUST, "Trusted"}, {FIELD_TLS_VERSION, "TLSv1.3"}}},
    /* Our own server */
    {LINE_REJECT,
     HEAD "/smtpd[7]: NOQUEUE: reject: RCPT from a.example[192.0.2.1]: 554 5.7.1 <c@d.example>: "
          "Relay access denied; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<h>",
     {{FIELD_ACTION, "reject"},
      {FIELD_STAGE, "RCPT"},
      {FIELD_RECIPIENT, "c@d.example"},
      {FIELD_SENDER, "a@b.example"},
      {FIELD_HELO, "h"}}},
    {LINE_REJECT,
     HEAD "/cleanup[7]: A0B1C2D3E4: milter-reject: END-OF-MESSAGE from a.example[192.0.2.1]: 5.7.1 "
          "no; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<h>",
     {{FIELD_ACTION, "milter-reject"}, {FIELD_STAGE, "END-OF-MESSAGE"}}},
    {LINE_LOGIN,
     HEAD "/smtpd[7]: warning: a.example[192.0.2.1]: SASL LOGIN authentication failed: "
          "UGFzc3dvcmQ6, sasl_username=bob@b.example",
     {{FIELD_MECHANISM, "LOGIN"}, {FIELD_CLIENT_IP, "192.0.2.1"}, {FIELD_USER, "bob@b.example"}}},
    {LINE_QUEUED,
     HEAD "/smtpd[7]: A0B1C2D3E4: client=a.example[192.0.2.1], sasl_method=PLAIN, "
          "sasl_username=bob@b.example",
     {{FIELD_USER, "bob@b.example"}, {FIELD_QUEUE_ID, "A0B1C2D3E4"}}},
    {LINE_QUEUED,
     HEAD "/cleanup[7]: A0B1C2D3E4: message-id=<1@b.example>",
     {{FIELD_MESSAGE_ID, "1@b.example"}}},
    {LINE_QUEUED,
     HEAD "/qmgr[7]: A0B1C2D3E4: from=<a@b.example>, size=500, nrcpt=2 (queue active)",
     {{FIELD_SENDER, "a@b.example"}, {FIELD_SIZE, "500"}, {FIELD_NRCPT, "2"}}},
    {LINE_QUEUED, HEAD "/pickup[7]: A0B1C2D3E4: uid=0 from=<root>", {{FIELD_SENDER, "root"}}},
    {LINE_NOTICE,
     HEAD "/bounce[7]: A0B1C2D3E4: sender non-delivery notification: B0B1C2D3E4",
     {{FIELD_NOTICE_ID, "B0B1C2D3E4"}}},
    {LINE_SCREEN,
     HEAD "/postscreen[7]: NOQUEUE: reject: RCPT from [192.0.2.1]:4711: 550 5.7.1 Service "
          "unavailable; client [192.0.2.1] blocked using bl.example; from=<a@b.example>, "
          "to=<c@d.example>, proto=ESMTP, helo=<h>",
     {{FIELD_CLIENT_IP, "192.0.2.1"}, {FIELD_RECIPIENT, "c@d.example"}}},
    {LINE_STATISTICS,
     HEAD
     "/anvil[7]: statistics: max connection rate 1/60s for (smtp:192.0.2.1) at Oct  1 10:00:00",
     {{FIELD_NUMBER, "1/60s"}, {FIELD_COUNTED_SERVICE, "smtp"}, {FIELD_CLIENT_IP, "192.0.2.1"}}},
    {LINE_RATE,
     HEAD "/smtpd[7]: warning: Connection rate limit exceeded: 22 from a.example[192.0.2.1] for "
          "service smtp",
     {{FIELD_CLIENT_IP, "192.0.2.1"}}},
    {LINE_TLS_IN,
     HEAD "/smtpd[7]: SSL_accept error from a.example[192.0.2.1]: -1",
     {{FIELD_CLIENT_NAME, "a.example"}}},
    /* Sendmail */
    {LINE_DELIVERY,
     MAIL "to=<a@b.example>, ctladdr=<c@d.example> (0/0), delay=00:00:01, xdelay=00:00:00, "
          "mailer=esmtp, pri=30000, relay=mx.b.example. [192.0.2.1], dsn=5.1.1, stat=User unknown",
     {{FIELD_RECIPIENT, "a@b.example"},
      {FIELD_DSN, "5.1.1"},
      {FIELD_RELAY_IP, "192.0.2.1"},
      {FIELD_MAILER, "esmtp"}}},
    {LINE_DELIVERY,
     MAIL "to=a@b.example, delay=00:00:01, mailer=esmtp, pri=30000, relay=mx.b.example. "
          "[192.0.2.1], dsn=2.0.0, stat=Sent (ok, queued as 1)",
     {{FIELD_RECIPIENT, "a@b.example"}, {FIELD_DSN, "2.0.0"}}},
    {LINE_REJECT,
     MAIL "ruleset=check_rcpt, arg1=<c@d.example>, relay=a.example [192.0.2.1], reject=550 5.7.1 "
          "<c@d.example>... Relaying denied",
     {{FIELD_RULESET, "check_rcpt"}, {FIELD_CLIENT_IP, "192.0.2.1"}}},
    {LINE_LOGIN,
     MAIL "AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: "
          "checkpass failed, relay=a.example [192.0.2.1]",
     {{FIELD_MECHANISM, "LOGIN"}, {FIELD_CLIENT_IP, "192.0.2.1"}}},
    {LINE_QUEUED,
     MAIL "from=<a@b.example>, size=500, class=0, nrcpts=1, msgid=<1@b.example>, proto=ESMTP, "
          "daemon=MTA, relay=a.example [192.0.2.1]",
     {{FIELD_SENDER, "a@b.example"}, {FIELD_MESSAGE_ID, "1@b.example"}}},
    {LINE_TLS,
     "Oct  1 10:00:00 mx sendmail[7]: STARTTLS=client, relay=mx.b.example., version=TLSv1.3, "
     "verify=FAIL, cipher=TLS_AES_256_GCM_SHA384, bits=256/256",
     {{FIELD_TLS_VERSION, "TLSv1.3"}}},
};

static void check_field(const char *name, const struct line *line, enum line_field field,
                        const char *want)
{
    const struct span got = line->fields[field];

    if (want == NULL ? got.start == NULL : got.start != NULL && span_equals(got, want))
        return;
    print_message("%s: field %d is \"%.*s\" in place of \"%s\"\n", name, (int)field,
                  (int)got.length, got.start != NULL ? got.start : "", want != NULL ? want : "");
    complaints++;
}

static void test_rows(void **state)
{
    (void)state;
    complaints = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct line line;

        (void)line_parse(rows[i].line, strlen(rows[i].line), &line);
        if (line.kind != rows[i].kind) {
            print_message("%s: %s in place of %s\n", rows[i].line, line_kind_name(line.kind),
                          line_kind_name(rows[i].kind));
            complaints++;
        }
        for (size_t f = 0; f < FIELDS && rows[i].fields[f].value != NULL; f++)
            check_field(rows[i].line, &line, rows[i].fields[f].field, rows[i].fields[f].value);
    }
    assert_int_equal(complaints, 0);
}

static int64_t seconds(int year, int month, int day, int hour)
{
    struct tm when = {.tm_year = year - 1900,
                      .tm_mon = month - 1,
                      .tm_mday = day,
                      .tm_hour = hour,
                      .tm_isdst = -1};

    return (int64_t)mktime(&when) * 1000000;
}

static void test_time(void **state)
{
    static const struct {
        const char *time;
        int now[4]; /* local */
        int want[4];
    } times[] = {
        {"Oct  1 10:00:00", {2026, 10, 1, 11}, {2026, 10, 1, 10}},
        {"Dec 31 23:00:00", {2027, 1, 1, 0}, {2026, 12, 31, 23}},
        {"Jan  1 00:00:00", {2026, 12, 31, 23}, {2027, 1, 1, 0}},
        {"Feb 29 10:00:00", {2028, 3, 1, 0}, {2028, 2, 29, 10}},
    };

    (void)state;
    complaints = 0;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        char text[128];
        struct line line;
        int64_t got = 0;

        snprintf(text, sizeof(text), "%s mx postfix/qmgr[1]: A0B1C2D3E4: removed", times[i].time);
        (void)line_parse(text, strlen(text), &line);
        if (!line_time(&line,
                       seconds(times[i].now[0], times[i].now[1], times[i].now[2], times[i].now[3]),
                       &got) ||
            got !=
                seconds(times[i].want[0], times[i].want[1], times[i].want[2], times[i].want[3])) {
            print_message("%s: %lld\n", times[i].time, (long long)got);
            complaints++;
        }
    }
    assert_int_equal(complaints, 0);
}

/* What stands behind the cap is not looked at, and nothing is lost before it. */
static void test_long(void **state)
{
    const size_t length = LINE_MAX_LENGTH * 4;
    char *text = malloc(length);
    static const char start[] = HEAD "/smtp[7]: 4XkP2q1ZzzzB: to=<a@b.example>, relay=none, "
                                     "delay=1, dsn=4.4.1, status=deferred (";
    struct line line;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', length);
    memcpy(text, start, sizeof(start) - 1);
    assert_true(line_parse(text, length, &line));
    assert_true(span_equals(line.fields[FIELD_RECIPIENT], "a@b.example"));
    for (size_t i = 0; i < FIELD_COUNT; i++)
        assert_true(line.fields[i].start == NULL ||
                    line.fields[i].start + line.fields[i].length <= text + LINE_MAX_LENGTH);
    free(text);
}

/* ISO times say their zone; what is no time is told. */
static void test_zoned_time(void **state)
{
    static const struct {
        const char *time;
        int64_t want; /* microseconds; 0: none */
    } times[] = {
        {"2026-10-01T10:00:00Z", INT64_C(1790848800000000)},
        {"2026-10-01T10:00:00.25Z", INT64_C(1790848800250000)},
        {"2026-10-01T10:00:00.123456789Z", INT64_C(1790848800123456)},
        {"2026-10-01T12:00:00+02:00", INT64_C(1790848800000000)},
        {"2026-10-01T04:30:00-0530", INT64_C(1790848800000000)},
        {"2026-10-01T10:00:00+2", 0},
        {"2026-10-01T25:00:00Z", 0},
        {"2026-13-01T10:00:00Z", 0},
        {"2026-10-32T10:00:00Z", 0},
    };

    (void)state;
    complaints = 0;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        char text[128];
        struct line line;
        int64_t got = 0;

        snprintf(text, sizeof(text), "%s mx postfix/qmgr[1]: A0B1C2D3E4: removed", times[i].time);
        (void)line_parse(text, strlen(text), &line);
        if (!line_time(&line, 0, &got))
            got = 0;
        if (got != times[i].want) {
            print_message("%s: %lld\n", times[i].time, (long long)got);
            complaints++;
        }
    }
    assert_int_equal(complaints, 0);
}

/* A letter without a meaning would have its shape match nothing, without a word. */
static void test_forms(void **state)
{
    (void)state;
    assert_true(line_shape_count > 100);
    for (size_t i = 0; i < line_shape_count; i++)
        if (!match_knows_form(line_shapes[i].form))
            fail_msg("%s", line_shapes[i].form);
    assert_false(match_knows_form("%t, %B"));
    assert_false(match_knows_form("%"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_time),
        cmocka_unit_test(test_zoned_time), cmocka_unit_test(test_long),
        cmocka_unit_test(test_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
