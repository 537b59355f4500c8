/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/dkim_key.h"

#include "lib/auth/base64.h"
#include "lib/auth/public_keys.h"
#include "lib/auth/tag_list.h"
#include "lib/base/mem.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

void dkim_key_clear(struct dkim_key *key)
{
    EVP_PKEY_free(key->public_key);
    free(key->hashes);
    *key = (struct dkim_key){.bits = 0};
}

static const char *read_public_key(const struct tag_list *list, struct dkim_key *key)
{
    char *encoded = tag_list_get_compact(list, "p");
    unsigned char *bytes = NULL;
    size_t length = 0;
    const char *problem = "no key in the record";

    if (encoded == NULL)
        goto done;
    problem = "key revoked";
    if (*encoded == '\0')
        goto done;
    problem = "the key in the record cannot be read";
    bytes = base64_decode(encoded, &length);
    if (bytes == NULL)
        goto done;
    key->public_key = public_keys_get(key->type, bytes, length);
    if (key->public_key == NULL)
        goto done;
    key->bits = (unsigned)EVP_PKEY_bits(key->public_key);
    problem = key->bits > DKIM_KEY_BITS_MAX ? "the key is too long" : NULL;
done:
    ERR_clear_error();
    free(bytes);
    free(encoded);
    return problem;
}

static const char *read_tags(const struct tag_list *list, struct dkim_key *key)
{
    const char *version = tag_list_get(list, "v");
    const char *type = tag_list_get(list, "k");
    const char *services = tag_list_get(list, "s");
    const char *flags = tag_list_get(list, "t");

    if (version != NULL && (strcmp(version, "DKIM1") != 0 || strcmp(list->tags[0].name, "v") != 0))
        return "the record is no key record";
    if (services != NULL && !tag_words_have(services, "*") && !tag_words_have(services, "email"))
        return "the key is not for mail";
    if (type == NULL || strcmp(type, "rsa") == 0)
        key->type = DKIM_KEY_RSA;
    else if (strcmp(type, "ed25519") == 0)
        key->type = DKIM_KEY_ED25519;
    else
        return "the key is of an unknown type";
    key->hashes = mem_copy(tag_list_get(list, "h"));
    key->strict = flags != NULL && tag_words_have(flags, "s");
    key->testing = flags != NULL && tag_words_have(flags, "y");
    return read_public_key(list, key);
}

const char *dkim_key_parse(const char *bytes, size_t length, struct dkim_key *key_r)
{
    struct tag_list list;
    const char *problem;

    *key_r = (struct dkim_key){.bits = 0};
    if (!tag_list_parse(bytes, length, &list))
        return "the key record's syntax is wrong";
    problem = read_tags(&list, key_r);
    tag_list_clear(&list);
    if (problem != NULL)
        dkim_key_clear(key_r);
    return problem;
}
