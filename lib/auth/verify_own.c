/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures of our own, as receivers will verify them. */
#include "lib/auth/sign.h"
#include "lib/auth/verify_one.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

struct verify *verify_new_own(const struct message *message, bool leading_space_lost, bool simple,
                              bool relaxed)
{
    struct verify *verify = mem_new(1, sizeof(*verify));

    verify->message = message;
    verify->leading_space_lost = leading_space_lost;
    verify->bodies[DKIM_SIMPLE].canon = DKIM_SIMPLE;
    verify->bodies[DKIM_RELAXED].canon = DKIM_RELAXED;
    if (simple)
        (void)dkim_body_want(&verify->bodies[DKIM_SIMPLE], EVP_sha256(), DKIM_BODY_ALL);
    if (relaxed)
        (void)dkim_body_want(&verify->bodies[DKIM_RELAXED], EVP_sha256(), DKIM_BODY_ALL);
    return verify;
}

void verify_add_own(struct verify *verify, const char *value, const char *record, int64_t now_sec)
{
    struct header *field = mem_new(1, sizeof(*field));
    struct verify_signature *one;

    verify->signatures =
        mem_grow(verify->signatures, verify->count + 1, sizeof(*verify->signatures));
    one = &verify->signatures[verify->count++];
    *one = (struct verify_signature){.field = field, .own = field};
    field->name = mem_copy("DKIM-Signature");
    field->value = mem_print("%s%s", verify->leading_space_lost ? "" : " ", value);
    dkim_signature_parse(field->value, now_sec, &one->signature);
    if (record == NULL)
        return;
    one->records[0].bytes = mem_copy(record);
    one->records[0].length = strlen(record);
    one->nrecords = 1;
}

void verify_own_free(struct header *field)
{
    if (field == NULL)
        return;
    free(field->name);
    free(field->value);
    free(field);
}

static bool is_by(const struct verify_signature *one, const struct signature *signature)
{
    struct signing_fact key;

    for (size_t n = 0; signature_key(signature, n, &key); n++)
        if (text_equal_case(one->signature.domain, key.domain) &&
            text_equal_case(one->signature.selector, key.selector))
            return true;
    return false;
}

/* That no key is published, or that DNS fails, is no fault of the signature. */
static bool is_broken(const struct verify_signature *one)
{
    return one->status == VERIFY_FAIL || one->signature.problem != NULL;
}

bool verify_finds_broken(const struct verify *verify, const struct signature *signature)
{
    bool broken = false;

    for (size_t i = 0; i < verify->count; i++) {
        if (!is_by(&verify->signatures[i], signature))
            continue;
        if (!is_broken(&verify->signatures[i]))
            return false;
        broken = true;
    }
    return broken;
}
