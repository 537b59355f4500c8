/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading answers, right and wrong ones. */
#include "lib/dns/records.h"

#include "lib/base/count.h"
#include "tests/support/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAME "example.test"
#define TYPE_CNAME 5
#define TYPE_RRSIG 46

static struct packet packet;

/* Reads a copy of the very size, for the sanitizer to guard. */
static struct dns_records read_packet(enum dns_type type)
{
    uint8_t *copy = malloc(packet.length > 0 ? packet.length : 1);
    struct dns_records records;
    struct dns_name name;

    assert_non_null(copy);
    memcpy(copy, packet.bytes, packet.length);
    assert_true(dns_name_parse(NAME, &name));
    dns_records_read(copy, packet.length, &name, type, &records);
    free(copy);
    return records;
}

static void add(enum dns_type type, uint32_t ttl, const void *data, size_t length)
{
    packet_add(&packet, PACKET_ANSWER, NULL, type, ttl, data, length);
}

static void expect_broken(const char *what, enum dns_type type)
{
    struct dns_records records = read_packet(type);

    if (records.status != DNS_FAILED || records.problem == NULL || records.count != 0)
        fail_msg("%s: status %d with %zu records", what, (int)records.status, records.count);
    dns_records_clear(&records);
}

static void test_a(void **state)
{
    struct dns_records records;
    char text[IP_TEXT_MAX];

    (void)state;
    packet_start(&packet, NAME, DNS_A, 0);
    add(DNS_A, 300, "\xc0\0\2\1", 4);
    add(DNS_A, 200, "\xc0\0\2\2", 4);
    records = read_packet(DNS_A);
    assert_int_equal(records.status, DNS_FOUND);
    assert_int_equal(records.count, 2);
    assert_int_equal(records.ttl_sec, 200);
    ip_format(&records.items[1].address, text);
    assert_string_equal(text, "192.0.2.2");
    dns_records_clear(&records);
}

static void test_aaaa(void **state)
{
    struct dns_records records;
    char text[IP_TEXT_MAX];

    (void)state;
    packet_start(&packet, NAME, DNS_AAAA, 0);
    add(DNS_AAAA, 300, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    add(DNS_AAAA, 300, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
    records = read_packet(DNS_AAAA);
    assert_int_equal(records.count, 2);
    ip_format(&records.items[0].address, text);
    assert_string_equal(text, "2001:db8::1");
    ip_format(&records.items[1].address, text);
    assert_string_equal(text, "192.0.2.1");
    dns_records_clear(&records);
}

static void test_mx(void **state)
{
    struct dns_records records;

    (void)state;
    packet_start(&packet, NAME, DNS_MX, 0);
    add(DNS_MX, 300, "\0\x14\1b\xc0\xc", 6);
    add(DNS_MX, 300, "\0\xa\1C\xc0\xc", 6);
    add(DNS_MX, 300, "\0\xa\1a\4Test\0", 10);
    add(DNS_MX, 300, "\1\0\0", 3);
    records = read_packet(DNS_MX);
    assert_int_equal(records.count, 4);
    assert_string_equal(records.items[0].text, "a.test");
    assert_int_equal(records.items[0].preference, 10);
    assert_string_equal(records.items[1].text, "c." NAME);
    assert_string_equal(records.items[2].text, "b." NAME);
    assert_int_equal(records.items[2].preference, 20);
    assert_string_equal(records.items[3].text, "");
    assert_int_equal(records.items[3].length, 0);
    assert_int_equal(records.items[3].preference, 256);
    dns_records_clear(&records);
}

static void test_txt(void **state)
{
    struct dns_records records;

    (void)state;
    packet_start(&packet, NAME, DNS_TXT, 0);
    add(DNS_TXT, 300, "\7v=spf1 \4-all", 13);
    add(DNS_TXT, 300, "\0", 1);
    add(DNS_TXT, 300, "\3a\0b\0\1c", 7);
    add(DNS_TXT, 300, "", 0);
    records = read_packet(DNS_TXT);
    assert_int_equal(records.count, 4);
    assert_string_equal(records.items[0].text, "v=spf1 -all");
    assert_int_equal(records.items[0].length, 11);
    assert_string_equal(records.items[1].text, "");
    assert_int_equal(records.items[2].length, 4);
    assert_memory_equal(records.items[2].text, "a\0bc", 5);
    assert_string_equal(records.items[3].text, "");
    dns_records_clear(&records);
}

static void test_ptr(void **state)
{
    struct dns_records records;

    (void)state;
    packet_start(&packet, NAME, DNS_PTR, 0);
    add(DNS_PTR, 300, "\4Mail\xc0\xc", 7);
    records = read_packet(DNS_PTR);
    assert_int_equal(records.count, 1);
    assert_string_equal(records.items[0].text, "mail." NAME);
    dns_records_clear(&records);
}

static void test_chain(void **state)
{
    struct dns_records records;

    (void)state;
    packet_start(&packet, NAME, DNS_A, 0);
    packet_add_name(&packet, PACKET_ANSWER, NULL, TYPE_CNAME, 50, "b.test");
    packet_add(&packet, PACKET_ANSWER, NULL, TYPE_RRSIG, 1, "x", 1);
    packet_add_name(&packet, PACKET_ANSWER, "B.Test", TYPE_CNAME, 70, "c.test");
    packet_add(&packet, PACKET_ANSWER, "c.test", DNS_A, 60, "\xc0\0\2\1", 4);
    packet_add(&packet, PACKET_ANSWER, "other.test", DNS_A, 1, "\xc0\0\2\2", 4);
    records = read_packet(DNS_A);
    assert_int_equal(records.status, DNS_FOUND);
    assert_int_equal(records.count, 1);
    assert_int_equal(records.ttl_sec, 50);
    dns_records_clear(&records);

    /* an alias of something that does not have it, or does not exist */
    packet_start(&packet, NAME, DNS_A, 0);
    packet_add_name(&packet, PACKET_ANSWER, NULL, TYPE_CNAME, 50, "b.test");
    packet_add_soa(&packet, 600, 400);
    records = read_packet(DNS_A);
    assert_int_equal(records.status, DNS_NO_DATA);
    assert_int_equal(records.ttl_sec, 50);
    packet.bytes[3] |= 3;
    records = read_packet(DNS_A);
    assert_int_equal(records.status, DNS_ABSENT);
}

static void test_long_chain(void **state)
{
    char from[32] = NAME;
    char to[32];

    (void)state;
    packet_start(&packet, NAME, DNS_A, 0);
    for (int i = 0; i <= DNS_CHAIN_MAX; i++) {
        (void)snprintf(to, sizeof(to), "n%d.test", i);
        packet_add_name(&packet, PACKET_ANSWER, from, TYPE_CNAME, 300, to);
        memcpy(from, to, sizeof(from));
    }
    expect_broken("a chain that is too long", DNS_A);

    packet_start(&packet, NAME, DNS_A, 0);
    for (int i = 0; i < 1000; i++)
        packet_add_name(&packet, PACKET_ANSWER, NULL, TYPE_CNAME, 300, NAME);
    expect_broken("an alias of itself", DNS_A);
}

static void test_negative(void **state)
{
    static const struct {
        const char *name;
        unsigned rcode;
        uint32_t ttl, minimum;
        bool soa;
        enum dns_status want;
        int64_t want_ttl;
    } cases[] = {
        {"no data", 0, 600, 120, true, DNS_NO_DATA, 120},
        {"no data, short TTL", 0, 60, 120, true, DNS_NO_DATA, 60},
        {"no data, no SOA", 0, 0, 0, false, DNS_NO_DATA, 0},
        {"absent", 3, 600, 120, true, DNS_ABSENT, 120},
        {"absent, no SOA", 3, 0, 0, false, DNS_ABSENT, 0},
        {"absent, a negative TTL", 3, 0x80000001, 120, true, DNS_ABSENT, 0},
        {"absent, a negative minimum", 3, 600, 0xffffffff, true, DNS_ABSENT, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dns_records records;

        packet_start(&packet, NAME, DNS_MX, cases[i].rcode);
        if (cases[i].soa)
            packet_add_soa(&packet, cases[i].ttl, cases[i].minimum);
        records = read_packet(DNS_MX);
        if (records.status != cases[i].want || records.ttl_sec != cases[i].want_ttl)
            fail_msg("%s: status %d for %lld s", cases[i].name, (int)records.status,
                     (long long)records.ttl_sec);
        dns_records_clear(&records);
    }
}

static void test_rcodes(void **state)
{
    static const struct {
        unsigned rcode;
        const char *want;
    } cases[] = {
        {1, "FORMERR"}, {2, "SERVFAIL"}, {4, "NOTIMP"},
        {5, "REFUSED"}, {9, "NOTAUTH"},  {15, "an unknown response code"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dns_records records;

        packet_start(&packet, NAME, DNS_A, cases[i].rcode);
        add(DNS_A, 300, "\xc0\0\2\1", 4);
        records = read_packet(DNS_A);
        assert_int_equal(records.status, DNS_FAILED);
        assert_string_equal(records.problem, cases[i].want);
        assert_int_equal(records.count, 0);
    }
}

static void test_wrong_data(void **state)
{
    static const struct {
        const char *name;
        enum dns_type type;
        const char *data;
        size_t length;
    } cases[] = {
        {"A without octets", DNS_A, "", 0},
        {"A of 3", DNS_A, "\1\2\3", 3},
        {"A of 5", DNS_A, "\1\2\3\4\5", 5},
        {"AAAA of 4", DNS_AAAA, "\1\2\3\4", 4},
        {"AAAA of 15", DNS_AAAA, "123456789012345", 15},
        {"AAAA of 17", DNS_AAAA, "12345678901234567", 17},
        {"MX without a name", DNS_MX, "\0\1", 2},
        {"MX of 1", DNS_MX, "\0", 1},
        {"MX, name is cut", DNS_MX, "\0\1\4tes", 6},
        {"MX, name without end", DNS_MX, "\0\1\4test", 7},
        {"MX, octets behind", DNS_MX, "\0\1\1a\0x", 6},
        {"MX, pointer forward", DNS_MX, "\0\1\xc0\xff", 4},
        {"MX, pointer to itself", DNS_MX, "\0\1\xc0\x2c", 4},
        {"PTR of nothing", DNS_PTR, "", 0},
        {"PTR, name is cut", DNS_PTR, "\4tes", 4},
        {"PTR, octets behind", DNS_PTR, "\1a\0x", 4},
        {"TXT, string is cut", DNS_TXT, "\4abc", 4},
        {"TXT, second string is cut", DNS_TXT, "\1a\2b", 4},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        packet_start(&packet, NAME, cases[i].type, 0);
        add(cases[i].type, 300, cases[i].data, cases[i].length);
        expect_broken(cases[i].name, cases[i].type);
    }
    packet_start(&packet, NAME, DNS_A, 0);
    packet_add(&packet, PACKET_ANSWER, NULL, TYPE_CNAME, 300, "\1ax", 3);
    expect_broken("an alias without a target", DNS_A);
    packet_start(&packet, NAME, DNS_A, 0);
    packet_add(&packet, PACKET_AUTHORITY, NULL, 6, 300, "\0\0abc", 5);
    expect_broken("a SOA that is cut", DNS_A);
}

/* Every octet that is missing is noticed, wherever it is cut. */
static void test_cut(void **state)
{
    size_t whole;

    (void)state;
    packet_start(&packet, NAME, DNS_MX, 0);
    packet_add_name(&packet, PACKET_ANSWER, NULL, TYPE_CNAME, 50, "b.test");
    packet_add(&packet, PACKET_ANSWER, "b.test", DNS_MX, 300, "\0\1\1a\4test\0", 10);
    packet_add_soa(&packet, 300, 300);
    whole = packet.length;
    for (packet.length = 0; packet.length < whole; packet.length++)
        expect_broken("a cut packet", DNS_MX);
}

static void test_wrong_packets(void **state)
{
    (void)state;
    packet_start(&packet, NAME, DNS_A, 0);
    packet.bytes[2] = 0;
    expect_broken("a query", DNS_A);
    packet_start(&packet, NAME, DNS_A, 0);
    packet.bytes[2] |= 2;
    expect_broken("a cut answer", DNS_A);
    packet_start(&packet, NAME, DNS_A, 0);
    packet.bytes[5] = 2;
    expect_broken("two questions", DNS_A);
    packet_start(&packet, NAME, DNS_A, 0);
    packet.bytes[5] = 0;
    expect_broken("no question", DNS_A);
    packet_start(&packet, NAME, DNS_MX, 0);
    expect_broken("another type", DNS_A);
    packet_start(&packet, "other.test", DNS_A, 0);
    expect_broken("another name", DNS_A);
    packet_start(&packet, NAME, DNS_A, 0);
    packet.bytes[packet.length - 1] = 3;
    expect_broken("another class", DNS_A);
    packet_start(&packet, NAME, DNS_A, 0);
    packet.bytes[7] = 1;
    expect_broken("a record that is not there", DNS_A);
}

static void test_other_class(void **state)
{
    struct dns_records records;

    (void)state;
    packet_start(&packet, NAME, DNS_A, 0);
    add(DNS_A, 300, "\xc0\0\2\1", 4);
    packet.bytes[packet.length - 11] = 3;
    records = read_packet(DNS_A);
    assert_int_equal(records.status, DNS_NO_DATA);
    dns_records_clear(&records);
}

static void test_too_many(void **state)
{
    struct dns_records records;

    (void)state;
    packet_start(&packet, NAME, DNS_TXT, 0);
    for (int i = 0; i < DNS_RECORDS_MAX + 10; i++)
        add(DNS_TXT, 300, "\1x", 2);
    records = read_packet(DNS_TXT);
    assert_int_equal(records.status, DNS_FOUND);
    assert_int_equal(records.count, DNS_RECORDS_MAX);
    dns_records_clear(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a),           cmocka_unit_test(test_aaaa),
        cmocka_unit_test(test_mx),          cmocka_unit_test(test_txt),
        cmocka_unit_test(test_ptr),         cmocka_unit_test(test_chain),
        cmocka_unit_test(test_long_chain),  cmocka_unit_test(test_negative),
        cmocka_unit_test(test_rcodes),      cmocka_unit_test(test_wrong_data),
        cmocka_unit_test(test_cut),         cmocka_unit_test(test_wrong_packets),
        cmocka_unit_test(test_other_class), cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
