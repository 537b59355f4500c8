/* SPDX-License-Identifier: BSD-2-Clause */
/* Envelope addresses: what is one, what is none and why, and the form they are brought into. */
#include "lib/base/count.h"
#include "lib/message/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OCTETS_16 "0123456789abcdef"
#define OCTETS_63 OCTETS_16 OCTETS_16 OCTETS_16 "0123456789abcde"
#define OCTETS_64 OCTETS_16 OCTETS_16 OCTETS_16 OCTETS_16
#define OCTETS_61 OCTETS_16 OCTETS_16 OCTETS_16 "0123456789abc"
/* 63 + 1 + 63 + 1 + 63 + 1 + 61: the longest name there can be */
#define NAME_253 OCTETS_63 "." OCTETS_63 "." OCTETS_63 "." OCTETS_61

static const struct {
    const char *input;
    const char *text;
    const char *local;
    const char *domain;
} fine[] = {
    {"", "", "", ""},
    {"<>", "", "", ""},
    {"<a@b>", "a@b", "a", "b"},
    {"a@b", "a@b", "a", "b"},
    {"<alice@example.com>", "alice@example.com", "alice", "example.com"},
    {"Alice@Example.COM", "Alice@example.com", "Alice", "example.com"},
    {"first.last@example.com", "first.last@example.com", "first.last", "example.com"},
    {"a.b.c.d@example.com", "a.b.c.d@example.com", "a.b.c.d", "example.com"},
    {"user+tag@example.com", "user+tag@example.com", "user+tag", "example.com"},
    {"user-tag@example.com", "user-tag@example.com", "user-tag", "example.com"},
    {"user_name@example.com", "user_name@example.com", "user_name", "example.com"},
    {"!#$%&'*@example.com", "!#$%&'*@example.com", "!#$%&'*", "example.com"},
    {"+-/=?^_`@example.com", "+-/=?^_`@example.com", "+-/=?^_`", "example.com"},
    {"{|}~@example.com", "{|}~@example.com", "{|}~", "example.com"},
    {"user%other@example.com", "user%other@example.com", "user%other", "example.com"},
    {"host!user@example.com", "host!user@example.com", "host!user", "example.com"},
    {"a=b=c@example.com", "a=b=c@example.com", "a=b=c", "example.com"},
    {"1@example.com", "1@example.com", "1", "example.com"},
    {"-@example.com", "-@example.com", "-", "example.com"},
    {"\"a\"@example.com", "a@example.com", "a", "example.com"},
    {"\"a.b\"@example.com", "a.b@example.com", "a.b", "example.com"},
    {"\"a b\"@example.com", "\"a b\"@example.com", "a b", "example.com"},
    {"\" \"@example.com", "\" \"@example.com", " ", "example.com"},
    {"\"\"@example.com", "\"\"@example.com", "", "example.com"},
    {"\"a@b\"@example.com", "\"a@b\"@example.com", "a@b", "example.com"},
    {"\"a,b\"@example.com", "\"a,b\"@example.com", "a,b", "example.com"},
    {"\"a..b\"@example.com", "\"a..b\"@example.com", "a..b", "example.com"},
    {"\".a\"@example.com", "\".a\"@example.com", ".a", "example.com"},
    {"\"a.\"@example.com", "\"a.\"@example.com", "a.", "example.com"},
    {"\"a\\b\"@example.com", "ab@example.com", "ab", "example.com"},
    {"\"a\\\\b\"@example.com", "\"a\\\\b\"@example.com", "a\\b", "example.com"},
    {"\"a\\\"b\"@example.com", "\"a\\\"b\"@example.com", "a\"b", "example.com"},
    {"\"a\\ b\"@example.com", "\"a b\"@example.com", "a b", "example.com"},
    {"\"<a>\"@example.com", "\"<a>\"@example.com", "<a>", "example.com"},
    {"<\"a>b\"@example.com>", "\"a>b\"@example.com", "a>b", "example.com"},
    {"\"[a]\"@example.com", "\"[a]\"@example.com", "[a]", "example.com"},
    {"\"(a)\"@example.com", "\"(a)\"@example.com", "(a)", "example.com"},
    {"\"a:b;c\"@example.com", "\"a:b;c\"@example.com", "a:b;c", "example.com"},
    {OCTETS_64 "@example.com", OCTETS_64 "@example.com", OCTETS_64, "example.com"},
    {"\"" OCTETS_63 "\\.\"@example.com", "\"" OCTETS_63 ".\"@example.com", OCTETS_63 ".",
     "example.com"},
    {"<@relay.example:a@b>", "a@b", "a", "b"},
    {"@relay.example:a@b", "a@b", "a", "b"},
    {"<@x.example,@y.example:a@b>", "a@b", "a", "b"},
    {"<@x,@y,@z:\"a:b\"@c>", "\"a:b\"@c", "a:b", "c"},
    {"<@[192.0.2.1]:a@b>", "a@b", "a", "b"},
    {"<@[IPv6:2001:db8::1]:a@b>", "a@b", "a", "b"},
    {"<@x:a@[IPv6:::1]>", "a@[IPv6:::1]", "a", "[IPv6:::1]"},
    {"<@x:postmaster>", "postmaster", "postmaster", ""},
    {"postmaster", "postmaster", "postmaster", ""},
    {"<Postmaster>", "Postmaster", "Postmaster", ""},
    {"<POSTMASTER>", "POSTMASTER", "POSTMASTER", ""},
    {"<\"postmaster\">", "postmaster", "postmaster", ""},
    {"<PostMaster@example.com>", "PostMaster@example.com", "PostMaster", "example.com"},
    {"a@localhost", "a@localhost", "a", "localhost"},
    {"a@x", "a@x", "a", "x"},
    {"a@1", "a@1", "a", "1"},
    {"a@3com.com", "a@3com.com", "a", "3com.com"},
    {"a@example.com1", "a@example.com1", "a", "example.com1"},
    {"a@192.0.2.1", "a@192.0.2.1", "a", "192.0.2.1"},
    {"a@a-b.example", "a@a-b.example", "a", "a-b.example"},
    {"a@a--b.example", "a@a--b.example", "a", "a--b.example"},
    {"a@my_host.example", "a@my_host.example", "a", "my_host.example"},
    {"a@_dmarc.example", "a@_dmarc.example", "a", "_dmarc.example"},
    {"a@" OCTETS_63 ".example", "a@" OCTETS_63 ".example", "a", OCTETS_63 ".example"},
    {"a@" NAME_253, "a@" NAME_253, "a", NAME_253},
    {OCTETS_64 "@" NAME_253, OCTETS_64 "@" NAME_253, OCTETS_64, NAME_253},
    {"a@a.b.c.d.e.f.g.h.example", "a@a.b.c.d.e.f.g.h.example", "a", "a.b.c.d.e.f.g.h.example"},
    {"a@xn--bcher-kva.example", "a@xn--bcher-kva.example", "a", "xn--bcher-kva.example"},
    {"a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example", "a", "xn--bcher-kva.example"},
    {"a@b\xc3\xbc"
     "cher.example",
     "a@xn--bcher-kva.example", "a", "xn--bcher-kva.example"},
    {"a@B\xc3\x9c"
     "CHER.example",
     "a@xn--bcher-kva.example", "a", "xn--bcher-kva.example"},
    /* u and a combining diaeresis: not normalised */
    {"a@bu\xcc\x88"
     "cher.example",
     "a@xn--bcher-kva.example", "a", "xn--bcher-kva.example"},
    /* sharp s stays itself, it is not ss */
    {"a@fa\xc3\x9f.example", "a@xn--fa-hia.example", "a", "xn--fa-hia.example"},
    {"a@\xe4\xbe\x8b\xe5\xad\x90.example", "a@xn--fsqu00a.example", "a", "xn--fsqu00a.example"},
    {"a@\xe4\xbe\x8b.\xe6\xb5\x8b\xe8\xaf\x95", "a@xn--fsq.xn--0zwm56d", "a",
     "xn--fsq.xn--0zwm56d"},
    {"a@\xd9\x85\xd8\xab\xd8\xa7\xd9\x84.example", "a@xn--mgbh0fb.example", "a",
     "xn--mgbh0fb.example"},
    /* fullwidth letters, and the ideographic full stop between labels */
    {"a@\xef\xbd\x85\xef\xbd\x98.example", "a@ex.example", "a", "ex.example"},
    {"a@ex\xe3\x80\x82"
     "example",
     "a@ex.example", "a", "ex.example"},
    {"a@my_host.b\xc3\xbc"
     "cher.example",
     "a@my_host.xn--bcher-kva.example", "a", "my_host.xn--bcher-kva.example"},
    {"j\xc3\xb6rg@example.com", "j\xc3\xb6rg@example.com", "j\xc3\xb6rg", "example.com"},
    {"J\xc3\x96RG@b\xc3\xbc"
     "cher.example",
     "J\xc3\x96RG@xn--bcher-kva.example", "J\xc3\x96RG", "xn--bcher-kva.example"},
    {"\"j\xc3\xb6 rg\"@example.com", "\"j\xc3\xb6 rg\"@example.com", "j\xc3\xb6 rg", "example.com"},
    {"\xf0\x9f\x98\x80@example.com", "\xf0\x9f\x98\x80@example.com", "\xf0\x9f\x98\x80",
     "example.com"},
    {"\xe7\x94\xa8\xe6\x88\xb7@\xe4\xbe\x8b\xe5\xad\x90.example",
     "\xe7\x94\xa8\xe6\x88\xb7@xn--fsqu00a.example", "\xe7\x94\xa8\xe6\x88\xb7",
     "xn--fsqu00a.example"},
    {"a@[192.0.2.1]", "a@[192.0.2.1]", "a", "[192.0.2.1]"},
    {"a@[255.255.255.255]", "a@[255.255.255.255]", "a", "[255.255.255.255]"},
    {"a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]"},
    {"a@[ipv6:2001:DB8:0:0::1]", "a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]"},
    {"a@[IPv6:::]", "a@[IPv6:::]", "a", "[IPv6:::]"},
    {"a@[IPv6:1:2:3:4:5:6:7:8]", "a@[IPv6:1:2:3:4:5:6:7:8]", "a", "[IPv6:1:2:3:4:5:6:7:8]"},
    {"a@[IPv6:::ffff:192.0.2.1]", "a@[192.0.2.1]", "a", "[192.0.2.1]"},
    {"a@[x400:c=de/p=example]", "a@[x400:c=de/p=example]", "a", "[x400:c=de/p=example]"},
    {"a@[X-Tag:Content]", "a@[x-tag:Content]", "a", "[x-tag:Content]"},
};

static const struct {
    const char *input;
    enum address_problem want;
} wrong[] = {
    {"@", ADDRESS_BAD_LOCAL},
    {"<@>", ADDRESS_BAD_LOCAL},
    {"@example.com", ADDRESS_BAD_LOCAL},
    {"<@example.com>", ADDRESS_BAD_LOCAL},
    {"\"@example.com", ADDRESS_BAD_LOCAL},
    {"\"a@example.com", ADDRESS_BAD_LOCAL},
    {"a\"@example.com", ADDRESS_BAD_LOCAL},
    {"a\"b\"@example.com", ADDRESS_BAD_LOCAL},
    {"\"a\"b@example.com", ADDRESS_BAD_LOCAL},
    {"\"a\".b@example.com", ADDRESS_BAD_LOCAL},
    {"\"a\"\"b\"@example.com", ADDRESS_BAD_LOCAL},
    {"\"a\\\"@example.com", ADDRESS_BAD_LOCAL},
    {"\"a\\\xc3\xbc\"@example.com", ADDRESS_BAD_LOCAL},
    {"a b@example.com", ADDRESS_BAD_LOCAL},
    {" a@example.com", ADDRESS_BAD_LOCAL},
    {"a @example.com", ADDRESS_BAD_LOCAL},
    {"< a@example.com>", ADDRESS_BAD_LOCAL},
    {".a@example.com", ADDRESS_BAD_LOCAL},
    {"a.@example.com", ADDRESS_BAD_LOCAL},
    {"a..b@example.com", ADDRESS_BAD_LOCAL},
    {".@example.com", ADDRESS_BAD_LOCAL},
    {"a,b@example.com", ADDRESS_BAD_LOCAL},
    {"a;b@example.com", ADDRESS_BAD_LOCAL},
    {"a:b@example.com", ADDRESS_BAD_LOCAL},
    {"mailto:a@example.com", ADDRESS_BAD_LOCAL},
    {"a(b)@example.com", ADDRESS_BAD_LOCAL},
    {"a[b]@example.com", ADDRESS_BAD_LOCAL},
    {"a\\b@example.com", ADDRESS_BAD_LOCAL},
    {"a\\@b@example.com", ADDRESS_BAD_LOCAL},
    {"a<b@example.com", ADDRESS_BAD_LOCAL},
    {"a>b@example.com", ADDRESS_BAD_LOCAL},
    {"<<a@example.com>>", ADDRESS_BAD_LOCAL},
    {"Alice <a@example.com>", ADDRESS_BAD_LOCAL},
    {"<a@example.com", ADDRESS_BAD_LOCAL},
    {OCTETS_64 "x@example.com", ADDRESS_BAD_LOCAL},
    {"\"" OCTETS_64 "x\"@example.com", ADDRESS_BAD_LOCAL},
    {OCTETS_64 "\xc3\xbc@example.com", ADDRESS_BAD_LOCAL},
    {"<@x.example>", ADDRESS_BAD_LOCAL},
    {"<@x.example:>", ADDRESS_BAD_LOCAL},
    {"<@x.example:@b>", ADDRESS_BAD_LOCAL},
    {"<@x@y:a@b>", ADDRESS_BAD_DOMAIN},
    {"<@x.example,:a@b>", ADDRESS_BAD_DOMAIN},
    {"<@x.example,y:a@b>", ADDRESS_BAD_DOMAIN},
    {"<@x..example:a@b>", ADDRESS_BAD_DOMAIN},
    {"<@:a@b>", ADDRESS_BAD_DOMAIN},
    {"alice", ADDRESS_NO_DOMAIN},
    {"<alice>", ADDRESS_NO_DOMAIN},
    {"\"alice smith\"", ADDRESS_NO_DOMAIN},
    {"example.com", ADDRESS_NO_DOMAIN},
    {"postmaster2", ADDRESS_NO_DOMAIN},
    {"a@", ADDRESS_BAD_DOMAIN},
    {"<a@>", ADDRESS_BAD_DOMAIN},
    {"a@.", ADDRESS_BAD_DOMAIN},
    {"a@example.com.", ADDRESS_BAD_DOMAIN},
    {"a@.example.com", ADDRESS_BAD_DOMAIN},
    {"a@example..com", ADDRESS_BAD_DOMAIN},
    {"a@b@example.com", ADDRESS_BAD_DOMAIN},
    {"a@@example.com", ADDRESS_BAD_DOMAIN},
    {"a@example.com@", ADDRESS_BAD_DOMAIN},
    {"a@-example.com", ADDRESS_BAD_DOMAIN},
    {"a@example-.com", ADDRESS_BAD_DOMAIN},
    {"a@example.com-", ADDRESS_BAD_DOMAIN},
    {"a@exam ple.com", ADDRESS_BAD_DOMAIN},
    {"a@example.com ", ADDRESS_BAD_DOMAIN},
    {"a@ example.com", ADDRESS_BAD_DOMAIN},
    {"a@example,com", ADDRESS_BAD_DOMAIN},
    {"a@example/com", ADDRESS_BAD_DOMAIN},
    {"a@example.com:25", ADDRESS_BAD_DOMAIN},
    {"a@example.com>", ADDRESS_BAD_DOMAIN},
    {"<a@example.com>x", ADDRESS_BAD_LOCAL},
    {"a@example.com,b@example.com", ADDRESS_BAD_DOMAIN},
    {"a@\"example\".com", ADDRESS_BAD_DOMAIN},
    {"a@(b)example.com", ADDRESS_BAD_DOMAIN},
    {"a@*.example.com", ADDRESS_BAD_DOMAIN},
    {"a@#123", ADDRESS_BAD_DOMAIN},
    {"a@" OCTETS_64 ".example", ADDRESS_BAD_DOMAIN},
    {"a@b\xc3\xbc"
     "cher..example",
     ADDRESS_BAD_DOMAIN},
    {"a@b\xc3\xbc"
     "cher.example.",
     ADDRESS_BAD_DOMAIN},
    {"a@b\xc3\xbc"
     "cher/example",
     ADDRESS_BAD_DOMAIN},
    /* a soft hyphen alone maps to nothing */
    {"a@x.\xc2\xad.example", ADDRESS_BAD_DOMAIN},
    {"a@" NAME_253 "x", ADDRESS_TOO_LONG},
    {"a@x." NAME_253, ADDRESS_TOO_LONG},
    /* snowman, heart: no letters */
    {"a@\xe2\x98\x83.example", ADDRESS_BAD_IDN},
    {"a@i\xe2\x9d\xa4.example", ADDRESS_BAD_IDN},
    /* account of: maps to "a/c" */
    {"a@\xe2\x84\x80.example", ADDRESS_BAD_IDN},
    /* fullwidth at sign, percent, solidus, and an ideographic space */
    {"a@ex\xef\xbc\xa0"
     "example",
     ADDRESS_BAD_IDN},
    {"a@ex\xef\xbc\x85.example", ADDRESS_BAD_IDN},
    {"a@ex\xef\xbc\x8f.example", ADDRESS_BAD_IDN},
    {"a@ex\xe3\x80\x80.example", ADDRESS_BAD_IDN},
    /* left and right writing in one label; a label that starts with a combining mark */
    {"a@\xd7\x90"
     "a.example",
     ADDRESS_BAD_IDN},
    {"a@\xcc\x88"
     "a.example",
     ADDRESS_BAD_IDN},
    {"a@[]", ADDRESS_BAD_LITERAL},
    {"a@[", ADDRESS_BAD_LITERAL},
    {"a@[192.0.2.1", ADDRESS_BAD_LITERAL},
    {"a@[192.0.2.1]x", ADDRESS_BAD_LITERAL},
    {"a@[192.0.2]", ADDRESS_BAD_LITERAL},
    {"a@[192.0.2.256]", ADDRESS_BAD_LITERAL},
    {"a@[192.0.2.1.5]", ADDRESS_BAD_LITERAL},
    {"a@[192.0.2.01]", ADDRESS_BAD_LITERAL},
    {"a@[192.0.2.1/24]", ADDRESS_BAD_LITERAL},
    {"a@[ 192.0.2.1]", ADDRESS_BAD_LITERAL},
    {"a@[example.com]", ADDRESS_BAD_LITERAL},
    {"a@[2001:db8::1]", ADDRESS_BAD_LITERAL},
    {"a@[::1]", ADDRESS_BAD_LITERAL},
    {"a@[IPv6:]", ADDRESS_BAD_LITERAL},
    {"a@[IPv6:2001:db8:::1]", ADDRESS_BAD_LITERAL},
    {"a@[IPv6:192.0.2.1]", ADDRESS_BAD_LITERAL},
    {"a@[IPv6:fe80::1%eth0]", ADDRESS_BAD_LITERAL},
    {"a@[IPv6:IPv6:::1]", ADDRESS_BAD_LITERAL},
    {"a@[[192.0.2.1]]", ADDRESS_BAD_LITERAL},
    {"a@[tag:]", ADDRESS_BAD_LITERAL},
    {"a@[:content]", ADDRESS_BAD_LITERAL},
    {"a@[tag-:content]", ADDRESS_BAD_LITERAL},
    {"a@[t_g:content]", ADDRESS_BAD_LITERAL},
    {"a@[tag:con tent]", ADDRESS_BAD_LITERAL},
    {"a@[tag:con\\tent]", ADDRESS_BAD_LITERAL},
    {"a@[tag:con@tent]", ADDRESS_BAD_LITERAL},
    {"a@[tag:\xc3\xbc]", ADDRESS_BAD_LITERAL},
    {"a@[tag:" NAME_253 "]", ADDRESS_TOO_LONG},
    {"a\n@example.com", ADDRESS_BAD_ENCODING},
    {"a@example.com\r", ADDRESS_BAD_ENCODING},
    {"a\tb@example.com", ADDRESS_BAD_ENCODING},
    {"\"a\tb\"@example.com", ADDRESS_BAD_ENCODING},
    {"a\x01@example.com", ADDRESS_BAD_ENCODING},
    {"a\x7f@example.com", ADDRESS_BAD_ENCODING},
    {"a\xff@example.com", ADDRESS_BAD_ENCODING},
    {"a\xc3@example.com", ADDRESS_BAD_ENCODING},
    {"a@example.com\xc3", ADDRESS_BAD_ENCODING},
    {"a\xc0\xaf@example.com", ADDRESS_BAD_ENCODING},
    {"a\xe0\x80\xaf@example.com", ADDRESS_BAD_ENCODING},
    {"a\xed\xa0\x80@example.com", ADDRESS_BAD_ENCODING},
    {"a\xf4\x90\x80\x80@example.com", ADDRESS_BAD_ENCODING},
    {"a\xc2\x85@example.com", ADDRESS_BAD_ENCODING},
    {"a\x80@example.com", ADDRESS_BAD_ENCODING},
};

static void check(const char *input, const char *got, const char *want, const char *what)
{
    if (strcmp(got, want) != 0)
        fail_msg("<%s>: %s is <%s>, not <%s>", input, what, got, want);
}

static bool is_ascii(const char *string)
{
    while (*string != '\0' && (unsigned char)*string < 0x80)
        string++;
    return *string == '\0';
}

static void test_fine(void **state)
{
    (void)state;
    assert_true(COUNT_OF(fine) >= 80);
    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        struct address address;
        struct address again;
        enum address_problem problem = address_parse(fine[i].input, false, &address);

        if (problem != ADDRESS_FINE)
            fail_msg("<%s> has problem %d", fine[i].input, (int)problem);
        check(fine[i].input, address.text, fine[i].text, "the text");
        check(fine[i].input, address.local, fine[i].local, "the local part");
        check(fine[i].input, address.domain, fine[i].domain, "the domain");
        if (address.is_literal != (fine[i].domain[0] == '['))
            fail_msg("<%s>: is_literal is wrong", fine[i].input);
        if (address.needs_smtputf8 == is_ascii(fine[i].local))
            fail_msg("<%s>: needs_smtputf8 is wrong", fine[i].input);
        if (address_is_null(&address) != (fine[i].text[0] == '\0'))
            fail_msg("<%s>: address_is_null() is wrong", fine[i].input);

        /* what was made is an address, and the same one */
        if (address_parse(address.text, false, &again) != ADDRESS_FINE)
            fail_msg("<%s> became <%s>, which does not parse", fine[i].input, address.text);
        check(fine[i].input, again.text, address.text, "the text parsed again");
        address_clear(&again);
        address_clear(&address);
        assert_null(address.text);
    }
}

static void test_wrong(void **state)
{
    (void)state;
    assert_true(COUNT_OF(wrong) >= 80);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct address address;
        enum address_problem problem = address_parse(wrong[i].input, false, &address);

        if (problem != wrong[i].want)
            fail_msg("<%s>: problem %d, not %d", wrong[i].input, (int)problem, (int)wrong[i].want);
        check(wrong[i].input, address.local, "", "the local part");
        check(wrong[i].input, address.domain, "", "the domain");
        assert_false(address_is_null(&address));
        assert_true(strlen(address_problem_text(problem)) > 10);
        address_clear(&address);
    }
}

static void test_bare(void **state)
{
    static const struct {
        const char *input;
        enum address_problem want;
    } cases[] = {
        {"root", ADDRESS_FINE},      {"<root>", ADDRESS_FINE},      {"www-data", ADDRESS_FINE},
        {"\"a b\"", ADDRESS_FINE},   {"first.last", ADDRESS_FINE},  {"a b", ADDRESS_BAD_LOCAL},
        {"a..b", ADDRESS_BAD_LOCAL}, {"root@", ADDRESS_BAD_DOMAIN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct address address;
        enum address_problem problem = address_parse(cases[i].input, true, &address);

        if (problem != cases[i].want)
            fail_msg("<%s>: problem %d, not %d", cases[i].input, (int)problem, (int)cases[i].want);
        address_clear(&address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fine),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_bare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
