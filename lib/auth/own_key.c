/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/own_key.h"

#include "lib/auth/dkim_key.h"
#include "lib/auth/tag_list.h"
#include "lib/base/mem.h"

#include <openssl/err.h>
#include <stdlib.h>

#define RECORDS_MAX 4 /* at one name */
#define RECORD_MAX 4096 /* octets of a record that are kept */

char *own_key_name(const char *selector, const char *domain)
{
    return mem_print("%s._domainkey.%s", selector, domain);
}

void own_key_clear(struct own_key *own)
{
    free(own->record);
    free(own->problem);
    *own = (struct own_key){.state = OWN_KEY_ABSENT};
}

static char *readable(const struct dns_record *record)
{
    size_t length = record->length < RECORD_MAX ? record->length : RECORD_MAX;
    char *copy = mem_new(length + 1, 1);

    for (size_t i = 0; i < length; i++) {
        const char c = record->text[i];

        copy[i] = '?';
        if (c >= ' ' && c <= '~')
            copy[i] = c;
    }
    return copy;
}

/* An empty p= (RFC 6376 section 3.6.1). */
static bool is_revoked(const struct dns_record *record)
{
    struct tag_list list;
    const char *key;
    bool revoked;

    if (!tag_list_parse(record->text, record->length, &list))
        return false;
    key = tag_list_get(&list, "p");
    revoked = key != NULL && *key == '\0';
    tag_list_clear(&list);
    return revoked;
}

static void judge_record(const struct key *key, const struct dns_record *record,
                         struct own_key *own_r)
{
    struct dkim_key published;
    const char *problem = dkim_key_parse(record->text, record->length, &published);

    *own_r = (struct own_key){.state = OWN_KEY_UNUSABLE, .record = readable(record)};
    if (problem == NULL && published.hashes != NULL && !tag_words_have(published.hashes, "sha256"))
        problem = "the key is not for sha256";
    if (is_revoked(record))
        own_r->state = OWN_KEY_REVOKED;
    else if (problem == NULL)
        own_r->state = EVP_PKEY_eq(published.public_key, key->private_key) == 1 ? OWN_KEY_MATCHES
                                                                                : OWN_KEY_DIFFERS;
    own_r->problem = mem_copy(own_r->state == OWN_KEY_UNUSABLE ? problem : NULL);
    own_r->testing = problem == NULL && published.testing;
    dkim_key_clear(&published);
    ERR_clear_error();
}

void own_key_judge(const struct key *key, const struct dns_answer *answer, struct own_key *own_r)
{
    *own_r = (struct own_key){.state = OWN_KEY_ABSENT};
    if (lookup_failed(answer)) {
        own_r->state = OWN_KEY_FAILED;
        own_r->problem = mem_copy(answer->problem != NULL ? answer->problem : "no answer");
        return;
    }
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count && i < RECORDS_MAX; i++) {
        if (own_r->state == OWN_KEY_MATCHES)
            return;
        own_key_clear(own_r);
        judge_record(key, &answer->records[i], own_r);
    }
}
