/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether DMARC reports may go where a record asks for them. */
#include "lib/auth/dmarc.h"
#include "lib/base/count.h"
#include "tests/lib/auth/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct reports_check {
    const char *domain;
    const char *uri;
    enum dmarc_reports reports;
};

static bool evaluate_reports(const struct lookup *lookup, void *context)
{
    struct reports_check *check = context;

    return dmarc_check_reports(check->domain, check->uri, DMARC_TREE_WALK, lookup, &check->reports);
}

static void test_reports(void **state)
{
    static const char *const lines[] = {
        "_dmarc.example.com TXT v=DMARC1; p=reject",
        "_dmarc.b.example.com TXT v=DMARC1; p=none; psd=n",
        "example.com._report._dmarc.good.example TXT v=DMARC1;",
        "example.com._report._dmarc.two.example TXT v=DMARC1",
        "example.com._report._dmarc.two.example TXT v=DMARC1; rua=mailto:x@two.example",
        "example.com._report._dmarc.bad.example TXT yes please",
        "example.com._report._dmarc.down.example FAIL TXT",
        "_dmarc.dark.example FAIL TXT",
        NULL,
    };
    static const struct {
        const char *domain;
        const char *uri;
        enum dmarc_reports want;
    } cases[] = {
        {"Example.com", "mailto:r@example.com", DMARC_REPORTS_INTERNAL},
        {"Example.com", "mailto:r@EXAMPLE.com?subject=x", DMARC_REPORTS_INTERNAL},
        {"Example.com", "mailto:r@a.example.com!10m", DMARC_REPORTS_INTERNAL},
        {"Example.com", "mailto:r@b.example.com", DMARC_REPORTS_REFUSED},
        {"Example.com", "MAILTO:r@good.example", DMARC_REPORTS_PERMITTED},
        {"Example.com", "mailto:r@two.example", DMARC_REPORTS_PERMITTED},
        {"Example.com", "mailto:r@bad.example", DMARC_REPORTS_REFUSED},
        {"Example.com", "mailto:r@other.example", DMARC_REPORTS_REFUSED},
        {"Example.com", "mailto:r@down.example", DMARC_REPORTS_UNKNOWN},
        {"Example.com", "mailto:r@dark.example", DMARC_REPORTS_UNKNOWN},
        {"Example.com", "https://good.example/", DMARC_REPORTS_NO_MAIL},
        {"Example.com", "mailto:r", DMARC_REPORTS_NO_MAIL},
        {"dark.example", "mailto:r@dark.example", DMARC_REPORTS_INTERNAL},
        {"Example.com", "mailto:r@a..b", DMARC_REPORTS_NO_MAIL},
    };
    struct zone *zone = zone_new();

    (void)state;
    zone_add_lines(zone, lines);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int waves = 0; waves <= 1; waves++) {
            struct reports_check check = {.domain = cases[i].domain, .uri = cases[i].uri};

            if (zone_run(zone, waves, evaluate_reports, &check) == 0 ||
                check.reports != cases[i].want)
                fail_msg("%s (waves %d): %d", cases[i].uri, waves, (int)check.reports);
        }
    }
    zone_free(&zone);
}

static void test_name(void **state)
{
    char *name = dmarc_report_name("example.com", "example.net");

    (void)state;
    assert_string_equal(name, "example.com._report._dmarc.example.net");
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
