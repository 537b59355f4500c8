/* SPDX-License-Identifier: BSD-2-Clause */
/* All failed lookups of a message stand in one finding; and whose program made the message. */
#include "lib/base/count.h"
#include "lib/decide/dns_failure.h"
#include "lib/decide/maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *field_of(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->nfields; i++)
        if (strcmp(finding->fields[i].name, name) == 0)
            return finding->fields[i].value;
    return "";
}

static void add(struct message *message, const char *domain, const char *type, const char *name,
                const char *problem, long recipient)
{
    dns_failure_add(message, &(struct dns_failure){.domain = domain,
                                                   .type = type,
                                                   .name = name,
                                                   .problem = problem,
                                                   .recipient = recipient});
}

static void test_one_finding(void **state)
{
    struct message *message = message_new(PROGRAM_MILTER, "mx.one.test");
    const struct finding *finding;

    (void)state;
    add(message, "a.test", "MX", "a.test", "SERVFAIL", 0);
    finding = &message->findings.items[0];
    assert_int_equal(finding->recipient, 0);
    assert_string_equal(field_of(finding, "problem"), "SERVFAIL");
    assert_string_equal(finding->hint, "the name servers of a.test or our resolver do not answer: "
                                       "try \"dig MX a.test\"");
    add(message, "b.test", "MX", "b.test", "SERVFAIL", 1);
    add(message, "a.test", "MX", "a.test", "SERVFAIL", -1);
    add(message, "a.test", "TXT", "_dmarc.a.test", "_dmarc.a.test: timeout", -1);
    add(message, "a.test", "TXT", "a.test", "_spf.c.test TXT: timeout", -1);
    assert_int_equal(message->findings.count, 1);
    finding = &message->findings.items[0];
    assert_int_equal(finding->recipient, -1);
    assert_string_equal(field_of(finding, "domain"), "a.test,b.test");
    assert_string_equal(field_of(finding, "problem"), "SERVFAIL;timeout");
    assert_string_equal(field_of(finding, "lookups"),
                        "MX a.test,MX b.test,TXT _dmarc.a.test,TXT _spf.c.test");
    assert_string_equal(finding->hint,
                        "the name servers of a.test,b.test or our resolver do not answer: try "
                        "\"dig MX a.test\", \"dig MX b.test\", \"dig TXT _dmarc.a.test\", "
                        "\"dig TXT _spf.c.test\"");
    message_free(&message);
}

/* A name that is the beginning of another is a name of its own; and there is an end to them. */
static void test_many(void **state)
{
    struct message *message = message_new(PROGRAM_MILTER, "mx.one.test");
    char domain[32];

    (void)state;
    add(message, "a.test.example", "MX", "a.test.example", "timeout", -1);
    add(message, "a.test", "MX", "a.test", "timeout", -1);
    assert_string_equal(field_of(&message->findings.items[0], "domain"), "a.test.example,a.test");
    for (int i = 0; i < 1000; i++) {
        snprintf(domain, sizeof(domain), "d%d.test", i);
        add(message, domain, "MX", domain, "timeout", i);
    }
    assert_int_equal(message->findings.count, 1);
    assert_int_equal(message->findings.dropped, 0);
    assert_in_range(strlen(field_of(&message->findings.items[0], "lookups")), 200, 320);
    message_free(&message);
}

static void test_maker(void **state)
{
    static const struct {
        const char *name, *field, *value, *user, *client, *from, *words, *domain;
    } cases[] = {
        {"all", "X-Mailer", " PHPMailer 6.8 (https://x)", "al@a.test", "192.0.2.1",
         " Al <al@news.a.test>", "PHPMailer 6.8 of al@a.test at 192.0.2.1", "news.a.test"},
        {"nothing", "X-Other", "x", "", "", NULL, "the program that makes the message",
         "mx.one.test"},
        {"a name that is none", "User-Agent", " (hidden)", "al@a.test", "", " nonsense",
         "the program that makes the message of al@a.test", "mx.one.test"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = message_new(PROGRAM_MILTER, "mx.one.test");
        char *words, *domain;

        message_set_user(message, cases[i].user);
        (void)ip_parse(cases[i].client, &message->client);
        message_add_header(message, cases[i].field, cases[i].value);
        if (cases[i].from != NULL)
            message_add_header(message, "From", cases[i].from);
        words = maker_words(message);
        domain = maker_domain(message);
        if (strcmp(words, cases[i].words) != 0 || strcmp(domain, cases[i].domain) != 0)
            fail_msg("%s: %s; %s", cases[i].name, words, domain);
        free(words);
        free(domain);
        message_free(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_finding),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_maker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
