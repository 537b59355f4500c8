/* SPDX-License-Identifier: BSD-2-Clause */
/* Subjects as an operator writes them. */
#include "ctl/subject.h"
#include "lib/base/count.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] = "hostname = mx.example.com\nlocal-domains = example.com\n";

static void test_names(void **state)
{
    static const struct {
        const char *input, *want;
    } cases[] = {
        {"alice@example.com", "user:alice@example.com"},
        {"Alice+news@Example.com", "user:alice@example.com"},
        {"alice", "user:alice"},
        {"user:alice@example.com", "user:alice@example.com"},
        {"user:192.0.2.1", "user:192.0.2.1"},
        {"sender:Bob@Example.com", "sender:bob@example.com"},
        {"sender:bob+x@example.com", "sender:bob@example.com"},
        {"sender-domain:Example.COM", "sender-domain:example.com"},
        {"sender-domain:bücher.example", "sender-domain:xn--bcher-kva.example"},
        {"192.0.2.7", "client:192.0.2.7"},
        {"192.0.2.0/24", "client-network:192.0.2.0/24"},
        {"2001:db8::/64", "client-network:2001:db8::/64"},
        {"192.0.2.7/24", "user:192.0.2.7/24"},
        {"::ffff:192.0.2.7", "client:192.0.2.7"},
        {"2001:db8::1", "client:2001:db8::1"},
        {"client:2001:DB8::1", "client:2001:db8::1"},
        {"client-network:192.0.2.7", "client-network:192.0.2.0/24"},
        {"client-network:192.0.2.0/24", "client-network:192.0.2.0/24"},
        {"client-network:2001:db8::/64", "client-network:2001:db8::/64"},
        {"recipient-domain:Example.net", "recipient-domain:example.net"},
        {"helo:PC.Example.com", "helo:pc.example.com"},
        {"recipient:Bob+x@Example.net", "recipient:bob@example.net"},
        {"host", "host:mx.example.com"},
        {"host:MX2.example.com", "host:mx2.example.com"},
        {"all", "all:*"},
        {"all:*", "all:*"},
    };
    struct conf *conf = conf_of(text);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct subject subject;
        char *problem = NULL;

        if (!subject_parse(conf, cases[i].input, &subject, &problem))
            fail_msg("%s: %s", cases[i].input, problem);
        if (strcmp(subject.name, cases[i].want) != 0)
            fail_msg("%s: \"%s\" in place of \"%s\"", cases[i].input, subject.name, cases[i].want);
        subject_clear(&subject);
    }
    conf_release(&conf);
}

static void test_problems(void **state)
{
    static const struct {
        const char *input, *want;
    } cases[] = {
        {"usr:alice", "unknown kind of subject \"usr\""},
        {"usr:alice", "did you mean \"user\"?"},
        {"client:example.com", "\"example.com\" is no client"},
        {"client-network:192.0.2.1/99", "is no client-network"},
        {"sender:", "\"\" is no sender"},
        {"user:", "\"\" cannot be a login: it is empty"},
        {"", "\"\" cannot be a login: it is empty"},
        {"sender-domain:a..b", "is no sender-domain"},
        {"recipient-domain:", "cannot be a domain: it is empty"},
    };
    struct conf *conf = conf_of(text);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct subject subject;
        char *problem = NULL;

        if (subject_parse(conf, cases[i].input, &subject, &problem))
            fail_msg("%s is %s", cases[i].input, subject.name);
        if (strstr(problem, cases[i].want) == NULL)
            fail_msg("%s: \"%s\" in place of \"%s\"", cases[i].input, problem, cases[i].want);
        subject_clear(&subject);
        free(problem);
    }
    conf_release(&conf);
}

/* What the classes of the configuration are asked about. */
static void test_classes(void **state)
{
    struct conf *conf =
        conf_of("limit l { subject = sender-domain count = messages max = 1 per = 1h }\n"
                "class c { members = \"@example.com\" limit l { max = 5 } }\n");
    struct subject subject;
    char *problem = NULL;

    (void)state;
    assert_true(subject_parse(conf, "sender-domain:example.com", &subject, &problem));
    assert_int_equal(conf_limit_max(conf, &conf->limits[0],
                                    &(struct conf_person){.login = subject.login,
                                                          .sender = subject.sender,
                                                          .client = &subject.client},
                                    NULL),
                     5);
    subject_clear(&subject);
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
