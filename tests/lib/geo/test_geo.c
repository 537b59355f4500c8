/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "lib/geo/geo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *data(const char *name, char path_r[512])
{
    const char *top = getenv("top_srcdir");

    snprintf(path_r, 512, "%s/tests/data/geo/%s", top ? top : ".", name);
    return path_r;
}

static void test_find(void **state)
{
    static const struct {
        const char *address, *country, *as_name;
        uint32_t as_number;
    } cases[] = {
        {"192.0.2.77", "NL", "Example Net", 64500},
        {"::ffff:192.0.2.77", "NL", "Example Net", 64500},
        {"198.51.100.127", "DE", "", 0},
        {"198.51.100.128", "", "", 0},
        {"203.0.113.1", "", "", 0},
        {"2001:db8:7fff::1", "JP",
         "A network operator whose name is much longer than the space tha", 4200000000},
        {"2001:db8:8000::1", "", "", 0},
        {"::1", "", "", 0},
    };
    char country[512], asn[512], *problem = NULL;
    struct geo *geo = NULL;

    (void)state;
    assert_true(geo_open(data("country.mmdb", country), data("asn.mmdb", asn), &geo, &problem));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address address;
        struct geo_place place;

        assert_true(ip_parse(cases[i].address, &address));
        geo_find(geo, &address, &place);
        if (strcmp(place.country, cases[i].country) != 0 ||
            strcmp(place.as_name, cases[i].as_name) != 0 || place.as_number != cases[i].as_number)
            fail_msg("%s: %s %u %s", cases[i].address, place.country, place.as_number,
                     place.as_name);
    }
    geo_close(&geo);
    assert_null(geo);
}

/* An operator without databases, and one who has named the wrong file. */
static void test_files(void **state)
{
    static const struct {
        const char *name, *country, *asn, *problem;
    } cases[] = {
        {"none", "", NULL, NULL},
        {"missing", "/dev/null/country.mmdb", "", "/dev/null/country.mmdb: "},
        {"no database", "", "/dev/null", "/dev/null: "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct geo *geo = NULL;
        char *problem = NULL;
        bool good = geo_open(cases[i].country, cases[i].asn, &geo, &problem);

        if (good != !cases[i].problem ||
            (cases[i].problem && strncmp(problem, cases[i].problem, strlen(cases[i].problem)) != 0))
            fail_msg("%s: %s", cases[i].name, problem ? problem : "opened");
        free(problem);
        geo_close(&geo);
    }
}

static void test_without_databases(void **state)
{
    struct ip_address address;
    struct geo_place place = {.country = "XX"};

    (void)state;
    assert_true(ip_parse("192.0.2.77", &address));
    geo_find(NULL, &address, &place);
    assert_string_equal(place.country, "");
    address.family = 0;
    geo_find(NULL, &address, &place);
    assert_int_equal(place.as_number, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_without_databases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
