/* SPDX-License-Identifier: BSD-2-Clause */
/* Which way mail between two domains goes out. */
#include "lib/base/count.h"
#include "lib/conf/conf.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char relays[] =
    "hostname = mx.example.com\n"
    "relay one.relay.test { include = {\"_spf.one.test\"} senders = {\"a.test\", \".a.test\"} }\n"
    "relay two.relay.test { include = {\"_spf.two.test\"} recipients = {\".big.test\"} }\n"
    "relay three.relay.test { include = {\"_spf.three.test\"} senders = {\"b.test\"}"
    " recipients = {\"c.test\"} }\n";

static void test_relay_for(void **state)
{
    static const struct {
        const char *name, *sender, *recipient;
        size_t want;
    } cases[] = {
        {"by the sender", "a.test", "x.test", 0},
        {"in any case", "A.Test", "x.test", 0},
        {"below the sender", "sub.a.test", "x.test", 0},
        {"the first that takes it", "a.test", "mail.big.test", 0},
        {"like the sender", "nota.test", "x.test", 3},
        {"by the recipient", "x.test", "mail.big.test", 1},
        {"the domain itself is not below it", "x.test", "big.test", 3},
        {"both", "b.test", "c.test", 2},
        {"the sender alone", "b.test", "d.test", 3},
        {"the recipient alone", "d.test", "c.test", 3},
        {"none", "x.test", "x.test", 3},
        {"a bounce", "", "x.test", 3},
    };
    struct conf *conf = load_good(relays, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t got = conf_relay_for(conf, cases[i].sender, cases[i].recipient);

        if (got != cases[i].want)
            fail_msg("%s: %zu in place of %zu", cases[i].name, got, cases[i].want);
    }
    assert_string_equal(conf_outgoing_helo(conf), "mx.example.com");
    conf_release(&conf);
    conf = load_good("hostname = mx.example.com\noutgoing-helo = out.example.com\n"
                     "relay all.relay.test { include = {\"_spf.all.test\"} }\n",
                     NULL);
    assert_int_equal(conf_relay_for(conf, "", ""), 0);
    assert_string_equal(conf_outgoing_helo(conf), "out.example.com");
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relay_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
