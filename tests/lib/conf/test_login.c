/* SPDX-License-Identifier: BSD-2-Clause */
/* Which addresses a login may use. */
#include "lib/base/count.h"
#include "lib/conf/conf.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *name, *rules, *login, *address;
    bool want;
} cases[] = {
    {"equal", "equal", "alice@example.com", "alice@example.com", true},
    {"equal, case", "equal", "Alice@example.com", "alice@EXAMPLE.com", true},
    {"another's", "equal", "alice@example.com", "bob@example.com", false},
    {"subaddress", "equal", "alice@example.com", "alice+tag@example.com", true},
    {"not a subaddress", "equal", "alice@example.com", "alice-tag@example.com", false},
    {"only a subaddress", "equal", "alice@example.com", "+tag@example.com", false},
    {"longer", "equal", "alice@example.com", "alicex@example.com", false},
    {"login without domain", "equal", "alice", "alice@example.com", true},
    {"login without domain, subaddress", "equal", "alice", "alice+x@example.com", true},
    {"login without domain, foreign domain", "equal", "alice", "alice@example.net", false},
    {"login that begins alike", "equal", "ali", "alice@example.com", false},
    {"login with a subaddress", "equal", "alice+x@example.com", "alice+x@example.com", true},
    {"login with a subaddress, its owner", "equal", "alice+x@example.com", "alice@example.com",
     true},
    {"login with a subaddress, another", "equal", "alice+x@example.com", "alice+y@example.com",
     true},
    {"login with a subaddress, somebody else", "equal", "alice+x@example.com", "bob+x@example.com",
     false},
    {"login with a subaddress, longer", "equal", "alice+x@example.com", "alicex@example.com",
     false},
    {"login with a subaddress, elsewhere", "equal", "alice+x@example.com", "alice@example.net",
     false},
    {"login with a subaddress and no domain", "equal", "alice+x", "alice+x@example.com", true},
    {"login with a subaddress and no domain, its owner", "equal", "alice+x", "alice@example.com",
     true},
    {"login with only a subaddress", "equal", "+x", "alice@example.com", false},
    {"map, login with a subaddress", "\"inline:{ s@example.com=bob }\"", "bob+x", "s@example.com",
     true},
    {"bounce", "equal", "alice@example.com", "", true},
    {"address without domain", "equal", "alice", "alice", true},
    {"no domain behind the at", "equal", "alice@", "alice@", false},
    {"IDN", "equal", "a@bücher.example", "a@xn--bcher-kva.example", true},
    {"domain", "domain", "alice@example.com", "sales@example.com", true},
    {"domain, case", "domain", "alice@Example.com", "sales@example.COM", true},
    {"other domain", "domain", "alice@example.com", "sales@example.net", false},
    {"subdomain", "domain", "alice@example.com", "sales@a.example.com", false},
    {"domain, bare login", "domain", "alice", "sales@example.com", false},
    {"map", "\"inline:{ sales@example.com=alice@example.com }\"", "alice@example.com",
     "sales@example.com", true},
    {"map of another", "\"inline:{ sales@example.com=alice@example.com }\"", "bob@example.com",
     "sales@example.com", false},
    {"map, several", "\"inline:{ {s@example.com = a@example.com, Bob  carol} }\"", "bob",
     "s@example.com", true},
    {"map, part of a login", "\"inline:{ {s@example.com = bobby} }\"", "bob", "s@example.com",
     false},
    {"map, subaddress", "\"inline:{ s@example.com=bob }\"", "bob", "s+x@example.com", true},
    {"map, local part", "\"inline:{ s=bob }\"", "bob", "s@example.com", true},
    {"map, local part of a foreign domain", "\"inline:{ s=bob }\"", "bob", "s@example.net", false},
    {"map, whole domain", "\"inline:{ @example.net=bob }\"", "bob", "s@example.net", true},
    {"map, the address comes first", "\"inline:{ @example.net=bob, s@example.net=alice }\"", "bob",
     "s@example.net", false},
    {"one rule of several", "equal, domain, \"inline:{ s@example.net=bob@example.com }\"",
     "bob@example.com", "s@example.net", true},
};

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[256];
        struct conf *conf;

        (void)snprintf(text, sizeof(text), "local-domains = {example.com} sender-login = {%s}",
                       cases[i].rules);
        conf = load_good(text, NULL);
        if (conf_login_may_use(conf, cases[i].login, cases[i].address) != cases[i].want)
            fail_msg("%s", cases[i].name);
        conf_release(&conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
