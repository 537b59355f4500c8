/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/log/log.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <cmocka.h>

static void assert_formats(const char *name, struct log_event *event, const char *text,
                           const char *json)
{
    char *got_text = log_format(event, LOG_FORMAT_TEXT);
    char *got_json = log_format(event, LOG_FORMAT_JSON);

    if (strcmp(got_text, text) != 0)
        fail_msg("%s: got\n%s\nwant\n%s", name, got_text, text);
    if (strcmp(got_json, json) != 0)
        fail_msg("%s: got\n%s\nwant\n%s", name, got_json, json);
    free(got_text);
    free(got_json);
}

static void test_values(void **state)
{
    static const struct {
        const char *name, *value, *text, *json;
    } cases[] = {
        {"plain", "alice@example.com", "alice@example.com", "alice@example.com"},
        {"punctuation", "<a+b@[192.0.2.1]>,'x';:!?*/", "<a+b@[192.0.2.1]>,'x';:!?*/",
         "<a+b@[192.0.2.1]>,'x';:!?*/"},
        {"empty", "", "\"\"", ""},
        {"space", "v=spf1 mx -all", "\"v=spf1 mx -all\"", "v=spf1 mx -all"},
        {"only a space", " ", "\" \"", " "},
        {"equals sign", "a=b", "\"a=b\"", "a=b"},
        {"quote", "say \"hi\"", "\"say \\\"hi\\\"\"", "say \\\"hi\\\""},
        {"backslash", "a\\b", "\"a\\\\b\"", "a\\\\b"},
        {"forged line", "x\n4XkP2q1Zz: event=message", "\"x\\n4XkP2q1Zz: event=message\"",
         "x\\n4XkP2q1Zz: event=message"},
        {"forged field", "x verdict=accept", "\"x verdict=accept\"", "x verdict=accept"},
        {"forged end of quotes", "x\" verdict=accept \"", "\"x\\\" verdict=accept \\\"\"",
         "x\\\" verdict=accept \\\""},
        {"controls", "\a\b\t\n\v\f\r", "\"\\a\\b\\t\\n\\v\\f\\r\"",
         "\\u0007\\b\\t\\n\\u000B\\f\\r"},
        {"escape sequence", "\033[2J", "\"\\033[2J\"", "\\u001B[2J"},
        {"a digit after an octal escape", "\0011", "\"\\0011\"", "\\u00011"},
        {"delete", "a\x7f", "\"a\\177\"", "a\\u007F"},
        {"UTF-8",
         "j\xc3\xbcrg@b\xc3\xbc"
         "cher.example",
         "j\xc3\xbcrg@b\xc3\xbc"
         "cher.example",
         "j\\u00FCrg@b\\u00FCcher.example"},
        {"UTF-8 in quotes", "\xe2\x82\xac 5", "\"\xe2\x82\xac 5\"", "\\u20AC 5"},
        {"beyond the first plane", "\xf0\x9f\x93\xa7", "\xf0\x9f\x93\xa7", "\\uD83D\\uDCE7"},
        {"Latin-1", "j\xfcrg", "\"j\\374rg\"", "j\\uFFFDrg"},
        {"cut UTF-8", "\xe2\x82", "\"\\342\\202\"", "\\uFFFD\\uFFFD"},
        {"next line (C1)",
         "a\xc2\x85"
         "b",
         "\"a\\302\\205b\"", "a\\u0085b"},
        {"line separator",
         "a\xe2\x80\xa8"
         "b",
         "\"a\\342\\200\\250b\"", "a\\u2028b"},
        {"right-to-left override",
         "a\xe2\x80\xae"
         "b",
         "\"a\\342\\200\\256b\"", "a\\u202Eb"},
        {"overlong newline", "\xc0\x8a", "\"\\300\\212\"", "\\uFFFD\\uFFFD"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *text = mem_print("4XkP2q1Zz: event=cause value=%s last=1", cases[i].text);
        char *json = mem_print(
            "{\"queue_id\":\"4XkP2q1Zz\",\"event\":\"cause\",\"value\":\"%s\",\"last\":1}",
            cases[i].json);
        struct log_event event;

        log_begin(&event, NULL, LOG_INFO, "4XkP2q1Zz", "cause");
        log_string(&event, "value", cases[i].value);
        log_number(&event, "last", 1);
        assert_formats(cases[i].name, &event, text, json);
        free(text);
        free(json);
    }
}

static void test_types(void **state)
{
    struct log_event event;

    (void)state;
    log_begin(&event, NULL, LOG_INFO, NULL, "message");
    log_string(&event, "user", NULL);
    log_print(&event, "dkim", "%s:%s/%s", "signed", "s1", "example.com");
    log_number(&event, "size", INT64_MIN);
    log_number(&event, "max", INT64_MAX);
    log_share(&event, "used", 1611, 2000);
    log_ms(&event, "ms", 3149);
    assert_formats(
        "types", &event,
        "NOQUEUE: event=message dkim=signed:s1/example.com size=-9223372036854775808 "
        "max=9223372036854775807 used=1611/2000 ms=3.1",
        "{\"queue_id\":\"NOQUEUE\",\"event\":\"message\",\"dkim\":\"signed:s1/example.com\","
        "\"size\":-9223372036854775808,\"max\":9223372036854775807,\"used\":\"1611/"
        "2000\",\"ms\":3.1}");
}

static void test_milliseconds(void **state)
{
    static const struct {
        int64_t microseconds;
        const char *want;
    } cases[] = {
        {0, "0.0"},
        {49, "0.0"},
        {50, "0.1"},
        {999, "1.0"},
        {3100, "3.1"},
        {3149, "3.1"},
        {3150, "3.2"},
        {1000000, "1000.0"},
        {-49, "0.0"},
        {-3100, "-3.1"},
        {INT64_MAX, "9223372036854775.8"},
        {INT64_MIN, "-9223372036854775.8"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct log_event event;
        char *text;

        log_begin(&event, NULL, LOG_INFO, "", "x");
        log_ms(&event, "ms", cases[i].microseconds);
        text = log_format(&event, LOG_FORMAT_TEXT);
        if (strcmp(text + strlen("NOQUEUE: event=x ms="), cases[i].want) != 0)
            fail_msg("%lld us: got %s", (long long)cases[i].microseconds, text);
        free(text);
    }
}

static void test_queue_ids(void **state)
{
    static const struct {
        const char *name, *queue_id, *want;
    } cases[] = {
        {"Postfix", "4XkP2q1Zz", "4XkP2q1Zz"},
        {"Sendmail", "5AL9Bdhc012345", "5AL9Bdhc012345"},
        {"none", NULL, "NOQUEUE"},
        {"empty", "", "NOQUEUE"},
        {"forged", "x: event=message\ny", "x??event?message?y"},
        {"JSON", "a\",\"b", "a???b"},
        {"very long", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbb",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *text = mem_print("%s: event=x", cases[i].want);
        char *json = mem_print("{\"queue_id\":\"%s\",\"event\":\"x\"}", cases[i].want);
        struct log_event event;

        log_begin(&event, NULL, LOG_INFO, cases[i].queue_id, "x");
        assert_formats(cases[i].name, &event, text, json);
        free(text);
        free(json);
    }
}

/* One value of each length that can stand at the end, in both formats: the line is whole, or ends
 * with the mark and leaves out the whole field. */
static void test_cut_at_a_field(void **state)
{
    char value[LOG_LINE_MAX + 100];

    (void)state;
    for (size_t length = 0; length < sizeof(value); length++) {
        static const char start[] = "q: event=x first=1";
        struct log_event event;
        char *text, *json;
        json_t *object;
        bool whole_text = sizeof(start) - 1 + strlen(" value= last=1") + length <= LOG_LINE_MAX;
        bool whole_json =
            strlen("{\"queue_id\":\"q\",\"event\":\"x\",\"first\":1,\"value\":\"\",\"last\":1}") +
                length <=
            LOG_LINE_MAX;

        memset(value, 'v', length);
        value[length] = '\0';
        log_begin(&event, NULL, LOG_INFO, "q", "x");
        log_number(&event, "first", 1);
        log_string(&event, "value", value);
        log_number(&event, "last", 1);
        text = log_format(&event, LOG_FORMAT_TEXT);
        json = log_format(&event, LOG_FORMAT_JSON);
        object = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
        assert_true(strlen(text) <= LOG_LINE_MAX);
        assert_true(strlen(json) <= LOG_LINE_MAX);
        if (length > 0 && (strstr(text, " last=1") != NULL) != whole_text)
            fail_msg("%zu octets: %s", length, text);
        if ((strstr(text, " truncated=yes") != NULL) == whole_text && length > 0)
            fail_msg("%zu octets: %s", length, text);
        if (length > 0 && !whole_text)
            assert_string_equal(text + strlen(text) - strlen(" truncated=yes"), " truncated=yes");
        if (!whole_text && strstr(text, "value=") != NULL && strstr(text, value) == NULL)
            fail_msg("%zu octets: half a field: %s", length, text);
        assert_non_null(object);
        assert_int_equal(json_integer_value(json_object_get(object, "first")), 1);
        assert_int_equal(json_object_get(object, "last") != NULL, whole_json);
        assert_int_equal(json_object_get(object, "truncated") != NULL, !whole_json);
        if (json_object_get(object, "value") != NULL)
            assert_string_equal(json_string_value(json_object_get(object, "value")), value);
        json_decref(object);
        free(text);
        free(json);
    }
}

/* Nothing stands behind the place of the cut, be it ever so short: the line is a prefix. */
static void test_nothing_follows_the_cut(void **state)
{
    char value[LOG_LINE_MAX + 1];
    struct log_event event;

    (void)state;
    memset(value, '\n', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    value[600] = '\0'; /* fits as it is, and not with its escapes */
    log_begin(&event, NULL, LOG_INFO, "q", "x");
    log_string(&event, "long", value);
    log_string(&event, "short", "s");
    assert_formats("escapes", &event, "q: event=x truncated=yes",
                   "{\"queue_id\":\"q\",\"event\":\"x\",\"truncated\":\"yes\"}");

    log_begin(&event, NULL, LOG_INFO, "q", "x");
    log_print(&event, "long", "%2000d", 1);
    log_string(&event, "short", "s");
    assert_formats("too long for the event", &event, "q: event=x truncated=yes",
                   "{\"queue_id\":\"q\",\"event\":\"x\",\"truncated\":\"yes\"}");

    log_begin(&event, NULL, LOG_INFO, "q", "x");
    for (int i = 0; i < LOG_FIELDS_MAX + 5; i++)
        log_number(&event, "n", i % 10);
    for (int format = 0; format <= LOG_FORMAT_JSON; format++) {
        char *line = log_format(&event, (enum log_format)format);

        if (strstr(line, "truncated") == NULL)
            fail_msg("too many fields: %s", line);
        free(line);
    }
}

static void test_memory(void **state)
{
    struct log *log = log_open_memory(LOG_FORMAT_TEXT);
    struct log_settings settings = {.program = "sluice-test",
                                    .destination = "file:/dev/null/log",
                                    .format = LOG_FORMAT_JSON,
                                    .facility = LOG_MAIL};
    struct log_event event;
    char *problem = NULL;
    char *lines = log_taken(log);

    (void)state;
    assert_string_equal(lines, "");
    free(lines);
    for (int i = 1; i <= 2; i++) {
        log_begin(&event, log, LOG_INFO, "q", "x");
        log_number(&event, "n", i);
        log_write(&event);
    }
    lines = log_taken(log);
    assert_string_equal(lines, "q: event=x n=1\nq: event=x n=2\n");
    free(lines);
    assert_true(log_reopen(log, &settings, &problem));
    log_begin(&event, log, LOG_INFO, "q", "x");
    log_write(&event);
    lines = log_taken(log);
    assert_string_equal(lines, "{\"queue_id\":\"q\",\"event\":\"x\"}\n");
    free(lines);
    assert_int_equal(log_flush(log), 0);
    log_close(&log);
    assert_null(log);
    log_close(&log);
    log_begin(&event, NULL, LOG_INFO, "q", "x");
    log_write(&event); /* no log: nothing happens */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),         cmocka_unit_test(test_types),
        cmocka_unit_test(test_milliseconds),   cmocka_unit_test(test_queue_ids),
        cmocka_unit_test(test_cut_at_a_field), cmocka_unit_test(test_nothing_follows_the_cut),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
