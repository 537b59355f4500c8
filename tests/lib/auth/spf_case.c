/* SPDX-License-Identifier: BSD-2-Clause */
/* Running rows of SPF evaluation. */
#include "tests/lib/auth/spf_case.h"

#include "lib/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct check {
    struct spf_query query;
    struct spf_result result;
};

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct check *check = context;

    return spf_check(&check->query, lookup, &check->result);
}

struct zone *spf_case_run(const struct spf_case *row, bool waves, struct spf_result *result_r,
                          unsigned *runs_r)
{
    struct zone *zone = zone_new();
    struct check check = {.query = {
                              .helo = row->helo != NULL ? row->helo : "mail.example.com",
                              .sender = row->sender != NULL ? row->sender : "joe@example.com",
                              .receiver = "mx.example.net",
                              .now_sec = 1700000000,
                          }};
    unsigned runs;

    assert_true(ip_parse(row->ip != NULL ? row->ip : "192.0.2.1", &check.query.client));
    zone_add_lines(zone, row->zone);
    runs = zone_run(zone, waves, evaluate, &check);
    if (runs == 0)
        fail_msg("%s: pending for ever", row->name);
    if (runs_r != NULL)
        *runs_r = runs;
    *result_r = check.result;
    return zone;
}

static void run_case(const struct spf_case *row, bool waves)
{
    struct spf_result result;
    struct zone *zone = spf_case_run(row, waves, &result, NULL);
    const char *text = result.explanation != NULL ? result.explanation : result.problem;
    char *got =
        mem_print("%s %s %u %u", spf_status_name(result.status),
                  result.mechanism != NULL ? result.mechanism : "-", result.lookups, result.voids);

    if (strcmp(got, row->want) != 0 || (row->text == NULL && result.explanation != NULL) ||
        (row->text != NULL && (text == NULL || strstr(text, row->text) == NULL)))
        fail_msg("%s (waves %d): \"%s\", \"%s\"", row->name, waves, got, text != NULL ? text : "");
    free(got);
    spf_result_clear(&result);
    zone_free(&zone);
}

void spf_cases_run(const struct spf_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        run_case(&cases[i], false);
        run_case(&cases[i], true);
    }
}
