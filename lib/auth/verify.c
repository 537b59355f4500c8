/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/verify.h"

#include "lib/auth/tag_list.h"
#include "lib/base/mem.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *verify_status_name(enum verify_status status)
{
    static const char *const names[] = {
        [VERIFY_NEUTRAL] = "neutral",     [VERIFY_PASS] = "pass",
        [VERIFY_FAIL] = "fail",           [VERIFY_POLICY] = "policy",
        [VERIFY_TEMPERROR] = "temperror", [VERIFY_PERMERROR] = "permerror",
    };

    return names[status];
}

/* --- the beginning and the body ------------------------------------------------------- */

bool verify_is_named(const struct header *header, const char *name)
{
    size_t length = strlen(name);

    return strncasecmp(header->name, name, length) == 0 &&
           header->name[length + strspn(header->name + length, " \t")] == '\0';
}

static const EVP_MD *digest_of(const struct dkim_signature *signature)
{
    return signature->hash == DKIM_SHA1 ? EVP_sha1() : EVP_sha256();
}

static void add_signature(struct verify *verify, const struct header *field, int64_t now_sec)
{
    struct verify_signature *one;

    verify->signatures =
        mem_grow(verify->signatures, verify->count + 1, sizeof(*verify->signatures));
    one = &verify->signatures[verify->count++];
    *one = (struct verify_signature){.field = field};
    dkim_signature_parse(field->value, now_sec, &one->signature);
    if (one->signature.problem == NULL)
        one->body_hash = dkim_body_want(&verify->bodies[one->signature.body],
                                        digest_of(&one->signature), one->signature.limit);
}

struct verify *verify_new(const struct message *message, bool leading_space_lost, int64_t now_sec)
{
    struct verify *verify = mem_new(1, sizeof(*verify));

    verify->message = message;
    verify->leading_space_lost = leading_space_lost;
    verify->bodies[DKIM_SIMPLE].canon = DKIM_SIMPLE;
    verify->bodies[DKIM_RELAXED].canon = DKIM_RELAXED;
    for (size_t i = 0; i < message->nheaders; i++) {
        if (!verify_is_named(&message->headers[i], "DKIM-Signature"))
            continue;
        verify->too_many = verify->count == VERIFY_SIGNATURES_MAX;
        if (verify->too_many)
            break;
        add_signature(verify, &message->headers[i], now_sec);
    }
    return verify;
}

static void forget_records(struct verify_signature *one)
{
    for (size_t i = 0; i < one->nrecords; i++)
        free(one->records[i].bytes);
    one->nrecords = 0;
    free(one->dns_problem);
    one->dns_problem = NULL;
}

void verify_free(struct verify **verify)
{
    if (*verify == NULL)
        return;
    for (size_t i = 0; i < (*verify)->count; i++) {
        dkim_signature_clear(&(*verify)->signatures[i].signature);
        forget_records(&(*verify)->signatures[i]);
        free((*verify)->signatures[i].problem);
    }
    free((*verify)->signatures);
    dkim_body_clear(&(*verify)->bodies[DKIM_SIMPLE]);
    dkim_body_clear(&(*verify)->bodies[DKIM_RELAXED]);
    free(*verify);
    *verify = NULL;
}

void verify_body(struct verify *verify, const void *bytes, size_t length)
{
    dkim_body_add(&verify->bodies[DKIM_SIMPLE], bytes, length);
    dkim_body_add(&verify->bodies[DKIM_RELAXED], bytes, length);
}

void verify_body_end(struct verify *verify)
{
    dkim_body_end(&verify->bodies[DKIM_SIMPLE]);
    dkim_body_end(&verify->bodies[DKIM_RELAXED]);
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

bool verify_learn_keys(struct verify *verify, const struct lookup *lookup)
{
    bool pending = false;

    for (size_t i = 0; i < verify->count; i++) {
        struct verify_signature *one = &verify->signatures[i];
        char *name =
            one->signature.problem == NULL ? dkim_signature_key_name(&one->signature) : NULL;
        const struct dns_answer *answer = NULL;

        if (name != NULL)
            answer = lookup_find(lookup, name, DNS_TXT);
        if (answer != NULL)
            take_records(one, answer);
        pending = pending || (name != NULL && answer == NULL);
        free(name);
    }
    return !pending;
}

/* --- what was signed ------------------------------------------------------------------ */

static void add_field(const struct verify *verify, const struct verify_signature *one,
                      const struct header *header, const char *value, struct text *text)
{
    char *restored = verify->leading_space_lost ? mem_print(" %s", value) : NULL;

    dkim_canon_field(one->signature.header, header->name, restored != NULL ? restored : value,
                     text);
    free(restored);
}

/* The fields that h= names, the last of a name first (RFC 6376 section 5.4.2), and the signature's
 * own without what b= says. */
static void make_signed(const struct verify *verify, const struct verify_signature *one,
                        struct text *text)
{
    const struct message *message = verify->message;
    const struct strings *names = &one->signature.names;
    bool *used = mem_new(message->nheaders + 1, sizeof(*used));
    char *value = dkim_signature_unsigned(one->field->value);

    for (size_t n = 0; n < names->count; n++) {
        for (size_t i = message->nheaders; i-- > 0;) {
            const struct header *header = &message->headers[i];

            if (used[i] || header == one->field || !verify_is_named(header, names->items[n]))
                continue;
            used[i] = true;
            add_field(verify, one, header, header->value, text);
            text_add_string(text, "\r\n");
            break;
        }
    }
    add_field(verify, one, one->field, value, text);
    free(value);
    free(used);
}

static bool verify_rsa(const struct dkim_signature *signature, EVP_PKEY *key,
                       const struct text *content)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool right;

    right = context != NULL &&
            EVP_DigestVerifyInit(context, NULL, digest_of(signature), NULL, key) == 1 &&
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
    if (key->strict && strcasecmp(signature->identity_domain, signature->domain) != 0)
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
static struct opinion judge_by_records(const struct verify *verify,
                                       const struct verify_signature *one, bool body_right)
{
    static const unsigned rank[] = {
        [VERIFY_PASS] = 5,      [VERIFY_POLICY] = 4,  [VERIFY_FAIL] = 3,
        [VERIFY_PERMERROR] = 2, [VERIFY_NEUTRAL] = 1, [VERIFY_TEMPERROR] = 1,
    };
    struct text content = TEXT_EMPTY;
    struct opinion best = {.status = VERIFY_NEUTRAL};

    make_signed(verify, one, &content);
    for (size_t i = 0; i < one->nrecords; i++) {
        struct opinion opinion =
            judge_by_key(&one->signature, &one->records[i], body_right, &content);

        if (rank[opinion.status] > rank[best.status])
            best = opinion;
    }
    text_free(&content);
    return best;
}

static struct opinion judge_body_and_key(struct verify *verify, struct verify_signature *one)
{
    const struct dkim_signature *signature = &one->signature;
    struct dkim_body *body = &verify->bodies[signature->body];
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = dkim_body_hash(body, one->body_hash, hash);
    bool right =
        length == signature->body_hash_length && memcmp(hash, signature->body_hash, length) == 0;

    if (signature->limited && signature->limit > body->octets)
        return (struct opinion){.status = VERIFY_PERMERROR, .problem = "l= is beyond the body"};
    one->unsigned_octets = signature->limited ? body->octets - signature->limit : 0;
    return judge_by_records(verify, one, right);
}

static void judge(struct verify *verify, struct verify_signature *one)
{
    struct opinion opinion = {.status = VERIFY_PERMERROR};

    free(one->problem);
    one->problem = NULL;
    if (verify->message->headers_cut)
        opinion = (struct opinion){.status = VERIFY_NEUTRAL, .problem = "too many header fields"};
    else if (one->signature.problem != NULL)
        opinion.problem = one->signature.problem;
    else if (one->dns_failed)
        opinion.status = VERIFY_TEMPERROR;
    else if (one->nrecords == 0)
        opinion.problem = "no key is published";
    else
        opinion = judge_body_and_key(verify, one);
    one->status = opinion.status;
    one->bits = opinion.bits;
    one->testing = opinion.testing;
    one->problem = one->status == VERIFY_TEMPERROR ? mem_print("DNS: %s", one->dns_problem)
                                                   : mem_copy(opinion.problem);
}

void verify_judge(struct verify *verify)
{
    for (size_t i = 0; i < verify->count; i++)
        judge(verify, &verify->signatures[i]);
    ERR_clear_error();
}
