/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/own_check.h"

#include "lib/auth/outlook.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdatomic.h>

#define SECOND_US INT64_C(1000000)
#define PER_SECOND 50 /* signatures that are verified, of the whole process */

/* Whether this message is one of the first in this second.  Threads that come at its turn may let
 * one more through. */
static bool is_its_turn(void)
{
    static atomic_llong second;
    static atomic_uint count;
    const long long now = clock_now_us(&clock_steady) / SECOND_US;

    if (atomic_exchange(&second, now) != now)
        atomic_store(&count, 0);
    return atomic_fetch_add(&count, 1) < PER_SECOND;
}

void own_check_begin(struct session *session, const struct signature *signature)
{
    if (!is_its_turn())
        return;
    session->own = verify_new_own(session->message, !(session->protocol & SMFIP_HDR_LEADSPC),
                                  signature_has_body(signature, DKIM_SIMPLE),
                                  signature_has_body(signature, DKIM_RELAXED));
}

void own_check_body(struct session *session, const void *bytes, size_t length)
{
    if (session->own != NULL)
        verify_body(session->own, bytes, length);
}

/* What is published of a key, or NULL. */
static const struct outlook_key *published_key(const struct outlook *outlook, const char *domain,
                                               const char *selector)
{
    for (size_t i = 0; i < outlook->nkeys; i++)
        if (text_equal_case(outlook->keys[i].domain, domain) &&
            text_equal_case(outlook->keys[i].selector, selector))
            return &outlook->keys[i];
    return NULL;
}

/* "fail:no-key-is-published": one word, of the first signature that does not pass. */
static char *check_word(const struct verify *verify)
{
    for (size_t i = 0; i < verify->count; i++) {
        const struct verify_signature *one = &verify->signatures[i];
        char *word;

        if (one->status == VERIFY_PASS)
            continue;
        word = mem_print("fail:%s", one->problem != NULL ? one->problem : "unknown");
        for (char *at = word; *at != '\0'; at++)
            if (*at == ' ')
                *at = '-';
        return word;
    }
    return mem_copy("pass");
}

/* By the key alone; why one does not match is a finding of its own (dns.dkim-*). */
static const char *compare(const struct session *session)
{
    static const char *const words[] = {
        [OWN_KEY_ABSENT] = "fail:no-key-is-published",
        [OWN_KEY_DIFFERS] = "fail:another-key",
        [OWN_KEY_REVOKED] = "fail:the-key-is-revoked",
        [OWN_KEY_UNUSABLE] = "fail:unusable-key",
        [OWN_KEY_FAILED] = "temperror",
    };
    struct signing_fact signing;

    for (size_t n = 0; signature_key(session->signature, n, &signing); n++) {
        const struct outlook_key *key;

        if (!signature_is_made(session->signature, n))
            continue;
        key = published_key(session->message->facts.outlook, signing.domain, signing.selector);
        if (key == NULL || key->own.state != OWN_KEY_MATCHES)
            return key == NULL ? "temperror" : words[key->own.state];
    }
    return "pass";
}

/* Does what receivers will do, with the key that is published. */
void own_check_end(struct session *session)
{
    struct facts *facts = &session->message->facts;
    const struct outlook *outlook = facts->outlook;
    const int64_t now_sec = clock_now_us(&clock_wall) / SECOND_US;
    bool failed = false;

    if (outlook == NULL)
        return;
    if (session->own == NULL) {
        free(facts->dkim_check);
        facts->dkim_check = mem_copy(compare(session));
        return;
    }
    verify_body_end(session->own);
    for (size_t n = 0; signature_value(session->signature, n) != NULL; n++) {
        const char *value = signature_value(session->signature, n);
        const struct outlook_key *key;
        struct dkim_signature signature;

        dkim_signature_parse(value, now_sec, &signature);
        key = signature.problem == NULL
                  ? published_key(outlook, signature.domain, signature.selector)
                  : NULL;
        failed = failed || (key != NULL && key->own.state == OWN_KEY_FAILED);
        verify_add_own(session->own, value, key != NULL ? key->own.record : NULL, now_sec);
        dkim_signature_clear(&signature);
    }
    verify_judge(session->own);
    free(facts->dkim_check);
    facts->dkim_check = failed ? mem_copy("temperror") : check_word(session->own);
}
