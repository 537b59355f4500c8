/* SPDX-License-Identifier: BSD-2-Clause */
/* Cutting lines, reading results, retry times and complaints: what sluice-feedback is made of. */
#include "feedback/arf.h"
#include "feedback/lines.h"
#include "feedback/place.h"
#include "feedback/result.h"

#include "lib/base/count.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD "Oct  1 10:00:00 mx postfix/"

/* --- lines ---------------------------------------------------------------------------------- */

static void feed(struct lines *lines, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t room;
        char *to = lines_room(lines, &room);
        size_t part = length < room ? length : room;

        assert_true(room > 0);
        memcpy(to, bytes, part);
        lines_added(lines, part);
        bytes += part;
        length -= part;
    }
}

/* Whatever the pieces, the lines are the same, and their octets add up. */
static void test_lines(void **state)
{
    static const char text[] = "one\ntwo\r\n\nfour";
    static const char *const want[] = {"one", "two", "", "four"};

    (void)state;
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct lines lines;
        struct span line;
        uint64_t octets, sum = 0;
        size_t count = 0;

        lines_init(&lines);
        for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
            size_t left = sizeof(text) - 1 - at;

            feed(&lines, text + at, left < piece ? left : piece);
            while (lines_next(&lines, &line, &octets)) {
                assert_true(span_equals(line, want[count++]));
                sum += octets;
            }
        }
        assert_true(lines_rest(&lines, &line, &octets));
        assert_true(span_equals(line, want[count++]));
        assert_int_equal(count, 4);
        assert_int_equal(sum + octets, sizeof(text) - 1);
        lines_free(&lines);
    }
}

static void test_long_line(void **state)
{
    const size_t length = 1000 * 1000;
    char *text = mem_new(length, 1);
    struct lines lines;
    struct span line;
    uint64_t octets;
    bool found = false;

    (void)state;
    memset(text, 'x', length);
    lines_init(&lines);
    for (size_t at = 0; at < length; at += 50000) {
        feed(&lines, text + at, 50000);
        assert_false(lines_next(&lines, &line, &octets));
    }
    feed(&lines, "\nnext\n", 6);
    found = lines_next(&lines, &line, &octets);
    assert_true(found);
    assert_int_equal(line.length, LINE_MAX_LENGTH);
    assert_int_equal(octets, length + 1);
    assert_true(lines_next(&lines, &line, &octets));
    assert_true(span_equals(line, "next"));
    lines_free(&lines);
    free(text);
}

/* --- places --------------------------------------------------------------------------------- */

/* A place that cannot be written for want of room is written when there is some. */
static void test_full_disk(void **state)
{
    char folder[] = "/tmp/sluice-place.XXXXXX";
    const struct mark mark = {.file = 5, .offset = 1234};
    const struct rlimit none = {0, RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
    struct marks read;
    struct place *place;
    char *problem = NULL, *path;

    (void)state;
    assert_non_null(mkdtemp(folder));
    place = place_open(folder, "/var/log/mail.log", NULL, &read, &problem);
    assert_non_null(place);
    assert_false(mark_is_set(&read.kept));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    place_set(place, &mark);
    assert_int_equal(place_problem(place), EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    place_sync(place);
    assert_int_equal(place_problem(place), 0);
    place_free(&place);
    place = place_open(folder, "/var/log/mail.log", NULL, &read, &problem);
    assert_int_equal(read.kept.file, 5);
    assert_int_equal(read.kept.offset, 1234);
    place_free(&place);
    path = mem_print("%s/sluice-feedback.%016llx.place", folder,
                     (unsigned long long)hash_stable("/var/log/mail.log", 17));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    free(path);
}

/* Only our own delivery lines say where we were; what a stranger's reply says does not count. */
static void test_told(void **state)
{
    static const struct {
        const char *line;
        bool want;
        uint64_t offset;
    } rows[] = {
        {"A1: event=delivery cause=destination.other pos=7:99:1:00000000000000ff text=no", true,
         99},
        {"A1: event=delivery cause=destination.other text=\"550 pos=7:99:1:ff no\"", false, 0},
        {"{\"event\":\"delivery\",\"queue_id\":\"A1\",\"pos\":\"7:98:1:ff\"}", true, 98},
        {"A1: event=delivery pos=0:97", true, 97},
        {"A1: event=delivery pos=7:99", false, 0},
        {"to=<x@b.example>, status=bounced ( pos=7:99 )", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct mark mark = {.file = 0};

        if (place_told(rows[i].line, strlen(rows[i].line), &mark) != rows[i].want ||
            mark.offset != rows[i].offset)
            fail_msg("%s: %llu", rows[i].line, (unsigned long long)mark.offset);
    }
}

/* --- retry times ---------------------------------------------------------------------------- */

static void test_retry_after(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {
        {"450 4.7.1 Greylisted, try again in 300 seconds", 300},
        {"451 4.7.1 Please try again in 5 minutes", 300},
        {"450 4.2.0 Greylisted, see http://x.example/?t=300", 0},
        {"451 Greylisting in action, please come back in 00:04:38", 278},
        {"450 try again later", 0},
        {"450 retry in 2 hours", 7200},
        {"421 4.7.0 192.0.2.1 is limited, wait 15m", 900},
        {"452 4.2.2 over quota: 300 seconds", 0},
        {"450 try again in 99999999999999 seconds", 0},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (result_retry_after(span_of(rows[i].text)) != rows[i].want)
            fail_msg("%s: %lld", rows[i].text,
                     (long long)result_retry_after(span_of(rows[i].text)));
}

/* --- results -------------------------------------------------------------------------------- */

struct reader {
    struct rules *rules;
    struct classify_scratch *scratch;
    struct mails *mails;
};

static int set_up(void **state)
{
    static const struct strings none = {.count = 0};
    struct reader *reader = mem_new(1, sizeof(*reader));
    char *problems = NULL;

    reader->rules = rules_load(&none, true, &problems);
    assert_non_null(reader->rules);
    reader->scratch = classify_scratch_new(reader->rules);
    reader->mails = mails_new();
    *state = reader;
    return 0;
}

static int tear_down(void **state)
{
    struct reader *reader = *state;

    classify_scratch_free(&reader->scratch);
    rules_free(&reader->rules);
    mails_free(&reader->mails);
    free(reader);
    return 0;
}

static size_t read_line(struct reader *reader, const char *text, struct result **results_r)
{
    struct line line;

    (void)line_parse(text, strlen(text), &line);
    mails_see(reader->mails, &line);
    return result_read(reader->rules, reader->scratch, reader->mails, &line,
                       INT64_C(1790848800000000), 1, results_r);
}

static struct result *one(struct reader *reader, const char *text)
{
    struct result *results[RESULTS_MAX];

    assert_int_equal(read_line(reader, text, results), 1);
    return results[0];
}

#define DEFERRED(TIME, IP)                                                                         \
    "Oct  1 10:" TIME " mx postfix/smtp[7]: A0B1C2D3E4: to=<r@b.example>, relay=mx.b.example[" IP  \
    "]:25, delay=1, delays=0/0/0/1, dsn=4.3.0, status=deferred (host mx.b.example[" IP             \
    "] said: 451 4.3.0 Not now (in reply to RCPT TO command))"
#define SENT(TIME, IP)                                                                             \
    "Oct  1 10:" TIME " mx postfix/smtp[7]: A0B1C2D3E4: to=<r@b.example>, relay=mx.b.example[" IP  \
    "]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"

/* A first 4xx that says nothing, and then success: greylisting, when it is the same server. */
static void test_greylisting(void **state)
{
    struct reader *reader = *state;
    struct result *results[RESULTS_MAX];
    struct result *result;

    assert_int_equal(read_line(reader,
                               HEAD "submission/smtpd[7]: A0B1C2D3E4: client=c[192.0.2.7], "
                                    "sasl_method=PLAIN, sasl_username=bob@a.example",
                               results),
                     0);
    result = one(reader, DEFERRED("00:00", "192.0.2.1"));
    assert_string_equal(result->user, "bob@a.example");
    assert_int_equal(result->cause, CAUSE_DESTINATION_UNREACHABLE);
    assert_int_equal(result->attempt, 1);
    result_free(&result);
    result = one(reader, SENT("05:00", "192.0.2.1"));
    assert_true(result->greylisted);
    assert_int_equal(result->greylisted_sec, 300);
    assert_int_equal(result->attempt, 2);
    result_free(&result);
    assert_int_equal(read_line(reader, HEAD "qmgr[7]: A0B1C2D3E4: removed", results), 0);

    result = one(reader, DEFERRED("00:00", "192.0.2.1"));
    assert_string_equal(result->user, "");
    result_free(&result);
    result = one(reader, SENT("05:00", "192.0.2.2"));
    assert_false(result->greylisted);
    result_free(&result);
}

/* Handed to a content filter: not delivered yet, and whose it is goes with it. */
static void test_content_filter(void **state)
{
    struct reader *reader = *state;
    struct result *results[RESULTS_MAX];
    struct result *result;

    (void)read_line(reader,
                    HEAD "submission/smtpd[7]: A0B1C2D3E4: client=c[192.0.2.7], "
                         "sasl_method=PLAIN, sasl_username=bob@a.example",
                    results);
    (void)read_line(reader, HEAD "cleanup[7]: B0B1C2D3E4: message-id=<1@a.example>", results);
    assert_int_equal(
        read_line(reader,
                  HEAD "smtp[7]: A0B1C2D3E4: to=<r@b.example>, relay=127.0.0.1[127.0.0.1]:10024, "
                       "delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from "
                       "MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as B0B1C2D3E4)",
                  results),
        0);
    result = one(reader, HEAD "smtp[7]: B0B1C2D3E4: to=<r@b.example>, "
                              "relay=mx.b.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, "
                              "dsn=5.1.1, status=bounced (host mx.b.example[192.0.2.1] said: 550 "
                              "5.1.1 User unknown (in reply to RCPT TO command))");
    assert_string_equal(result->user, "bob@a.example");
    assert_string_equal(result->text, "550 5.1.1 User unknown");
    assert_int_equal(result->failure, FAILURE_HARD);
    result_free(&result);
}

static void test_several_recipients(void **state)
{
    struct result *results[RESULTS_MAX];
    size_t count = read_line(*state,
                             "Oct  1 10:00:00 mx sendmail[7]: x91A00Fe000123: "
                             "to=<a@b.example>,<c@b.example>, delay=00:00:01, xdelay=00:00:00, "
                             "mailer=esmtp, pri=30000, relay=mx.b.example. [192.0.2.1], "
                             "dsn=5.1.1, stat=User unknown",
                             results);

    assert_int_equal(count, 2);
    assert_string_equal(results[0]->recipient, "a@b.example");
    assert_string_equal(results[1]->recipient, "c@b.example");
    assert_int_equal(results[1]->cause, CAUSE_RECIPIENT_UNKNOWN);
    assert_true(results[0]->fingerprint != results[1]->fingerprint);
    result_free(&results[0]);
    result_free(&results[1]);
}

static void test_expired(void **state)
{
    struct reader *reader = *state;
    struct result *result = one(reader, DEFERRED("00:00", "192.0.2.1"));

    result_free(&result);
    result = one(reader, HEAD "qmgr[7]: A0B1C2D3E4: from=<bob@a.example>, status=expired, returned "
                              "to sender");
    assert_int_equal(result->status, RESULT_EXPIRED);
    assert_string_equal(result->recipient, "r@b.example");
    assert_int_equal(result->failure, FAILURE_HARD);
    result_free(&result);
}

/* --- complaints ----------------------------------------------------------------------------- */

static void test_reports(void **state)
{
    static const char report[] =
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nhello\n"
        "--b\nContent-Type: message/feedback-report\n\n"
        "Feedback-Type: Abuse\nUser-Agent: Desk/1\nOriginal-Mail-From:\n <Bob@a.example>\n\n"
        "--b\nContent-Type: text/rfc822-headers\n\n"
        "From: Bob <bob@a.example>\nMessage-ID: <1@a.example>\n--b--\n";
    static const char other[] = "Subject: hello\n\nFeedback-Type: abuse\n";
    struct arf arf;

    (void)state;
    arf_init();
    assert_true(arf_read(report, sizeof(report) - 1, &arf));
    assert_true(arf_is_complaint(&arf));
    assert_string_equal(arf.type, "abuse");
    assert_string_equal(arf.sender, "bob@a.example");
    assert_string_equal(arf.user, "");
    assert_string_equal(arf.recipient, "");
    assert_string_equal(arf.message_id, "<1@a.example>");
    arf_clear(&arf);
    assert_false(arf_read(other, sizeof(other) - 1, &arf));
    for (size_t length = 0; length < sizeof(report); length += 7)
        if (arf_read(report, length, &arf))
            arf_clear(&arf);
}

#define REPORT_OF(feedback, original)                                                              \
    "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"                  \
    "--b\nContent-Type: text/plain\n\nhello\n"                                                     \
    "--b\nContent-Type: message/feedback-report\n\n" feedback "Version: 1\n\n" original "--b--\n"
#define WHOLE "--b\nContent-Type: message/rfc822\n\n"
#define HEADERS "--b\nContent-Type: text/rfc822-headers\n\n"
#define LOGGED_IN                                                                                  \
    "Received: from pc (pc [192.0.2.7])\n\t(Authenticated sender: Bob@A.example)\n\tby mx\n"

static const struct report_row {
    const char *name;
    const char *report;
    bool complaint;
    const char *type, *user, *sender, *recipient, *message_id;
} report_rows[] = {
    {"fraud",
     REPORT_OF("Feedback-Type: fraud\nOriginal-Rcpt-To: <C@d.example>\n",
               WHOLE LOGGED_IN "From: x@a.example\nMessage-ID: <1@a.example>\n\nhello\n"),
     true, "fraud", "bob@a.example", "x@a.example", "c@d.example", "<1@a.example>"},
    {"other", REPORT_OF("Feedback-Type: other\r\n", HEADERS "From: Bob <bob@a.example>\r\n"), true,
     "other", "", "bob@a.example", "", ""},
    {"virus", REPORT_OF("feedback-type: Virus\n", ""), true, "virus", "", "", "", ""},
    {"not spam", REPORT_OF("Feedback-Type: not-spam\n", HEADERS "From: bob@a.example\n"), false,
     "not-spam", "", "bob@a.example", "", ""},
    {"authentication", REPORT_OF("Feedback-Type: auth-failure\n", HEADERS "From: bob@a.example\n"),
     false, "auth-failure", "", "bob@a.example", "", ""},
    {"several recipients",
     REPORT_OF("Feedback-Type: abuse\nOriginal-Rcpt-To: <c@d.example>\n"
               "Original-Rcpt-To: <e@d.example>\nOriginal-Mail-From: <bob@a.example>\n",
               HEADERS LOGGED_IN "Message-ID: <1@a.example>\n"),
     true, "abuse", "bob@a.example", "bob@a.example", "c@d.example", "<1@a.example>"},
    {"redacted",
     REPORT_OF("Feedback-Type: abuse\n", HEADERS LOGGED_IN "From: <[redacted]>\nTo: undisclosed\n"),
     true, "abuse", "bob@a.example", "[redacted]", "", ""},
    {"a bounce's sender",
     REPORT_OF("Feedback-Type: abuse\nOriginal-Mail-From: <>\n", HEADERS "From: bob@a.example\n"),
     true, "abuse", "", "bob@a.example", "", ""},
    {"without the last boundary",
     "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\n"
     "Feedback-Type: abuse\nOriginal-Mail-From: <bob@a.example>",
     true, "abuse", "", "bob@a.example", "", ""},
    {"in base64",
     "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n"
     "Content-Transfer-Encoding: base64\n\nRmVlZGJhY2stVHlwZTogYWJ1c2UK\n--b--\n",
     true, "abuse", "", "", "", ""},
};

static void expect_word(const char *name, const char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        fail_msg("%s: \"%s\" in place of \"%s\"", name, got, want);
}

static void test_kinds_of_report(void **state)
{
    (void)state;
    arf_init();
    for (size_t i = 0; i < COUNT_OF(report_rows); i++) {
        const struct report_row *row = &report_rows[i];
        struct arf arf;

        if (!arf_read(row->report, strlen(row->report), &arf))
            fail_msg("%s: it is no report", row->name);
        if (arf_is_complaint(&arf) != row->complaint)
            fail_msg("%s: a complaint, or none", row->name);
        expect_word(row->name, arf.type, row->type);
        expect_word(row->name, arf.user, row->user);
        expect_word(row->name, arf.sender, row->sender);
        expect_word(row->name, arf.recipient, row->recipient);
        expect_word(row->name, arf.message_id, row->message_id);
        if (arf.whole != (strstr(row->report, "\n--b--") != NULL))
            fail_msg("%s: whole, or not", row->name);
        arf_clear(&arf);
    }
}

/* A field as large as the largest report is cut to what a log line and a key can hold. */
static void test_huge_report(void **state)
{
    static const char start[] = REPORT_OF("Feedback-Type: abuse\n", HEADERS "From: <");
    char *report = malloc(ARF_MAX);
    struct arf arf;

    (void)state;
    assert_non_null(report);
    memset(report, 'x', ARF_MAX);
    memcpy(report, start, sizeof(start) - 1 - strlen("--b--\n"));
    arf_init();
    assert_true(arf_read(report, ARF_MAX, &arf));
    assert_string_equal(arf.type, "abuse");
    assert_in_range(strlen(arf.sender), 1, 320);
    arf_clear(&arf);
    free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test_setup_teardown(test_greylisting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_content_filter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_recipients, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_expired, set_up, tear_down),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_kinds_of_report),
        cmocka_unit_test(test_huge_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
