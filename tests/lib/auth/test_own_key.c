/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether what is published is the public half of our key. */
#include "lib/auth/own_key.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "tests/lib/auth/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECORDS_MAX 3

static struct key ours; /* its private half alone */
static char *our_record, *other_record;

static int set_up(void **state)
{
    EVP_PKEY *other = keys_make_ed25519();

    (void)state;
    ours = (struct key){.private_key = keys_make_ed25519(), .algorithm = KEY_ED25519};
    our_record = keys_record(ours.private_key);
    other_record = keys_record(other);
    EVP_PKEY_free(other);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(ours.private_key);
    free(our_record);
    free(other_record);
    return 0;
}

/* "OURS" and "OTHER" stand for a record, whatever follows them is appended. */
static char *make_record(const char *text)
{
    if (strncmp(text, "OURS", 4) == 0)
        return mem_print("%s%s", our_record, text + 4);
    if (strncmp(text, "OTHER", 5) == 0)
        return mem_print("%s%s", other_record, text + 5);
    return mem_copy(text);
}

static void test_judge(void **state)
{
    static const struct {
        const char *name;
        enum dns_status status;
        const char *texts[RECORDS_MAX];
        enum own_key_state want;
        bool testing;
    } cases[] = {
        {"ours", DNS_FOUND, {"OURS"}, OWN_KEY_MATCHES, false},
        {"in test mode", DNS_FOUND, {"OURS; t=y"}, OWN_KEY_MATCHES, true},
        {"for the domain alone", DNS_FOUND, {"OURS; t=s"}, OWN_KEY_MATCHES, false},
        {"another one", DNS_FOUND, {"OTHER"}, OWN_KEY_DIFFERS, false},
        {"ours is the second", DNS_FOUND, {"OTHER", "OURS"}, OWN_KEY_MATCHES, false},
        {"ours is the first", DNS_FOUND, {"OURS", "OTHER"}, OWN_KEY_MATCHES, false},
        {"revoked", DNS_FOUND, {"v=DKIM1; k=ed25519; p="}, OWN_KEY_REVOKED, false},
        {"no record of a key", DNS_FOUND, {"hello"}, OWN_KEY_UNUSABLE, false},
        {"not for sha256", DNS_FOUND, {"OURS; h=sha1"}, OWN_KEY_UNUSABLE, false},
        {"of another version", DNS_FOUND, {"v=DKIM2; p=AAAA"}, OWN_KEY_UNUSABLE, false},
        {"no such name", DNS_ABSENT, {NULL}, OWN_KEY_ABSENT, false},
        {"no such record", DNS_NO_DATA, {NULL}, OWN_KEY_ABSENT, false},
        {"DNS fails", DNS_FAILED, {NULL}, OWN_KEY_FAILED, false},
        {"DNSSEC says no", DNS_BOGUS, {NULL}, OWN_KEY_FAILED, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dns_record records[RECORDS_MAX] = {{0}};
        struct dns_answer answer = {.status = cases[i].status, .type = DNS_TXT, .records = records};
        struct own_key own;

        for (; answer.count < RECORDS_MAX && cases[i].texts[answer.count] != NULL; answer.count++) {
            records[answer.count].text = make_record(cases[i].texts[answer.count]);
            records[answer.count].length = strlen(records[answer.count].text);
        }
        own_key_judge(&ours, &answer, &own);
        if (own.state != cases[i].want || own.testing != cases[i].testing)
            fail_msg("%s: %d %d", cases[i].name, (int)own.state, own.testing);
        if ((own.state == OWN_KEY_UNUSABLE || own.state == OWN_KEY_FAILED) != (own.problem != NULL))
            fail_msg("%s: problem %s", cases[i].name, own.problem);
        if ((own.record != NULL) != (answer.count > 0))
            fail_msg("%s: record", cases[i].name);
        own_key_clear(&own);
        for (size_t n = 0; n < answer.count; n++)
            free(records[n].text);
    }
}

static void test_names_and_octets(void **state)
{
    char odd[] = "v=DKIM1\n\0p=\x80";
    const struct dns_record record = {.text = odd, .length = sizeof(odd) - 1};
    const struct dns_answer answer = {
        .status = DNS_FOUND, .type = DNS_TXT, .records = &record, .count = 1};
    char *name = own_key_name("s1", "example.com");
    struct own_key own;

    (void)state;
    assert_string_equal(name, "s1._domainkey.example.com");
    own_key_judge(&ours, &answer, &own);
    assert_string_equal(own.record, "v=DKIM1??p=?");
    own_key_clear(&own);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_names_and_octets),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
