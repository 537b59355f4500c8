/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/dkim_signature.h"

#include "lib/auth/base64.h"
#include "lib/auth/lookup.h"
#include "lib/auth/tag_list.h"
#include "lib/base/count.h"
#include "lib/base/domain.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WHITE_SPACE " \t\r\n"
#define SHA1_BYTES 20
#define SHA256_BYTES 32

void dkim_signature_clear(struct dkim_signature *signature)
{
    free(signature->algorithm);
    free(signature->domain);
    free(signature->selector);
    free(signature->identity);
    strings_free(&signature->names);
    free(signature->encoded);
    free(signature->signature);
    free(signature->body_hash);
    *signature = (struct dkim_signature){.problem = NULL};
}

/* --- single tags: each returns what is wrong, or NULL --------------------------------- */

static const char *read_version(const struct tag_list *list, struct dkim_signature *signature)
{
    const char *version = tag_list_get(list, "v");

    signature->versionless = version == NULL;
    return version == NULL || strcmp(version, "1") == 0 ? NULL : "unknown version";
}

static const char *read_algorithm(const struct tag_list *list, struct dkim_signature *signature)
{
    static const struct {
        const char *name;
        enum dkim_key_type type;
        enum dkim_hash hash;
    } algorithms[] = {
        {"rsa-sha256", DKIM_KEY_RSA, DKIM_SHA256},
        {"ed25519-sha256", DKIM_KEY_ED25519, DKIM_SHA256},
        {"rsa-sha1", DKIM_KEY_RSA, DKIM_SHA1},
    };

    signature->algorithm = mem_copy(tag_list_get(list, "a"));
    if (signature->algorithm == NULL)
        return "no a=";
    for (size_t i = 0; i < COUNT_OF(algorithms); i++)
        if (strcasecmp(signature->algorithm, algorithms[i].name) == 0) {
            signature->type = algorithms[i].type;
            signature->hash = algorithms[i].hash;
            return NULL;
        }
    return "unknown algorithm";
}

static bool read_canon(const char *word, size_t length, enum dkim_canon *canon_r)
{
    if (length == strlen("simple") && strncasecmp(word, "simple", length) == 0)
        *canon_r = DKIM_SIMPLE;
    else if (length == strlen("relaxed") && strncasecmp(word, "relaxed", length) == 0)
        *canon_r = DKIM_RELAXED;
    else
        return false;
    return true;
}

static const char *read_canons(const struct tag_list *list, struct dkim_signature *signature)
{
    const char *value = tag_list_get(list, "c");
    size_t length;

    if (value == NULL)
        return NULL;
    length = strcspn(value, "/");
    if (!read_canon(value, length, &signature->header) ||
        (value[length] == '/' &&
         !read_canon(value + length + 1, strlen(value + length + 1), &signature->body)))
        return "unknown canonicalization";
    return NULL;
}

static const char *read_domain(const struct tag_list *list, struct dkim_signature *signature)
{
    const char *domain = tag_list_get(list, "d");

    if (domain == NULL)
        return "no d=";
    if (*domain != '\0' && domain[strlen(domain) - 1] != '.')
        signature->domain = domain_copy(domain);
    return signature->domain != NULL ? NULL : "d= is no domain";
}

static const char *read_selector(const struct tag_list *list, struct dkim_signature *signature)
{
    const char *selector = tag_list_get(list, "s");

    if (selector == NULL)
        return "no s=";
    if (*selector != '\0' && selector[strlen(selector) - 1] != '.')
        signature->selector = domain_copy(selector);
    return signature->selector != NULL ? NULL : "s= is no selector";
}

static bool is_at_or_below(const char *domain, const char *above)
{
    size_t length = strlen(domain), above_length = strlen(above);

    return length >= above_length && strcasecmp(domain + length - above_length, above) == 0 &&
           (length == above_length || domain[length - above_length - 1] == '.');
}

static const char *read_identity(const struct tag_list *list, struct dkim_signature *signature)
{
    const char *at;
    char *domain;
    bool good;

    signature->identity = tag_list_get_compact(list, "i");
    if (signature->identity == NULL)
        return NULL;
    at = strrchr(signature->identity, '@');
    if (at == NULL)
        return "i= is no identity";
    domain = domain_copy(at + 1);
    good = domain != NULL && signature->domain != NULL && is_at_or_below(domain, signature->domain);
    signature->below = good && strcasecmp(domain, signature->domain) != 0;
    free(domain);
    return good ? NULL : "i= is not of d=";
}

static const char *read_names(const struct tag_list *list, struct dkim_signature *signature)
{
    char *names = tag_list_get_compact(list, "h");
    const char *problem = NULL;

    if (names == NULL)
        return "no h=";
    for (char *name = names, *next; name != NULL && problem == NULL; name = next) {
        next = strchr(name, ':');
        if (next != NULL)
            *next++ = '\0';
        if (*name == '\0')
            problem = "an empty name in h=";
        else if (signature->names.count == DKIM_NAMES_MAX)
            problem = "too many names in h=";
        else
            strings_add(&signature->names, name);
    }
    free(names);
    if (problem == NULL && !strings_have_case(&signature->names, "from"))
        problem = "From is not signed";
    return problem;
}

static const char *read_signature(const struct tag_list *list, struct dkim_signature *signature)
{
    signature->encoded = tag_list_get_compact(list, "b");
    if (signature->encoded == NULL)
        return "no b=";
    signature->signature = base64_decode(signature->encoded, &signature->signature_length);
    return signature->signature != NULL ? NULL : "b= is no base64";
}

static const char *read_body_hash(const struct tag_list *list, struct dkim_signature *signature)
{
    char *encoded = tag_list_get_compact(list, "bh");

    if (encoded == NULL)
        return "no bh=";
    signature->body_hash = base64_decode(encoded, &signature->body_hash_length);
    free(encoded);
    if (signature->body_hash == NULL ||
        signature->body_hash_length != (signature->hash == DKIM_SHA1 ? SHA1_BYTES : SHA256_BYTES))
        return "bh= is no hash";
    return NULL;
}

/* Up to so many digits.  false: no number. */
static bool read_number(const char *digits, size_t most, uint64_t *number_r)
{
    size_t length = strspn(digits, "0123456789");
    uint64_t number = 0;

    if (length == 0 || length > most || digits[length] != '\0')
        return false;
    for (; *digits != '\0'; digits++) {
        unsigned digit = (unsigned)(*digits - '0');

        number = number > (UINT64_MAX - 1 - digit) / 10 ? UINT64_MAX - 1 : number * 10 + digit;
    }
    *number_r = number;
    return true;
}

static const char *read_limit(const struct tag_list *list, struct dkim_signature *signature)
{
    const char *limit = tag_list_get(list, "l");

    signature->limit = DKIM_BODY_ALL;
    signature->limited = limit != NULL;
    return limit == NULL || read_number(limit, 76, &signature->limit) ? NULL : "l= is no number";
}

static const char *read_times(const struct tag_list *list, int64_t now_sec)
{
    const char *made = tag_list_get(list, "t"), *expires = tag_list_get(list, "x");
    uint64_t now = now_sec > 0 ? (uint64_t)now_sec : 0;
    uint64_t made_sec = 0, expires_sec = UINT64_MAX;

    if (made != NULL && !read_number(made, 12, &made_sec))
        return "t= is no time";
    if (expires != NULL && !read_number(expires, 12, &expires_sec))
        return "x= is no time";
    if (made_sec > now + DKIM_CLOCK_DRIFT_SEC)
        return "signed in the future";
    if (expires_sec <= made_sec)
        return "expires before it is signed";
    return expires_sec < now ? "expired" : NULL;
}

static const char *read_query(const struct tag_list *list)
{
    const char *query = tag_list_get(list, "q");

    if (query == NULL || tag_words_have(query, "dns/txt") || tag_words_have(query, "dns"))
        return NULL;
    return "unknown query method";
}

/* --- the field ------------------------------------------------------------------------ */

static void note(struct dkim_signature *signature, const char *problem)
{
    if (signature->problem == NULL)
        signature->problem = problem;
}

static void parse_own(const struct tag_list *list, struct dkim_signature *signature)
{
    note(signature, read_version(list, signature));
    note(signature, read_algorithm(list, signature));
    note(signature, read_canons(list, signature));
    note(signature, read_domain(list, signature));
    note(signature, read_selector(list, signature));
    note(signature, read_identity(list, signature));
    note(signature, read_names(list, signature));
    note(signature, read_signature(list, signature));
    note(signature, read_body_hash(list, signature));
    note(signature, read_limit(list, signature));
    note(signature, read_query(list));
}

/* --- the same in ARC ------------------------------------------------------------------ */

static const char *read_instance(const struct tag_list *list, struct dkim_signature *signature)
{
    const char *instance = tag_list_get(list, "i");
    uint64_t number = 0;

    if (instance == NULL || !read_number(instance, 3, &number) || number == 0)
        return "i= is no instance";
    signature->instance = (unsigned)number;
    return NULL;
}

static const char *read_chain(const struct tag_list *list, struct dkim_signature *signature)
{
    static const char *const words[] = {
        [DKIM_CHAIN_NONE] = "none",
        [DKIM_CHAIN_PASS] = "pass",
        [DKIM_CHAIN_FAIL] = "fail",
    };
    const char *chain = tag_list_get(list, "cv");

    for (size_t i = 0; chain != NULL && i < COUNT_OF(words); i++)
        if (strcasecmp(chain, words[i]) == 0) {
            signature->chain = (enum dkim_chain)i;
            return NULL;
        }
    return "cv= is no result";
}

static void parse_arc(const struct tag_list *list, struct dkim_signature *signature)
{
    note(signature, read_instance(list, signature));
    note(signature, read_algorithm(list, signature));
    note(signature, read_domain(list, signature));
    note(signature, read_selector(list, signature));
    note(signature, read_signature(list, signature));
    signature->limit = DKIM_BODY_ALL;
}

static void parse_arc_message(const struct tag_list *list, struct dkim_signature *signature)
{
    parse_arc(list, signature);
    note(signature, read_canons(list, signature));
    note(signature, read_names(list, signature));
    note(signature, read_body_hash(list, signature));
    note(signature, read_limit(list, signature));
    note(signature, read_query(list));
    if (strings_have_case(&signature->names, "arc-seal"))
        note(signature, "a seal in h=");
}

static void parse_arc_seal(const struct tag_list *list, struct dkim_signature *signature)
{
    signature->header = DKIM_RELAXED;
    parse_arc(list, signature);
    note(signature, read_chain(list, signature));
    if (tag_list_get(list, "h") != NULL || tag_list_get(list, "bh") != NULL)
        note(signature, "a seal covers no headers and no body");
}

void dkim_signature_parse_as(const char *value, enum dkim_field field, int64_t now_sec,
                             struct dkim_signature *signature_r)
{
    static void (*const parsers[])(const struct tag_list *, struct dkim_signature *) = {
        [DKIM_FIELD_SIGNATURE] = parse_own,
        [DKIM_FIELD_ARC_MESSAGE] = parse_arc_message,
        [DKIM_FIELD_ARC_SEAL] = parse_arc_seal,
    };
    struct tag_list list;

    *signature_r = (struct dkim_signature){.header = DKIM_SIMPLE, .body = DKIM_SIMPLE};
    if (!tag_list_parse(value, strlen(value), &list)) {
        signature_r->problem = "the signature's syntax is wrong";
        return;
    }
    parsers[field](&list, signature_r);
    note(signature_r, read_times(&list, now_sec));
    tag_list_clear(&list);
}

void dkim_signature_parse(const char *value, int64_t now_sec, struct dkim_signature *signature_r)
{
    dkim_signature_parse_as(value, DKIM_FIELD_SIGNATURE, now_sec, signature_r);
}

/* Whether the tag that begins there is b. */
static bool is_b(const char *spec)
{
    spec += strspn(spec, WHITE_SPACE);
    return *spec == 'b' && spec[1 + strspn(spec + 1, WHITE_SPACE)] == '=';
}

char *dkim_signature_unsigned(const char *value)
{
    struct text text = TEXT_EMPTY;

    while (*value != '\0') {
        size_t length = strcspn(value, ";");

        text_add(&text, value, is_b(value) ? strcspn(value, "=") + 1 : length);
        value += length;
        if (*value == ';')
            text_add_char(&text, *value++);
    }
    return text_take(&text);
}

char *dkim_signature_key_name(const struct dkim_signature *signature)
{
    char *name;

    if (signature->domain == NULL || signature->selector == NULL)
        return NULL;
    name = mem_print("%s._domainkey.%s", signature->selector, signature->domain);
    if (!lookup_is_name(name)) {
        free(name);
        name = NULL;
    }
    return name;
}
