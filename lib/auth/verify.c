/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/verify.h"

#include "lib/auth/arc.h"
#include "lib/auth/verify_one.h"
#include "lib/base/mem.h"

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

void verify_want_body(struct verify *verify, struct verify_signature *one)
{
    const struct dkim_signature *signature = &one->signature;

    if (signature->problem == NULL)
        one->body_hash = dkim_body_want(&verify->bodies[signature->body],
                                        verify_one_digest(signature), signature->limit);
}

static void add_signature(struct verify *verify, const struct header *field, int64_t now_sec)
{
    struct verify_signature *one;

    verify->signatures =
        mem_grow(verify->signatures, verify->count + 1, sizeof(*verify->signatures));
    one = &verify->signatures[verify->count++];
    *one = (struct verify_signature){.field = field};
    dkim_signature_parse(field->value, now_sec, &one->signature);
    verify_want_body(verify, one);
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
    verify->arc = arc_new(verify, now_sec);
    return verify;
}

void verify_free(struct verify **verify)
{
    if (*verify == NULL)
        return;
    for (size_t i = 0; i < (*verify)->count; i++) {
        verify_own_free((*verify)->signatures[i].own);
        verify_one_clear(&(*verify)->signatures[i]);
    }
    arc_free(&(*verify)->arc);
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

bool verify_learn_keys(struct verify *verify, const struct lookup *lookup)
{
    bool known = arc_learn_keys(verify->arc, lookup);

    for (size_t i = 0; i < verify->count; i++)
        known = verify_one_learn(&verify->signatures[i], lookup) && known;
    return known;
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

/* --- the judgement -------------------------------------------------------------------- */

/* Whether the body is the one that was hashed. */
static bool is_body(struct verify *verify, const struct verify_signature *one)
{
    const struct dkim_signature *signature = &one->signature;
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = dkim_body_hash(&verify->bodies[signature->body], one->body_hash, hash);

    return length == signature->body_hash_length && memcmp(hash, signature->body_hash, length) == 0;
}

void verify_judge_field(struct verify *verify, struct verify_signature *one)
{
    const struct dkim_signature *signature = &one->signature;
    const uint64_t octets = verify->bodies[signature->body].octets;
    struct text content = TEXT_EMPTY;

    if (verify->message->headers_cut) {
        verify_one_settle(one, VERIFY_NEUTRAL, "too many header fields");
    } else if (!verify_one_is_judgeable(one)) {
        return;
    } else if (signature->limited && signature->limit > octets) {
        verify_one_settle(one, VERIFY_PERMERROR, "l= is beyond the body");
    } else {
        one->unsigned_octets = signature->limited ? octets - signature->limit : 0;
        make_signed(verify, one, &content);
        verify_one_judge(one, is_body(verify, one), &content);
    }
    text_free(&content);
}

void verify_judge(struct verify *verify)
{
    for (size_t i = 0; i < verify->count; i++)
        verify_judge_field(verify, &verify->signatures[i]);
    arc_judge(verify->arc, verify);
}
