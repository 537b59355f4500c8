/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done about mail from outside, by result and domain. */
#include "lib/decide/received.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/decide/reply.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIGNATURES_MAX 3
#define NONE                                                                                       \
    {                                                                                              \
        VERIFY_NEUTRAL                                                                             \
    }

static const struct {
    const char *name, *verify; /* what the section says */
    enum spf_status spf;
    enum verify_status dkim[SIGNATURES_MAX];
    size_t ndkim;
    enum dmarc_status dmarc;
    const char *from, *want;
} rows[] = {
    {"nothing is asked", "", SPF_FAIL, {VERIFY_FAIL}, 1, DMARC_STATUS_FAIL, "from.test", ""},
    {"fail", "spf-fail = reject", SPF_FAIL, NONE, 0, DMARC_STATUS_NONE, "from.test",
     "550 5.7.23 sender.test does not allow your mail server to send its mail (SPF). "
     "[dns.spf-fail]"},
    {"softfail is no fail", "spf-fail = reject", SPF_SOFTFAIL, NONE, 0, DMARC_STATUS_NONE,
     "from.test", ""},
    {"softfail", "spf-softfail = reject", SPF_SOFTFAIL, NONE, 0, DMARC_STATUS_NONE, "from.test",
     "550 5.7.23 sender.test does not expect your mail server to send its mail (SPF). "
     "[dns.spf-fail]"},
    {"permerror", "spf-permerror = reject", SPF_PERMERROR, NONE, 0, DMARC_STATUS_NONE, "from.test",
     "550 5.7.24 The SPF record of sender.test is broken. [dns.spf-broken]"},
    {"temperror", "spf-temperror = defer", SPF_TEMPERROR, NONE, 0, DMARC_STATUS_NONE, "from.test",
     "450 4.7.24 Whether sender.test allows your mail server could not be looked up (SPF). "
     "[dns.failure]"},
    {"temperror is no fail", "spf-fail = reject  spf-permerror = reject", SPF_TEMPERROR, NONE, 0,
     DMARC_STATUS_NONE, "from.test", ""},
    {"no record, neutral, pass: nothing to do",
     "spf-fail = reject  spf-softfail = reject  spf-permerror = reject  spf-temperror = reject",
     SPF_NEUTRAL, NONE, 0, DMARC_STATUS_NONE, "from.test", ""},
    {"changed",
     "dkim-fail = reject",
     SPF_NONE,
     {VERIFY_PERMERROR, VERIFY_FAIL},
     2,
     DMARC_STATUS_NONE,
     "from.test",
     "550 5.7.20 The message was changed after d1.test signed it (DKIM). [dns.dkim-mismatch]"},
    {"one that passes is enough",
     "dkim-fail = reject",
     SPF_NONE,
     {VERIFY_FAIL, VERIFY_PASS},
     2,
     DMARC_STATUS_NONE,
     "from.test",
     ""},
    {"no key",
     "dkim-permerror = reject",
     SPF_NONE,
     {VERIFY_PERMERROR},
     1,
     DMARC_STATUS_NONE,
     "from.test",
     "550 5.7.20 The signature of d0.test cannot be used (DKIM). [dns.dkim-mismatch]"},
    {"a weak key",
     "dkim-permerror = reject",
     SPF_NONE,
     {VERIFY_POLICY},
     1,
     DMARC_STATUS_NONE,
     "from.test",
     "550 5.7.20 The signature of d0.test cannot be used (DKIM). [dns.dkim-mismatch]"},
    {"DNS fails",
     "dkim-temperror = defer  dkim-permerror = reject",
     SPF_NONE,
     {VERIFY_PERMERROR, VERIFY_TEMPERROR},
     2,
     DMARC_STATUS_NONE,
     "from.test",
     "450 4.7.20 The key of d1.test could not be looked up (DKIM). [dns.failure]"},
    {"no signature", "dkim-fail = reject  dkim-permerror = reject", SPF_NONE, NONE, 0,
     DMARC_STATUS_NONE, "from.test", ""},
    {"no author", "dmarc-permerror = reject", SPF_NONE, NONE, 0, DMARC_STATUS_PERMERROR, NULL,
     "550 5.7.26 The message does not prove whom it comes from (DMARC): there are several From. "
     "[dns.unaligned]"},
    {"a policy that asks for it", "dmarc-reject = reject", SPF_NONE, NONE, 0, DMARC_STATUS_FAIL,
     "from.test",
     "550 5.7.26 The message does not prove that it comes from from.test (DMARC). "
     "[dns.unaligned]"},
    {"DMARC could not be checked", "dmarc-temperror = defer", SPF_NONE, NONE, 0,
     DMARC_STATUS_TEMPERROR, "from.test",
     "450 4.7.26 The message does not prove that it comes from from.test (DMARC). "
     "[dns.unaligned]"},
};

/* The reply to a message with these results, "" for none. */
static char *reply_to(size_t row, const char *sender, const char *title)
{
    char *text = mem_print("mode = enforce\nverify \"%s\" { %s }\n", title, rows[row].verify);
    struct conf *conf = conf_of(text);
    struct verify_signature signatures[SIGNATURES_MAX];
    struct verify verify = {.signatures = signatures, .count = rows[row].ndkim};
    char domains[SIGNATURES_MAX][8] = {"d0.test", "d1.test", "d2.test"};
    struct message *message = message_new(PROGRAM_MILTER, "mx.example.test");
    struct incoming incoming = {
        .message = message,
        .client = {.family = 4, .bytes = {192, 0, 2, 1}},
        .sender = sender,
        .verify = &verify,
        .spf = {.status = rows[row].spf, .domain = mem_copy("sender.test")},
        .from_domain = mem_copy(rows[row].from),
        .from_problem = rows[row].from == NULL ? "there are several From" : NULL,
        .dmarc = {.status = rows[row].dmarc,
                  .policy = DMARC_REJECT,
                  .policy_domain = mem_copy("from.test")},
    };
    struct reply reply;
    char *got;

    for (size_t i = 0; i < verify.count; i++)
        signatures[i] = (struct verify_signature){.signature = {.domain = domains[i]},
                                                  .status = rows[row].dkim[i],
                                                  .problem = domains[i]};
    message_set_sender(message, sender);
    received_decide(conf, message, &incoming);
    reply_make(conf, message, &reply);
    got = reply.code == 0 ? mem_copy("")
                          : mem_print("%u %s %s", reply.code, reply.enhanced, reply.text);
    incoming_clear(&incoming);
    message_free(&message);
    conf_release(&conf);
    free(text);
    return got;
}

static void test_results(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *got = reply_to(i, "joe@sender.test", "*");

        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].name, got, rows[i].want);
        free(got);
    }
}

static void test_other_domains(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *got = reply_to(i, "joe@sender.test", "other.test");

        if (*got != '\0')
            fail_msg("%s: \"%s\"", rows[i].name, got);
        free(got);
    }
}

static void test_bounces(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *got = reply_to(i, "", "*");

        if (*got != '\0')
            fail_msg("%s: \"%s\"", rows[i].name, got);
        free(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_other_domains),
        cmocka_unit_test(test_bounces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
