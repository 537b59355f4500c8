/* SPDX-License-Identifier: BSD-2-Clause */
/* A log line of each kind: what it is, its fields, its cause and how lasting that is. */
#include "lib/classify/classify.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "tests/lib/classify/corpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_MIN 110
#define COLUMNS 4

static const struct {
    const char *name;
    enum line_field field;
} field_names[] = {
    {"action", FIELD_ACTION},
    {"client-ip", FIELD_CLIENT_IP},
    {"client-name", FIELD_CLIENT_NAME},
    {"commands", FIELD_COMMANDS},
    {"counted-service", FIELD_COUNTED_SERVICE},
    {"dsn", FIELD_DSN},
    {"instance", FIELD_INSTANCE},
    {"list", FIELD_LIST},
    {"mailer", FIELD_MAILER},
    {"mechanism", FIELD_MECHANISM},
    {"message-id", FIELD_MESSAGE_ID},
    {"notice-id", FIELD_NOTICE_ID},
    {"number", FIELD_NUMBER},
    {"original-recipient", FIELD_ORIGINAL_RECIPIENT},
    {"queue-id", FIELD_QUEUE_ID},
    {"recipient", FIELD_RECIPIENT},
    {"relay-host", FIELD_RELAY_HOST},
    {"relay-ip", FIELD_RELAY_IP},
    {"result", FIELD_RESULT},
    {"sender", FIELD_SENDER},
    {"size", FIELD_SIZE},
    {"stage", FIELD_STAGE},
    {"status", FIELD_STATUS},
    {"text", FIELD_TEXT},
    {"tls-trust", FIELD_TLS_TRUST},
    {"tls-version", FIELD_TLS_VERSION},
    {"user", FIELD_USER},
};

static unsigned complaints;

static void complain(const char *text, const char *what, struct span got, const char *want)
{
    print_message("%s: %s is \"%.*s\" in place of \"%s\"\n", text, what, (int)got.length,
                  got.start != NULL ? got.start : "", want);
    complaints++;
}

/* Changes the list: "sender=a@b.example|size=1200". */
static void check_fields(const char *text, char *list, const struct line *line)
{
    char *rest = NULL;

    for (char *one = strtok_r(list, "|", &rest); one != NULL; one = strtok_r(NULL, "|", &rest)) {
        char *value = strchr(one, '=');
        size_t i = 0;

        assert_non_null(value);
        *value++ = '\0';
        while (i < COUNT_OF(field_names) && strcmp(field_names[i].name, one) != 0)
            i++;
        if (i == COUNT_OF(field_names))
            fail_msg("%s: there is no field %s", text, one);
        if (line->fields[field_names[i].field].start == NULL ||
            !span_equals(line->fields[field_names[i].field], value))
            complain(text, one, line->fields[field_names[i].field], value);
    }
}

/* "destination.tls transport", "delivered", "-" */
static char *outcome_of(const struct classification *result)
{
    if (result->outcome == OUTCOME_FAILED)
        return mem_print("%s %s", cause_get(result->cause)->id, failure_name(result->failure));
    return mem_copy(result->outcome == OUTCOME_DELIVERED ? "delivered" : "-");
}

static void test_kinds(void **state)
{
    static const struct strings none = {.count = 0};
    char *problems = NULL;
    struct rules *rules = rules_load(&none, true, &problems);
    struct classify_scratch *scratch;
    struct corpus corpus;

    (void)state;
    assert_non_null(rules);
    scratch = classify_scratch_new(rules);
    corpus_read_data("lines.tsv", COLUMNS, &corpus);
    assert_true(corpus.count >= ROWS_MIN);
    for (size_t i = 0; i < corpus.count; i++) {
        char *const *columns = corpus.rows[i].columns;
        const struct span text = span_of(columns[3]);
        struct classification result;
        struct line line;
        char *outcome;

        (void)line_parse(text.start, text.length, &line);
        classify_text(rules, scratch, text, &result);
        outcome = outcome_of(&result);
        if (strcmp(line_kind_name(line.kind), columns[0]) != 0)
            complain(text.start, "the kind", span_of(line_kind_name(line.kind)), columns[0]);
        if (strcmp(outcome, columns[1]) != 0)
            complain(text.start, "the cause", span_of(outcome), columns[1]);
        check_fields(text.start, columns[2], &line);
        free(outcome);
    }
    corpus_free(&corpus);
    classify_scratch_free(&scratch);
    rules_free(&rules);
    free(problems);
    assert_int_equal(complaints, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
