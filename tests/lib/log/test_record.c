/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of our own log, read back. */
#include "lib/base/count.h"
#include "lib/log/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_lines(void **state)
{
    static const struct {
        const char *name, *line;
        const char *queue_id; /* NULL: it is no line of ours */
        const char *field, *value;
    } cases[] = {
        {"text", "4XkP: event=message nrcpt=3", "4XkP", "nrcpt", "3"},
        {"no queue id", "NOQUEUE: event=cause", "NOQUEUE", "event", "cause"},
        {"quoted", "Q: event=e a=1 hint=\"x = \\\"y\\\" \\\\ z\" b=2", "Q", "hint",
         "x = \"y\" \\ z"},
        {"behind a quoted one", "Q: event=e hint=\"x y\" b=2", "Q", "b", "2"},
        {"escapes", "Q: event=e a=\"\\n\\t\\033\\377\"", "Q", "a", "\n\t\033\377"},
        {"empty", "Q: event=e a=\"\" b=2", "Q", "a", ""},
        {"not there", "Q: event=e a=1", "Q", "b", NULL},
        {"JSON", "{\"queue_id\":\"Q\",\"size\":12,\"user\":\"a b\"}", "Q", "user", "a b"},
        {"a number in JSON", "{\"queue_id\":\"Q\",\"size\":12}", "Q", "size", "12"},
        {"other types in JSON", "{\"queue_id\":\"Q\",\"x\":[1],\"y\":null}", "Q", "x", NULL},
        {"JSON without a queue id", "{\"size\":12}", NULL, NULL, NULL},
        {"no JSON", "{\"queue_id\":\"Q\",", NULL, NULL, NULL},
        {"a JSON list", "[\"queue_id\"]", NULL, NULL, NULL},
        {"nothing", "", NULL, NULL, NULL},
        {"no event", "Q: a=1", NULL, NULL, NULL},
        {"no field", "Q:", NULL, NULL, NULL},
        {"another program's", "4XkP: from=<a@b>, size=3", NULL, NULL, NULL},
        {"words", "connect from localhost: message", NULL, NULL, NULL},
        {"no end of a quote", "Q: event=e a=\"x", NULL, NULL, NULL},
        {"a backslash at the end", "Q: event=e a=\"x\\", NULL, NULL, NULL},
        {"a zero in a value", "Q: event=e a=\"\\000\"", NULL, NULL, NULL},
        {"no name", "Q: event=e =x", NULL, NULL, NULL},
        {"a forged name", "Q: event=e A=x", NULL, NULL, NULL},
        {"what is behind a quote", "Q: event=e a=\"x\"y", NULL, NULL, NULL},
        {"two blanks", "Q: event=e a=x  b=y", NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        /* Without a NUL behind it. */
        size_t length = strlen(cases[i].line);
        char *bytes = malloc(length + 1);
        struct log_record record;
        const char *value;

        assert_non_null(bytes);
        memcpy(bytes, cases[i].line, length);
        bytes = realloc(bytes, length > 0 ? length : 1);
        if (log_record_read(bytes, length, &record) != (cases[i].queue_id != NULL))
            fail_msg("%s: %s", cases[i].name, cases[i].queue_id ? "not read" : "read");
        free(bytes);
        if (cases[i].queue_id == NULL)
            continue;
        assert_string_equal(record.queue_id, cases[i].queue_id);
        value = log_record_value(&record, cases[i].field);
        if ((value == NULL) != (cases[i].value == NULL) ||
            (value != NULL && strcmp(value, cases[i].value) != 0))
            fail_msg("%s: \"%s\"", cases[i].name, value != NULL ? value : "nothing");
        log_record_clear(&record);
    }
}

static void test_numbers(void **state)
{
    static const char line[] = "Q: event=e a=12 b=x c=99999999999999999999";
    struct log_record record;

    (void)state;
    assert_true(log_record_read(line, strlen(line), &record));
    assert_int_equal(log_record_number(&record, "a", 5), 12);
    assert_int_equal(log_record_number(&record, "b", 5), 5);
    assert_int_equal(log_record_number(&record, "c", 5), 5);
    assert_int_equal(log_record_number(&record, "d", 5), 5);
    log_record_clear(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
