/* SPDX-License-Identifier: BSD-2-Clause */
/* What receivers will say of an outlook. */
#include "lib/decide/foresight.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/causes/causes.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS_MAX 2

/* What was found out, and what it means. */
static const struct row {
    const char *name;
    enum spf_status spf;
    bool spf_unknown;
    enum own_key_state keys[KEYS_MAX];
    size_t nkeys;
    unsigned bits; /* of the keys, RSA; 0: 2048 */
    const char *carried;
    enum dmarc_status dmarc;
    enum dmarc_policy policy;
    bool no_record, spf_aligned, dkim_aligned, no_name, no_from;
    const char *said; /* spf= and dmarc= */
    const char *predicted, *predicted_bulk; /* NULL: nothing */
} rows[] = {
    {.name = "all is well",
     .spf = SPF_PASS,
     .nkeys = 1,
     .dmarc = DMARC_STATUS_PASS,
     .spf_aligned = true,
     .dkim_aligned = true,
     .said = "pass pass"},
    {.name = "nothing at all",
     .spf = SPF_NONE,
     .dmarc = DMARC_STATUS_NONE,
     .no_record = true,
     .said = "none none",
     .predicted = "gmail:5.7.26,yahoo:5.7.9",
     .predicted_bulk = "gmail:5.7.26,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "SPF alone",
     .spf = SPF_PASS,
     .dmarc = DMARC_STATUS_PASS,
     .spf_aligned = true,
     .said = "pass pass",
     .predicted_bulk = "gmail:5.7.30,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "DKIM alone",
     .spf = SPF_SOFTFAIL,
     .nkeys = 1,
     .dmarc = DMARC_STATUS_PASS,
     .dkim_aligned = true,
     .said = "softfail pass",
     .predicted_bulk = "gmail:5.7.27,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "no policy",
     .spf = SPF_PASS,
     .nkeys = 1,
     .dmarc = DMARC_STATUS_NONE,
     .no_record = true,
     .spf_aligned = true,
     .dkim_aligned = true,
     .said = "pass none",
     .predicted_bulk = "gmail:5.7.40,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "no alignment",
     .spf = SPF_PASS,
     .nkeys = 1,
     .dmarc = DMARC_STATUS_FAIL,
     .policy = DMARC_NONE,
     .said = "pass fail(none)",
     .predicted_bulk = "gmail:5.7.32,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "no alignment, and a policy that asks to quarantine",
     .spf = SPF_PASS,
     .nkeys = 1,
     .dmarc = DMARC_STATUS_FAIL,
     .policy = DMARC_QUARANTINE,
     .said = "pass fail(quarantine)",
     .predicted_bulk = "gmail:5.7.32,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "no alignment, and a policy that asks to reject",
     .spf = SPF_PASS,
     .nkeys = 1,
     .dmarc = DMARC_STATUS_FAIL,
     .policy = DMARC_REJECT,
     .said = "pass fail(reject)",
     .predicted = "gmail:5.7.26,outlook:5.7.509,yahoo:5.7.9",
     .predicted_bulk = "gmail:5.7.26,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "a key that is not published",
     .spf = SPF_FAIL,
     .keys = {OWN_KEY_ABSENT},
     .nkeys = 1,
     .dmarc = DMARC_STATUS_FAIL,
     .said = "fail fail(none)",
     .predicted = "gmail:5.7.26,yahoo:5.7.9",
     .predicted_bulk = "gmail:5.7.26,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "one of two keys",
     .spf = SPF_FAIL,
     .keys = {OWN_KEY_DIFFERS, OWN_KEY_MATCHES},
     .nkeys = 2,
     .dmarc = DMARC_STATUS_PASS,
     .dkim_aligned = true,
     .said = "fail pass",
     .predicted_bulk = "gmail:5.7.27,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "a key that is too short",
     .spf = SPF_FAIL,
     .nkeys = 1,
     .bits = 768,
     .dmarc = DMARC_STATUS_FAIL,
     .said = "fail fail(none)",
     .predicted = "gmail:5.7.26,yahoo:5.7.9",
     .predicted_bulk = "gmail:5.7.26,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "a signature that it came with",
     .spf = SPF_PASS,
     .carried = "a.test",
     .dmarc = DMARC_STATUS_PASS,
     .spf_aligned = true,
     .dkim_aligned = true,
     .said = "pass pass"},
    {.name = "no reverse name",
     .spf = SPF_PASS,
     .nkeys = 1,
     .dmarc = DMARC_STATUS_PASS,
     .spf_aligned = true,
     .no_name = true,
     .said = "pass pass",
     .predicted = "gmail:5.7.25",
     .predicted_bulk = "gmail:5.7.25"},
    /* what is not known is nobody's fault */
    {.name = "SPF failed to be looked up",
     .spf = SPF_TEMPERROR,
     .dmarc = DMARC_STATUS_FAIL,
     .policy = DMARC_REJECT,
     .said = "temperror temperror",
     .predicted_bulk = "gmail:5.7.30,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "the key failed to be looked up",
     .spf = SPF_FAIL,
     .keys = {OWN_KEY_FAILED},
     .nkeys = 1,
     .dmarc = DMARC_STATUS_FAIL,
     .policy = DMARC_REJECT,
     .said = "fail temperror",
     .predicted_bulk = "gmail:5.7.27,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "the policy failed to be looked up",
     .spf = SPF_PASS,
     .nkeys = 1,
     .dmarc = DMARC_STATUS_TEMPERROR,
     .no_record = true,
     .said = "pass temperror"},
    {.name = "nobody said which addresses are ours",
     .spf_unknown = true,
     .nkeys = 1,
     .dmarc = DMARC_STATUS_PASS,
     .dkim_aligned = true,
     .said = "- pass"},
    {.name = "nobody said so, and no key",
     .spf_unknown = true,
     .dmarc = DMARC_STATUS_FAIL,
     .policy = DMARC_REJECT,
     .said = "- -",
     .predicted_bulk = "gmail:5.7.30,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "a broken record",
     .spf = SPF_PASS,
     .nkeys = 1,
     .dmarc = DMARC_STATUS_PERMERROR,
     .said = "pass permerror",
     .predicted_bulk = "gmail:5.7.40,outlook:5.7.515,yahoo:5.7.9"},
    {.name = "no From", .spf = SPF_PASS, .nkeys = 1, .no_from = true, .said = "pass -"},
};

static void fill(const struct row *row, struct outlook *outlook, struct message *message)
{
    static struct outlook_key keys[KEYS_MAX];

    *outlook = (struct outlook){
        .from_domain = row->no_from ? NULL : (char *)"a.test",
        .spf_known = !row->spf_unknown,
        .spf_status = row->spf,
        .keys = keys,
        .nkeys = row->nkeys,
        .dmarc = {.status = row->dmarc,
                  .policy_domain = row->no_record || row->no_from ? NULL : (char *)"a.test",
                  .published = row->policy,
                  .policy = row->policy,
                  .percent = 100,
                  .spf_aligned = row->spf_aligned,
                  .dkim_aligned = row->dkim_aligned},
    };
    for (size_t i = 0; i < KEYS_MAX; i++)
        keys[i] = (struct outlook_key){.domain = (char *)"a.test",
                                       .rsa = true,
                                       .bits = row->bits > 0 ? row->bits : 2048,
                                       .own.state = row->keys[i]};
    message->facts.outlook = outlook;
    if (row->carried != NULL)
        strings_add(&message->facts.carried, row->carried);
    if (row->no_name)
        (void)findings_add(&message->findings, cause_get(CAUSE_DNS_PTR));
}

static void check_predicted(const char *name, const char *conf_text, const struct message *message,
                            const char *want)
{
    struct conf *conf = conf_of(conf_text);
    char *got = foresight_predict(conf, message);

    if ((got == NULL) != (want == NULL) || (got != NULL && strcmp(got, want) != 0))
        fail_msg("%s, %s: %s", name, conf_text, got != NULL ? got : "nothing");
    free(got);
    conf_release(&conf);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct message *message = message_new(PROGRAM_MILTER, "mx.test");
        struct outlook outlook;
        const char *spf;
        char *dmarc, *said;

        fill(&rows[i], &outlook, message);
        spf = foresight_spf_word(&outlook);
        dmarc = foresight_dmarc_word(&outlook);
        said = mem_print("%s %s", spf != NULL ? spf : "-", dmarc != NULL ? dmarc : "-");
        if (strcmp(said, rows[i].said) != 0)
            fail_msg("%s: %s", rows[i].name, said);
        check_predicted(rows[i].name, "predict = small\n", message, NULL);
        message_add_recipient(message, "bob@gmail.test");
        check_predicted(rows[i].name, "predict = small\n", message, rows[i].predicted);
        check_predicted(rows[i].name, "predict = bulk\n", message, rows[i].predicted_bulk);
        check_predicted(rows[i].name, "predict = no\n", message, NULL);
        free(said);
        free(dmarc);
        message->facts.outlook = NULL;
        message_free(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
    };

    return cmocka_run_group_tests_name("foresight", tests, NULL, NULL);
}
