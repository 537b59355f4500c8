/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Organizational domains by the public suffix list; also the list's own test vectors, test_psl.txt,
 * where they are: in the folder psl of $SLUICE_CORPORA or of ../shared/corpora beside the sources.
 */
#include "lib/auth/orgdomain.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/message/address.h"
#include "tests/support/corpora.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VECTORS_MIN 70
#define NAME_ROOM 256

static void test_domains(void **state)
{
    static const struct {
        const char *domain;
        const char *want; /* NULL: none */
    } cases[] = {
        {"example.com", "example.com"},
        {"a.b.example.com", "example.com"},
        {"com", NULL},
        {"co.uk", NULL},
        {"a.example.co.uk", "example.co.uk"},
        {"example.nowhere", "example.nowhere"},
        {"nowhere", NULL},
        {"", NULL},
        {".example.com", NULL},
        {"a..com", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *got = orgdomain_by_list(cases[i].domain);

        if (cases[i].want == NULL ? got != NULL : got == NULL || strcmp(got, cases[i].want) != 0)
            fail_msg("%s: %s", cases[i].domain, got != NULL ? got : "none");
    }
}

/* As what is compared is compared everywhere: A-labels, lower case.  A leading dot stays. */
static char *normal(const char *name)
{
    return name[0] == '.' ? mem_copy(name) : address_domain(name);
}

static bool check_vector(const char *domain, const char *want)
{
    char *asked = normal(domain);
    char *expected = strcmp(want, "null") != 0 ? normal(want) : NULL;
    const char *got = asked != NULL ? orgdomain_by_list(asked) : NULL;
    bool good = got == NULL ? expected == NULL : expected != NULL && strcmp(got, expected) == 0;

    if (!good)
        print_error("%s: %s instead of %s\n", domain, got != NULL ? got : "none", want);
    free(asked);
    free(expected);
    return good;
}

static void test_vectors(void **state)
{
    FILE *file = corpora_open("psl/test_psl.txt");
    char *line = NULL;
    size_t room = 0;
    unsigned all = 0, good = 0;

    (void)state;
    if (file == NULL)
        skip();
    while (getline(&line, &room, file) > 0) {
        char domain[NAME_ROOM], want[NAME_ROOM] = "null";

        /* of the null domain there is nothing to ask */
        if (sscanf(line, "checkPublicSuffix('%255[^']', '%255[^']')", domain, want) < 1)
            continue;
        all++;
        good += check_vector(domain, want);
    }
    free(line);
    (void)fclose(file);
    assert_in_range(all, VECTORS_MIN, UINT32_MAX);
    assert_int_equal(good, all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
