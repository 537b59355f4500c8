/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "lib/base/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_parse(void **state)
{
    static const struct {
        const char *input, *host; /* NULL: refused */
        uint16_t port;
    } cases[] = {
        {"localhost", "localhost", 6379},
        {"localhost:7000", "localhost", 7000},
        {"192.0.2.1:1", "192.0.2.1", 1},
        {"h:65535", "h", 65535},
        {"h:00053", "h", 53},
        {"[::1]", "::1", 6379},
        {"[2001:db8::1]:7000", "2001:db8::1", 7000},
        {"", NULL, 0},
        {":7000", NULL, 0},
        {"h:", NULL, 0},
        {"h:0", NULL, 0},
        {"h:65536", NULL, 0},
        {"h:99999999999999999999", NULL, 0},
        {"h:-1", NULL, 0},
        {"h: 1", NULL, 0},
        {"h:1x", NULL, 0},
        {"2001:db8::1", NULL, 0},
        {"[]", NULL, 0},
        {"[::1", NULL, 0},
        {"[::1]x", NULL, 0},
        {"[::1]x7000", NULL, 0},
        {"[::1]:", NULL, 0},
        {"[192.0.2.1]", NULL, 0},
        {"[localhost]:7000", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *host = NULL;
        uint16_t port = 0;
        bool taken = endpoint_parse(cases[i].input, strlen(cases[i].input), 6379, &host, &port);

        if (taken != (cases[i].host != NULL) || port != cases[i].port ||
            (taken && strcmp(host, cases[i].host) != 0))
            fail_msg("%s: got %s, %u", cases[i].input, host != NULL ? host : "nothing", port);
        free(host);
    }
}

/* What is behind the length is not looked at. */
static void test_parse_part(void **state)
{
    char *host = NULL;
    uint16_t port = 0;

    (void)state;
    assert_true(endpoint_parse("host:7000/3", 9, 6379, &host, &port));
    assert_int_equal(port, 7000);
    free(host);
    assert_true(endpoint_parse("host:7000", 4, 6379, &host, &port));
    assert_string_equal(host, "host");
    assert_int_equal(port, 6379);
    free(host);
    assert_false(endpoint_parse("[::1]", 4, 6379, &host, &port));
}

static void test_path(void **state)
{
    char path[ENDPOINT_PATH_MAX + 2];

    (void)state;
    memset(path, '/', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_false(endpoint_is_path(path));
    assert_true(endpoint_is_path(path + 1));
    assert_false(endpoint_is_path("run/socket"));
    assert_false(endpoint_is_path(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_part),
        cmocka_unit_test(test_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
