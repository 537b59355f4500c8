/* SPDX-License-Identifier: BSD-2-Clause */
/* The log lines of others, with the fields that others found in them. */
#include "lib/base/count.h"
#include "lib/classify/line.h"
#include "lib/base/text.h"
#include "lib/base/mem.h"
#include "tests/lib/classify/corpus.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES 191

/* Their names for our fields.  What they keep and we do not is left out: times of statistics, the
 * tallies of caches, key exchange and signature of TLS, parts of texts. */
static const struct {
    const char *key;
    enum line_field field;
} keys[] = {
    {"postfix_queueid", FIELD_QUEUE_ID},
    {"postfix_client_ip", FIELD_CLIENT_IP},
    {"postfix_client_ip_unknown", FIELD_CLIENT_IP},
    {"postfix_client_hostname", FIELD_CLIENT_NAME},
    {"postfix_client_port", FIELD_CLIENT_PORT},
    {"postfix_relay_hostname", FIELD_RELAY_HOST},
    {"postfix_relay_ip", FIELD_RELAY_IP},
    {"postfix_relay_port", FIELD_RELAY_PORT},
    {"postfix_relay_service", FIELD_RELAY_IP},
    {"postfix_smtp_stage", FIELD_STAGE},
    {"postfix_proxy_smtp_stage", FIELD_STAGE},
    {"postfix_status", FIELD_STATUS},
    {"postfix_smtp_response", FIELD_TEXT},
    {"postfix_error_response", FIELD_TEXT},
    {"postfix_local_response", FIELD_TEXT},
    {"postfix_pipe_response", FIELD_TEXT},
    {"postfix_proxy_message", FIELD_TEXT},
    {"postfix_tls_error", FIELD_TEXT},
    {"postfix_postscreen_toobusy_data", FIELD_TEXT},
    {"postfix_action", FIELD_ACTION},
    {"postfix_milter_result", FIELD_ACTION},
    {"postfix_postsuper_action", FIELD_ACTION},
    {"postfix_postsuper_summary_action", FIELD_ACTION},
    {"postfix_postsuper_summary_count", FIELD_NUMBER},
    {"postfix_proxy_result", FIELD_ACTION},
    {"postfix_bounce_queueid", FIELD_NOTICE_ID},
    {"postfix_message-id", FIELD_MESSAGE_ID},
    {"postfix_command_counter_data", FIELD_COMMANDS},
    {"postfix_dnsbl_domain", FIELD_LIST},
    {"postfix_dnsbl_result", FIELD_RESULT},
    {"postfix_postscreen_dnsbl_rank", FIELD_NUMBER},
    {"postfix_service", FIELD_COUNTED_SERVICE},
    {"postfix_anvil_conn_count", FIELD_NUMBER},
    {"postfix_anvil_cache_size", FIELD_NUMBER},
    {"postfix_tls_trustlevel", FIELD_TLS_TRUST},
    {"postfix_tls_version", FIELD_TLS_VERSION},
    {"postfix_tls_cipher", FIELD_TLS_CIPHER},
    {"postfix_tls_cipher_size", FIELD_TLS_BITS},
    {"postfix_from", FIELD_SENDER},
    {"postfix_scache_hits", FIELD_COUNT},
};

/* Some rows are a part of a line: the line around it. */
static const struct {
    const char *pattern;
    const char *service;
    const char *before, *after;
    enum line_field field;
} parts[] = {
    {"DELAYS", "postfix/smtp", "4104E3D: to=<a@example.net>, relay=none, delay=4, delays=",
     ", dsn=4.4.1, status=deferred (x)", FIELD_DELAYS},
    {"RELAY", "postfix/smtp", "4104E3D: to=<a@example.net>, relay=",
     ", delay=4, dsn=4.4.1, status=deferred (x)", FIELD_RELAY},
    {"COMMAND_COUNTER_DATA", "postfix/smtpd", "disconnect from a.example[192.0.2.1] ", "",
     FIELD_COMMANDS},
    {"TLS_FEATURES", "postfix/smtp", "4104E3D: to=<a@example.net>, relay=none, delay=4, tls=",
     ", dsn=4.4.1, status=deferred (x)", FIELD_TLS_LEVEL},
};

static unsigned complaints;

#define complain(...)                                                                              \
    do {                                                                                           \
        print_message(__VA_ARGS__);                                                                \
        print_message("\n");                                                                       \
        complaints++;                                                                              \
    } while (0)

static int begins(const char *line)
{
    size_t length = strcspn(line, "\t\n");

    return length > 5 && line[length] == '\t' && memcmp(line + length - 5, ".yaml", 5) == 0;
}

static char *pattern_name(const char *pattern)
{
    const char *start = strstr(pattern, "POSTFIX_");

    assert_non_null(start);
    return mem_copy_n(start + 8, strcspn(start + 8, "}"));
}

/* "TRIVIAL_REWRITE" is what postfix/trivial-rewrite writes. */
static char *service_name(const char *pattern)
{
    char *name;

    if (strcmp(pattern, "SCRIPT") == 0)
        pattern = "postfix-script";
    if (strcmp(pattern, "POSTMAP") == 0)
        pattern = "postdrop";
    if (strcmp(pattern, "TLS_FEATURES") == 0)
        pattern = "smtp";
    name = text_lower(mem_print("postfix/%s", pattern));
    for (char *c = name; *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
    return name;
}

/* They keep Postfix' "(in reply to ... command)" in the text, which is our FIELD_STAGE, and leave
 * out what makes an action a milter's. */
static bool is_wanted(enum line_field field, struct span got, const char *want)
{
    struct span rest = span_of(want);

    if (got.start == NULL || span_equals(got, want))
        return got.start != NULL;
    if (field == FIELD_ACTION)
        return span_skip(&got, "milter-") && span_equals(got, want);
    return field == FIELD_TEXT && rest.length > got.length &&
           memcmp(want, got.start, got.length) == 0 &&
           span_starts(span_from(rest, got.length), " (in reply to ");
}

static void check_field(const char *name, const struct line *line, const char *key,
                        const char *want)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct span got;

        if (strcmp(keys[i].key, key) != 0 || keys[i].field == FIELD_COUNT)
            continue;
        got = line->fields[keys[i].field];
        if (!is_wanted(keys[i].field, got, want))
            complain("%s: %s is \"%.*s\" in place of \"%s\"", name, key, (int)got.length,
                     got.start != NULL ? got.start : "", want);
    }
}

static void check_row(const struct corpus_row *row)
{
    char *pattern = pattern_name(row->columns[1]);
    char *service = service_name(pattern);
    json_t *expected = json_loads(row->columns[3], 0, NULL);
    struct text text = TEXT_EMPTY;
    struct line line;
    const char *key;
    json_t *value;
    bool part = false;

    assert_non_null(expected);
    /* A newline never reaches a log: syslog writes something else for it. */
    for (char *c = row->columns[2]; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r')
            *c = '?';
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        /* Whole lines stand among the TLS features, too. */
        if (strcmp(pattern, parts[i].pattern) != 0 || strstr(row->columns[2], "status=") != NULL)
            continue;
        part = true;
        text_print(&text, "%s%s%s", parts[i].before, row->columns[2], parts[i].after);
        line_parse_body(parts[i].service, text_string(&text), text.length, &line);
        if (!span_equals(line.fields[parts[i].field], row->columns[2]))
            complain("%s: not \"%s\"", row->columns[0], row->columns[2]);
    }
    if (!part) {
        text_add_string(&text, row->columns[2]);
        line_parse_body(service, text_string(&text), text.length, &line);
        json_object_foreach(expected, key, value)
            check_field(row->columns[0], &line, key, json_string_value(value));
    }
    if (line.kind == LINE_FOREIGN || line.kind == LINE_OTHER)
        complain("%s: no shape for \"%s\"", row->columns[0], row->columns[2]);
    text_free(&text);
    json_decref(expected);
    free(service);
    free(pattern);
}

static void test_corpus(void **state)
{
    struct corpus corpus;

    (void)state;
    corpus_read("logs/postfix-grok-cases.tsv", 4, begins, &corpus);
    assert_int_equal(corpus.count, LINES);
    for (size_t i = 0; i < corpus.count; i++)
        check_row(&corpus.rows[i]);
    corpus_free(&corpus);
    assert_int_equal(complaints, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
