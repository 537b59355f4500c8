/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings: fields, texts, caps. */
#include "lib/base/count.h"
#include "lib/message/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_add(void **state)
{
    struct findings findings = {0};
    struct finding *finding = findings_add(&findings, NULL);

    (void)state;
    assert_int_equal(finding->recipient, -1);
    assert_int_equal(finding->action_asked, -1);
    assert_int_equal(finding->nfields, 0);
    assert_null(finding->sentence);
    assert_null(finding->hint);
    finding_field(finding, "used", "%d", 1611);
    finding_field(finding, "domain", "%s", "example.com");
    finding_sentence(finding, "%d of %d", 5, 4);
    finding_sentence(finding, "%d of %d", 6, 4);
    finding_hint(finding, "wait %s", "a minute");
    assert_int_equal(finding->nfields, 2);
    assert_string_equal(finding->fields[0].name, "used");
    assert_string_equal(finding->fields[0].value, "1611");
    assert_string_equal(finding->sentence, "6 of 4");
    assert_string_equal(finding->hint, "wait a minute");
    findings_clear(&findings);
    assert_int_equal(findings.count, 0);
    assert_null(findings.items);
}

static void test_a_field_is_set_once(void **state)
{
    struct findings findings = {0};
    struct finding *finding = findings_add(&findings, NULL);

    (void)state;
    finding_field(finding, "ip", "%s", "192.0.2.1");
    finding_field(finding, "ip", "%s and more", finding->fields[0].value);
    assert_int_equal(finding->nfields, 1);
    assert_string_equal(finding->fields[0].value, "192.0.2.1 and more");
    findings_clear(&findings);
}

static void test_caps(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g",
                                        "h", "i", "j", "k", "l", "m", "n"};
    struct findings findings = {0};
    struct finding *finding = findings_add(&findings, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        finding_field(finding, names[i], "%s", names[i]);
    assert_int_equal(finding->nfields, FINDING_FIELDS_MAX);
    assert_string_equal(finding->fields[FINDING_FIELDS_MAX - 1].value, "l");
    finding_field(finding, "l", "again");
    assert_string_equal(finding->fields[FINDING_FIELDS_MAX - 1].value, "again");
    for (size_t i = 1; i < FINDINGS_MAX; i++)
        finding_hint(findings_add(&findings, NULL), "%zu", i);
    assert_null(findings_add(&findings, NULL));
    assert_null(findings_add(&findings, NULL));
    assert_int_equal(findings.count, FINDINGS_MAX);
    assert_int_equal(findings.dropped, 2);
    assert_string_equal(findings.items[FINDINGS_MAX - 1].hint, "63");
    findings_clear(&findings);
    assert_int_equal(findings.dropped, 0);
}

static void test_nothing_on_null(void **state)
{
    (void)state;
    finding_field(NULL, "a", "%d", 1);
    finding_sentence(NULL, "a");
    finding_hint(NULL, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_a_field_is_set_once),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_nothing_on_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
