/* SPDX-License-Identifier: BSD-2-Clause */
/* Domain names: from text, from packets, reverse names. */
#include "lib/dns/name.h"

#include "lib/base/count.h"
#include "lib/dns/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define L63 "012345678901234567890123456789012345678901234567890123456789012"
#define L61 "0123456789012345678901234567890123456789012345678901234567890"
#define NAME_253 L63 "." L63 "." L63 "." L61

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: no name */
    } cases[] = {
        {".", ""},
        {"test", "test"},
        {"Example.TEST", "example.test"},
        {"example.test.", "example.test"},
        {"_dmarc.example.test", "_dmarc.example.test"},
        {"s1._domainkey.example.test", "s1._domainkey.example.test"},
        {"2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa"},
        {"a/b*c.test", "a/b*c.test"},
        {L63 ".test", L63 ".test"},
        {NAME_253, NAME_253},
        {NAME_253 ".", NAME_253},
        {"", NULL},
        {"..", NULL},
        {".test", NULL},
        {"a..test", NULL},
        {"test..", NULL},
        {"a test", "a\\032test"},
        {"a\ttest", NULL},
        {"a\\.test", NULL},
        {"b\xc3\xbc.test", NULL},
        {L63 "3.test", NULL},
        {NAME_253 "3", NULL},
        {"x." NAME_253, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[DNS_NAME_TEXT_ROOM];
        struct dns_name name;
        struct dns_name again;
        size_t length;
        size_t at = 0;

        if (!dns_name_parse(cases[i].text, &name)) {
            if (cases[i].want != NULL)
                fail_msg("<%s> is no name", cases[i].text);
            continue;
        }
        if (cases[i].want == NULL)
            fail_msg("<%s> is a name", cases[i].text);
        length = dns_name_format(&name, text);
        assert_int_equal(length, strlen(text));
        if (strcmp(text, cases[i].want) != 0)
            fail_msg("<%s> became <%s>", cases[i].text, text);
        /* what is made is what a packet has */
        assert_true(dns_name_read(name.octets, name.length, &at, &again));
        assert_int_equal(at, name.length);
        assert_true(dns_name_equal(&name, &again));
    }
}

static void test_read(void **state)
{
    static const struct {
        const char *what;
        const char *octets;
        size_t length;
        size_t at;
        const char *want; /* NULL: no name */
        size_t end;
    } cases[] = {
        {"root", "\0", 1, 0, "", 1},
        {"labels", "\3WwW\4test\0x", 11, 0, "www.test", 10},
        {"pointer", "\4test\0\xc0\0", 8, 6, "test", 8},
        {"label and pointer", "\4test\0\1a\xc0\0x", 11, 6, "a.test", 10},
        {"pointer to a pointer", "\4test\0\1a\xc0\0\1b\xc0\6", 14, 10, "b.a.test", 14},
        {"pointer into a name", "\1a\4test\0\xc0\2", 10, 8, "test", 10},
        {"a dot in a label", "\3a.b\0", 5, 0, "a\\.b", 5},
        {"a control character", "\2a\n\0", 4, 0, "a\\010", 4},
        {"not ASCII", "\2a\xff\0", 4, 0, "a\\255", 4},
        {"a backslash", "\2a\\\0", 4, 0, "a\\\\", 4},
        {"nothing", "", 0, 0, NULL, 0},
        {"behind the end", "\0", 1, 1, NULL, 0},
        {"no end", "\4test", 5, 0, NULL, 0},
        {"a label that is cut", "\5test\0", 6, 0, NULL, 0},
        {"a pointer that is cut", "\4test\0\xc0", 7, 6, NULL, 0},
        {"a pointer to itself", "\xc0\0", 2, 0, NULL, 0},
        {"a pointer forward", "\xc0\2\4test\0", 8, 0, NULL, 0},
        {"a pointer behind the end", "\0\xc0\xff", 3, 1, NULL, 0},
        {"a loop of two", "\1a\xc0\4\1b\xc0\0", 8, 4, NULL, 0},
        {"a loop through a label", "\1a\xc0\0", 4, 0, NULL, 0},
        {"an extended label",
         "\x41"
         "a\0",
         3, 0, NULL, 0},
        {"a reserved label", "\x80\0", 2, 0, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        /* a copy of the very size, for the sanitizer to guard */
        uint8_t *packet = malloc(cases[i].length > 0 ? cases[i].length : 1);
        char text[DNS_NAME_TEXT_ROOM];
        struct dns_name name;
        size_t at = cases[i].at;
        bool read;

        assert_non_null(packet);
        memcpy(packet, cases[i].octets, cases[i].length);
        read = dns_name_read(packet, cases[i].length, &at, &name);
        if (read != (cases[i].want != NULL))
            fail_msg("%s: %s", cases[i].what, read ? "read" : "not read");
        if (read) {
            (void)dns_name_format(&name, text);
            if (strcmp(text, cases[i].want) != 0 || at != cases[i].end)
                fail_msg("%s: <%s>, up to %zu", cases[i].what, text, at);
        }
        free(packet);
    }
}

/* 255 octets are a name, 256 are none, however they are put together. */
static void test_read_length(void **state)
{
    uint8_t packet[600];
    struct dns_name name;
    size_t at = 0;

    (void)state;
    memset(packet, 'x', sizeof(packet));
    for (size_t i = 0; i < 5; i++)
        packet[i * 64] = 63;
    packet[192] = 61;
    packet[254] = 0;
    assert_true(dns_name_read(packet, sizeof(packet), &at, &name));
    assert_int_equal(name.length, DNS_NAME_MAX);
    packet[192] = 62;
    packet[255] = 0;
    at = 0;
    assert_false(dns_name_read(packet, sizeof(packet), &at, &name));
    /* one more octet by a label in front of a pointer to the longest */
    packet[192] = 61;
    packet[254] = 0;
    packet[300] = 1;
    packet[302] = 0xc0;
    packet[303] = 0;
    at = 300;
    assert_false(dns_name_read(packet, sizeof(packet), &at, &name));
}

static void test_reverse(void **state)
{
    static const struct {
        const char *address;
        const char *want;
    } cases[] = {
        {"198.51.100.9", "9.100.51.198.in-addr.arpa"},
        {"10.2.3.4", "4.3.2.10.in-addr.arpa"},
        {"::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa"},
        {"2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
                               "ip6.arpa"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address address;
        struct dns_name name;
        char *reverse;

        assert_true(ip_parse(cases[i].address, &address));
        reverse = dns_reverse_name(&address);
        assert_string_equal(reverse, cases[i].want);
        assert_true(dns_name_parse(reverse, &name));
        free(reverse);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_length),
        cmocka_unit_test(test_reverse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
