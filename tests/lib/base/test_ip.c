/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "lib/base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ip_address address_of(const char *string)
{
    struct ip_address address = {0};

    if (!ip_parse(string, &address))
        fail_msg("%s: not an address", string);
    return address;
}

static void test_addresses(void **state)
{
    static const struct {
        const char *name, *input, *want; /* NULL: not an address */
    } cases[] = {
        {"IPv4", "192.0.2.1", "192.0.2.1"},
        {"IPv6", "2001:db8::1", "2001:db8::1"},
        {"IPv6 in full", "2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        {"one zero group stays", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"the longest run is cut", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"unspecified", "::", "::"},
        {"Postfix' tag", "IPv6:2001:db8::1", "2001:db8::1"},
        {"the tag in another case", "ipv6:::1", "::1"},
        {"brackets", "[192.0.2.1]", "192.0.2.1"},
        {"brackets and tag", "[IPv6:2001:db8::1]", "2001:db8::1"},
        {"mapped", "::ffff:192.0.2.1", "192.0.2.1"},
        {"mapped in hex", "::FFFF:c000:201", "192.0.2.1"},
        {"mapped with tag", "IPv6:::ffff:192.0.2.1", "192.0.2.1"},
        {"IPv4 under the tag", "IPv6:192.0.2.1", NULL},
        {"empty", "", NULL},
        {"empty brackets", "[]", NULL},
        {"tag alone", "IPv6:", NULL},
        {"half a bracket", "[192.0.2.1", NULL},
        {"the other half", "192.0.2.1]", NULL},
        {"three parts", "192.0.2", NULL},
        {"five parts", "192.0.2.1.5", NULL},
        {"over an octet", "192.0.2.256", NULL},
        {"octal", "192.0.2.010", NULL},
        {"space", " 192.0.2.1", NULL},
        {"network", "192.0.2.0/24", NULL},
        {"scope", "fe80::1%eth0", NULL},
        {"two gaps", "2001::db8::1", NULL},
        {"name", "unknown", NULL},
        {"very long", "1111111111111111111111111111111111111111111111111111111111111111111111",
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address address = {0};
        char text[IP_TEXT_MAX] = "";
        bool is_address = ip_parse(cases[i].input, &address);

        ip_format(&address, text);
        if (is_address != (cases[i].want != NULL) ||
            strcmp(text, cases[i].want != NULL ? cases[i].want : "") != 0)
            fail_msg("%s: got \"%s\"", cases[i].name, text);
    }
}

static void test_mapped_is_the_same_address(void **state)
{
    struct ip_address plain = address_of("192.0.2.1");
    struct ip_address mapped = address_of("::ffff:192.0.2.1");

    (void)state;
    assert_memory_equal(&plain, &mapped, sizeof(plain));
}

static void test_sockaddr(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct ip_address address;
    struct ip_address want = address_of("192.0.2.1");

    (void)state;
    assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr), 1);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6.sin6_addr), 1);
    assert_true(ip_from_sockaddr((const struct sockaddr *)&v4, &address));
    assert_memory_equal(&address, &want, sizeof(want));
    assert_true(ip_from_sockaddr((const struct sockaddr *)&v6, &address));
    assert_memory_equal(&address, &want, sizeof(want));
    assert_false(ip_from_sockaddr(&other, &address));
}

static void test_to_sockaddr(void **state)
{
    static const struct {
        const char *input;
        int family;
        socklen_t length;
    } cases[] = {
        {"192.0.2.1", AF_INET, sizeof(struct sockaddr_in)},
        {"2001:db8::1", AF_INET6, sizeof(struct sockaddr_in6)},
    };
    const struct ip_address none = {.family = 0};
    struct sockaddr_storage storage;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address want = address_of(cases[i].input);
        struct ip_address back;
        uint16_t port;

        memset(&storage, 0xff, sizeof(storage));
        if (ip_to_sockaddr(&want, 10040, &storage) != cases[i].length ||
            storage.ss_family != cases[i].family)
            fail_msg("%s: wrong family or length", cases[i].input);
        /* The port is at the same place in both families. */
        port = ((const struct sockaddr_in *)&storage)->sin_port;
        if (ntohs(port) != 10040 || !ip_from_sockaddr((struct sockaddr *)&storage, &back) ||
            memcmp(&back, &want, sizeof(want)) != 0)
            fail_msg("%s: came back as another", cases[i].input);
    }
    assert_int_equal(ip_to_sockaddr(&none, 25, &storage), 0);
}

static void test_networks(void **state)
{
    static const struct {
        const char *name, *input, *want,
            *problem; /* want NULL: a problem whose text holds problem */
    } cases[] = {
        {"IPv4", "10.0.0.0/8", "10.0.0.0/8", NULL},
        {"one host", "192.0.2.1", "192.0.2.1", NULL},
        {"one host with its prefix", "192.0.2.1/32", "192.0.2.1", NULL},
        {"everything", "0.0.0.0/0", "0.0.0.0/0", NULL},
        {"an odd prefix", "192.0.2.160/27", "192.0.2.160/27", NULL},
        {"IPv6", "2001:db8::/32", "2001:db8::/32", NULL},
        {"IPv6 host", "::1", "::1", NULL},
        {"IPv6 everything", "::/0", "::/0", NULL},
        {"Postfix' brackets", "[2001:db8::]/32", "2001:db8::/32", NULL},
        {"brackets, one host", "[::1]", "::1", NULL},
        {"mapped", "::ffff:10.0.0.0/104", "10.0.0.0/8", NULL},
        {"mapped in brackets", "[::ffff:10.0.0.0]/104", "10.0.0.0/8", NULL},
        {"mapped host", "::ffff:10.0.0.1", "10.0.0.1", NULL},
        {"mapped, too wide", "::ffff:0.0.0.0/95", NULL, "96"},
        {"host bit", "10.0.0.1/8", NULL, "bit"},
        {"host bit next to the prefix", "192.0.2.176/27", NULL, "bit"},
        {"host bit in IPv6", "2001:db8::1/64", NULL, "bit"},
        {"too many bits", "10.0.0.0/33", NULL, "32"},
        {"too many bits in IPv6", "2001:db8::/129", NULL, "128"},
        {"very many bits", "10.0.0.0/4294967304", NULL, "number"},
        {"no bits", "10.0.0.0/", NULL, "number"},
        {"negative", "10.0.0.0/-8", NULL, "number"},
        {"netmask", "10.0.0.0/255.0.0.0", NULL, "number"},
        {"prefix in the brackets", "[2001:db8::/32]", NULL, "address"},
        {"name", "localhost/8", NULL, "address"},
        {"empty", "", NULL, "address"},
        {"only a prefix", "/8", NULL, "address"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_network network = {0};
        const char *problem = "";
        char text[IP_TEXT_MAX] = "";
        bool is_network = ip_network_parse(cases[i].input, &network, &problem);

        ip_network_format(&network, text);
        if (is_network != (cases[i].want != NULL))
            fail_msg("%s: got \"%s\", problem \"%s\"", cases[i].name, text, problem);
        if (is_network && strcmp(text, cases[i].want) != 0)
            fail_msg("%s: got \"%s\"", cases[i].name, text);
        if (!is_network && strstr(problem, cases[i].problem) == NULL)
            fail_msg("%s: problem \"%s\"", cases[i].name, problem);
    }
}

static void test_contains(void **state)
{
    static const struct {
        const char *network, *address;
        bool want;
    } cases[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"192.0.2.160/27", "192.0.2.191", true},
        {"192.0.2.160/27", "192.0.2.192", false},
        {"192.0.2.160/27", "192.0.2.159", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"2001:db8::1", "2001:db8::1", true},
    };
    struct ip_address nothing = {0};
    struct ip_network everything = ip_network_of(&nothing, 0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address address = address_of(cases[i].address);
        struct ip_network network = {0};
        const char *problem = "";

        assert_true(ip_network_parse(cases[i].network, &network, &problem));
        if (ip_network_contains(&network, &address) != cases[i].want)
            fail_msg("%s in %s: want %d", cases[i].address, cases[i].network, cases[i].want);
    }
    assert_false(ip_network_contains(&everything, &nothing));
}

static void test_network_of(void **state)
{
    static const struct {
        const char *address;
        unsigned prefix;
        const char *want;
    } cases[] = {
        {"203.0.113.77", 24, "203.0.113.0/24"},
        {"203.0.113.77", 0, "0.0.0.0/0"},
        {"203.0.113.77", 31, "203.0.113.76/31"},
        {"203.0.113.77", 32, "203.0.113.77"},
        {"203.0.113.77", 64, "203.0.113.77"},
        {"2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"},
        {"2001:db8:1:2:3:4:5:6", 127, "2001:db8:1:2:3:4:5:6/127"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address address = address_of(cases[i].address);
        struct ip_network network = ip_network_of(&address, cases[i].prefix);
        char text[IP_TEXT_MAX];

        ip_network_format(&network, text);
        if (strcmp(text, cases[i].want) != 0)
            fail_msg("%s/%u: got %s", cases[i].address, cases[i].prefix, text);
    }
}

static void test_public(void **state)
{
    static const struct {
        const char *address;
        bool want;
    } cases[] = {
        {"9.9.9.9", true},
        {"11.0.0.0", true},
        {"172.15.255.255", true},
        {"172.32.0.0", true},
        {"100.63.255.255", true},
        {"223.255.255.255", true},
        {"2620:fe::fe", true},
        {"2001:200::1", true},
        {"64:ff9b::9.9.9.9", true},
        {"0.0.0.0", false},
        {"10.1.2.3", false},
        {"100.64.0.1", false},
        {"127.0.0.1", false},
        {"::ffff:127.0.0.1", false},
        {"169.254.1.1", false},
        {"172.31.255.255", false},
        {"192.0.0.8", false},
        {"192.0.2.1", false},
        {"192.168.1.1", false},
        {"198.19.0.1", false},
        {"198.51.100.1", false},
        {"203.0.113.1", false},
        {"224.0.0.1", false},
        {"255.255.255.255", false},
        {"::", false},
        {"::1", false},
        {"64:ff9b::10.0.0.1", false},
        {"100::1", false},
        {"2001::1", false},
        {"2001:db8::1", false},
        {"3fff::1", false},
        {"4000::1", false},
        {"fc00::1", false},
        {"fd12::1", false},
        {"fe80::1", false},
        {"ff02::1", false},
    };
    struct ip_address nothing = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address address = address_of(cases[i].address);

        if (ip_is_public(&address) != cases[i].want)
            fail_msg("%s: want %d", cases[i].address, cases[i].want);
    }
    assert_false(ip_is_public(&nothing));
}

static void test_local_kinds(void **state)
{
    static const struct {
        const char *address, *want;
    } cases[] = {
        {"127.0.0.1", "loopback"},
        {"127.255.0.1", "loopback"},
        {"::1", "loopback"},
        {"10.0.0.1", "private"},
        {"172.31.0.1", "private"},
        {"172.32.0.1", NULL},
        {"192.168.255.1", "private"},
        {"100.64.0.1", "private"},
        {"fd00::1", "private"},
        {"169.254.1.1", "link-local"},
        {"fe80::1", "link-local"},
        {"0.0.0.0", "unspecified"},
        {"::", "unspecified"},
        {"9.9.9.9", NULL},
        {"203.0.113.7", NULL},
        {"2001:db8::1", NULL},
        {"::ffff:10.0.0.1", "private"},
    };
    struct ip_address nothing = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address address = address_of(cases[i].address);
        const char *kind = ip_local_kind(&address);

        if ((kind == NULL) != (cases[i].want == NULL) ||
            (kind != NULL && strcmp(kind, cases[i].want) != 0))
            fail_msg("%s: %s", cases[i].address, kind != NULL ? kind : "none");
        assert_int_equal(ip_is_loopback(&address),
                         cases[i].want != NULL && strcmp(cases[i].want, "loopback") == 0);
    }
    assert_null(ip_local_kind(&nothing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),   cmocka_unit_test(test_mapped_is_the_same_address),
        cmocka_unit_test(test_sockaddr),    cmocka_unit_test(test_to_sockaddr),
        cmocka_unit_test(test_networks),    cmocka_unit_test(test_contains),
        cmocka_unit_test(test_network_of),  cmocka_unit_test(test_public),
        cmocka_unit_test(test_local_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
