/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/verify_one.h"

#include "lib/auth/tag_list.h"
#include "lib/base/mem.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const EVP_MD *verify_one_digest(const struct dkim_signature *signature)
{
    return signature->hash == DKIM_SHA1 ? EVP_sha1() : EVP_sha256();
}

static void forget_records(struct verify_signature *one)
{
    for (size_t i = 0; i < one->nrecords; i++)
        free(one->records[i].bytes);
    one->nrecords = 0;
    free(one->dns_problem);
    one->dns_problem = NULL;
}

void verify_one_clear(struct verify_signature *one)
{
    dkim_signature_clear(&one->signature);
    forget_records(one);
    free(one->problem);
    *one = (struct verify_signature){.field = NULL};
}

/* --- keys ----------------------------------------------------------------------------- */

static void take_records(struct verify_signature *one, const struct dns_answer *answer)
{
    forget_records(one);
    one->dns_failed = lookup_failed(answer);
    if (one->dns_failed)
        one->dns_problem = mem_copy(answer->problem != NULL ? answer->problem : "failed");
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++) {
        struct verify_key_record *record = &one->records[one->nrecords];

        if (one->nrecords == VERIFY_KEYS_MAX)
            break;
        record->bytes = mem_copy_n(answer->records[i].text, answer->records[i].length);
        record->length = answer->records[i].length;
        one->nrecords++;
    }
}

bool verify_one_learn(struct verify_signature *one, const struct lookup *lookup)
{
    char *name = one->signature.problem == NULL ? dkim_signature_key_name(&one->signature) : NULL;
    const struct dns_answer *answer = NULL;
    bool known;

    if (name != NULL)
        answer = lookup_find(lookup, name, DNS_TXT);
    if (answer != NULL)
        take_records(one, answer);
    known = name == NULL || answer != NULL;
    free(name);
    return known;
}

/* --- signatures ----------------------------------------------------------------------- */

static bool verify_rsa(const struct dkim_signature *signature, EVP_PKEY *key,
                       const struct text *content)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool right;

    right = context != NULL &&
            EVP_DigestVerifyInit(context, NULL, verify_one_digest(signature), NULL, key) == 1 &&
            EVP_DigestVerify(context, signature->signature, signature->signature_length,
                             (const unsigned char *)content->bytes, content->length) == 1;
    EVP_MD_CTX_free(context);
    return right;
}

/* RFC 8463 section 3: it is the hash that is signed. */
static bool verify_ed25519(const struct dkim_signature *signature, EVP_PKEY *key,
                           const struct text *content)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    bool right;

    right = context != NULL &&
            EVP_Digest(content->bytes, content->length, hash, &length, EVP_sha256(), NULL) == 1 &&
            EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
            EVP_DigestVerify(context, signature->signature, signature->signature_length, hash,
                             length) == 1;
    EVP_MD_CTX_free(context);
    return right;
}

/* --- the judgement -------------------------------------------------------------------- */

struct opinion {
    enum verify_status status;
    const char *problem; /* a literal */
    unsigned bits;
    bool testing;
};

/* Why this key is not for this signature, or NULL. */
static const char *key_problem(const struct dkim_signature *signature, const struct dkim_key *key)
{
    if (key->type != signature->type)
        return "the key is of another type";
    if (key->hashes != NULL &&
        !tag_words_have(key->hashes, signature->hash == DKIM_SHA1 ? "sha1" : "sha256"))
        return "the key is not for this hash";
    if (key->strict && signature->below)
        return "the key is not for subdomains";
    return NULL;
}

/* What is wrong with a signature that is right: nobody may rely on it. */
static struct opinion judge_rules(const struct dkim_signature *signature,
                                  const struct dkim_key *key)
{
    if (signature->versionless)
        return (struct opinion){VERIFY_PERMERROR, "no v=", key->bits, key->testing};
    if (signature->hash == DKIM_SHA1)
        return (struct opinion){VERIFY_PERMERROR, "rsa-sha1 is not accepted", key->bits,
                                key->testing};
    if (key->type == DKIM_KEY_RSA && key->bits < VERIFY_BITS_MIN)
        return (struct opinion){VERIFY_POLICY, "the key is too short", key->bits, key->testing};
    return (struct opinion){VERIFY_PASS, NULL, key->bits, key->testing};
}

static struct opinion judge_by_key(const struct dkim_signature *signature,
                                   const struct verify_key_record *record, bool body_right,
                                   const struct text *content)
{
    struct dkim_key key;
    struct opinion opinion = {.status = VERIFY_PERMERROR};
    bool right;

    opinion.problem = dkim_key_parse(record->bytes, record->length, &key);
    if (opinion.problem != NULL)
        return opinion;
    opinion.problem = key_problem(signature, &key);
    if (opinion.problem != NULL)
        goto done;
    opinion = (struct opinion){VERIFY_FAIL, "the body has changed", key.bits, key.testing};
    if (!body_right)
        goto done;
    opinion.problem = "the signature does not match";
    right = key.type == DKIM_KEY_RSA ? verify_rsa(signature, key.public_key, content)
                                     : verify_ed25519(signature, key.public_key, content);
    if (right)
        opinion = judge_rules(signature, &key);
done:
    dkim_key_clear(&key);
    return opinion;
}

/* The best that one of the records says: several are allowed while keys change. */
static struct opinion judge_by_records(const struct verify_signature *one, bool body_right,
                                       const struct text *content)
{
    static const unsigned rank[] = {
        [VERIFY_PASS] = 5,      [VERIFY_POLICY] = 4,  [VERIFY_FAIL] = 3,
        [VERIFY_PERMERROR] = 2, [VERIFY_NEUTRAL] = 1, [VERIFY_TEMPERROR] = 1,
    };
    struct opinion best = {.status = VERIFY_NEUTRAL};

    for (size_t i = 0; i < one->nrecords; i++) {
        struct opinion opinion =
            judge_by_key(&one->signature, &one->records[i], body_right, content);

        if (rank[opinion.status] > rank[best.status])
            best = opinion;
    }
    return best;
}

static void settle(struct verify_signature *one, const struct opinion *opinion)
{
    free(one->problem);
    one->status = opinion->status;
    one->bits = opinion->bits;
    one->testing = opinion->testing;
    one->problem = one->status == VERIFY_TEMPERROR ? mem_print("DNS: %s", one->dns_problem)
                                                   : mem_copy(opinion->problem);
}

void verify_one_settle(struct verify_signature *one, enum verify_status status, const char *problem)
{
    const struct opinion opinion = {.status = status, .problem = problem};

    settle(one, &opinion);
}

bool verify_one_is_judgeable(struct verify_signature *one)
{
    if (one->signature.problem != NULL)
        verify_one_settle(one, VERIFY_PERMERROR, one->signature.problem);
    else if (one->dns_failed)
        verify_one_settle(one, VERIFY_TEMPERROR, NULL);
    else if (one->nrecords == 0)
        verify_one_settle(one, VERIFY_PERMERROR, "no key is published");
    else
        return true;
    return false;
}

void verify_one_judge(struct verify_signature *one, bool body_right, const struct text *content)
{
    const struct opinion opinion = judge_by_records(one, body_right, content);

    settle(one, &opinion);
    ERR_clear_error();
}
