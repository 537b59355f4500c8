/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver = and resolv.conf(5). */
#include "lib/base/count.h"
#include "lib/dns/servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void expect(const char *what, const struct strings *servers, const char *want)
{
    char joined[1024] = "";
    size_t length = 0;

    for (size_t i = 0; i < servers->count; i++)
        length += (size_t)snprintf(joined + length, sizeof(joined) - length, "%s%s",
                                   i > 0 ? " " : "", servers->items[i]);
    if (strcmp(joined, want) != 0)
        fail_msg("<%s>: <%s>, not <%s>", what, joined, want);
}

static void test_list(void **state)
{
    static const struct {
        const char *resolver;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"127.0.0.1", "127.0.0.1@53"},
        {"127.0.0.1@5353", "127.0.0.1@5353"},
        {"::1", "::1@53"},
        {"[::1]@5353", "::1@5353"},
        {"2001:db8::53@53", "2001:db8::53@53"},
        {"192.0.2.1, 192.0.2.2@54 ,::1", "192.0.2.1@53 192.0.2.2@54 ::1@53"},
        {"1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8",
         "1.1.1.1@53 1.1.1.2@53 1.1.1.3@53 1.1.1.4@53 1.1.1.5@53 1.1.1.6@53 1.1.1.7@53 1.1.1.8@53"},
        {"1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9", NULL},
        {"", NULL},
        {",", NULL},
        {"127.0.0.1,", NULL},
        {"localhost", NULL},
        {"127.0.0.1@", NULL},
        {"127.0.0.1@0", NULL},
        {"127.0.0.1@65536", NULL},
        {"127.0.0.1@domain", NULL},
        {"127.0.0.1@-1", NULL},
        {"127.0.0.1:53", NULL},
        {"127.0.0.256", NULL},
        {"[::1", NULL},
        {"@53", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct strings servers;
        char *problem = NULL;
        bool read = dns_servers_read(cases[i].resolver, "/nonexistent", &servers, &problem);

        if (read != (cases[i].want != NULL))
            fail_msg("<%s>: %s", cases[i].resolver, read ? "taken" : problem);
        if (!read && (problem == NULL || servers.count != 0))
            fail_msg("<%s>: refused without a word", cases[i].resolver);
        if (read)
            expect(cases[i].resolver, &servers, cases[i].want);
        strings_free(&servers);
        free(problem);
    }
}

static void test_system(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } cases[] = {
        {"nameserver 192.0.2.1\n", "192.0.2.1@53"},
        {"# comment\ndomain example.test\nnameserver\t192.0.2.1  \nnameserver ::1\n",
         "192.0.2.1@53 ::1@53"},
        {"nameserver 192.0.2.1", "192.0.2.1@53"},
        {"nameserver nonsense\nnameserver 192.0.2.1\n", "192.0.2.1@53"},
        {"nameservers 192.0.2.1\n", "127.0.0.1@53"},
        {"#nameserver 192.0.2.1\n", "127.0.0.1@53"},
        {"", "127.0.0.1@53"},
        {"options edns0\n", "127.0.0.1@53"},
    };
    char path[] = "/tmp/sluice-resolv.XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct strings servers;
        char *problem = NULL;

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, cases[i].text, strlen(cases[i].text), 0),
                         (ssize_t)strlen(cases[i].text));
        assert_true(dns_servers_read("system", path, &servers, &problem));
        expect(cases[i].text, &servers, cases[i].want);
        strings_free(&servers);
    }
    (void)close(fd);
    (void)unlink(path);
}

static void test_no_file(void **state)
{
    struct strings servers;
    char *problem = NULL;

    (void)state;
    assert_true(dns_servers_read("system", "/nonexistent/resolv.conf", &servers, &problem));
    expect("no file", &servers, "127.0.0.1@53");
    strings_free(&servers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
