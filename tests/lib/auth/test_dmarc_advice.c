/* SPDX-License-Identifier: BSD-2-Clause */
/* Which DMARC record is advised in place of the published one. */
#include "lib/auth/dmarc_advice.h"

#include "lib/auth/dmarc_record.h"
#include "lib/base/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
    const char *name, *first, *second, *want;
} rows[] = {
    {"a right one stays", "v=DMARC1; p=reject; adkim=s; rua=mailto:a@x.example; fo=1", NULL,
     "v=DMARC1; p=reject; adkim=s; rua=mailto:a@x.example; fo=1"},
    {"misspelt policy", "v=DMARC1;p=rejct;sp=Quarantene", NULL,
     "v=DMARC1; p=reject; sp=quarantine"},
    {"no such policy", "v=DMARC1; p=perhaps; sp=maybe", NULL, "v=DMARC1; p=none"},
    {"no policy", "v=DMARC1; adkim=s", NULL, "v=DMARC1; p=none; adkim=s"},
    {"policy first", "v=DMARC1; rua=mailto:a@x.example; p=quarantine", NULL,
     "v=DMARC1; p=quarantine; rua=mailto:a@x.example"},
    {"no mailto:", "v=DMARC1; p=none; rua=a@x.example, mailto:b@x.example", NULL,
     "v=DMARC1; p=none; rua=mailto:a@x.example,mailto:b@x.example"},
    {"no address", "v=DMARC1; p=none; rua=nobody; ruf=", NULL, "v=DMARC1; p=none"},
    {"no semicolons", "v=DMARC1; p=none rua=mailto:a@x.example adkim=r", NULL,
     "v=DMARC1; p=none; rua=mailto:a@x.example; adkim=r"},
    {"wrong values", "v=DMARC1; p=none; adkim=strict; pct=200; t=maybe", NULL, "v=DMARC1; p=none"},
    {"twice", "v=DMARC1; p=reject; p=none; adkim=s; adkim=r", NULL, "v=DMARC1; p=none; adkim=s"},
    {"rubbish", "v=DMARC1; ;; =x; p; \"; p = reject ;", NULL, "v=DMARC1; p=reject"},
    {"two", "v=DMARC1; p=reject; rua=mailto:a@x.example",
     "v=DMARC1; p=none; rua=mailto:b@x.example,mailto:a@x.example",
     "v=DMARC1; p=none; rua=mailto:a@x.example,mailto:b@x.example"},
    {"two, the milder first", "v=DMARC1; p=none", "v=DMARC1; p=reject; aspf=s",
     "v=DMARC1; p=none; aspf=s"},
};

static void test_mend(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct strings records = {0};
        struct dmarc_record record;
        char *got;

        strings_add(&records, rows[i].first);
        if (rows[i].second != NULL)
            strings_add(&records, rows[i].second);
        got = dmarc_advice_mend(&records);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: \"%s\" in place of \"%s\"", rows[i].name, got, rows[i].want);
        dmarc_record_parse(got, strlen(got), &record);
        if (record.problems.count > 0 || record.p.presence != DMARC_TAG_GIVEN)
            fail_msg("%s: what is advised is wrong itself: %s", rows[i].name, got);
        dmarc_record_clear(&record);
        free(got);
        strings_free(&records);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mend),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
