/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of a configuration, and libopendkim's handles. */
#include "lib/auth/signer.h"

#include "lib/auth/fields.h"
#include "lib/base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct signer {
    atomic_size_t references;
    DKIM_LIB *library; /* for messages that lack a Date or a Message-ID */
    DKIM_LIB *library_with_dates;
    struct signer_key *keys; /* sorted by domain, then as in the configuration */
    size_t nkeys;
};

/* --- libopendkim ---------------------------------------------------------------------- */

/* Signing asks the DNS nothing, and must never come to do so behind lib/dns' back. */
static int no_query(void *service, int type, unsigned char *query, unsigned char *buffer,
                    size_t size, void **handle_r)
{
    (void)service;
    (void)type;
    (void)query;
    (void)buffer;
    (void)size;
    (void)handle_r;
    return DKIM_DNS_ERROR;
}

static int no_reply(void *service, void *handle, struct timeval *timeout, size_t *bytes_r,
                    int *error_r, int *dnssec_r)
{
    (void)service;
    (void)handle;
    (void)timeout;
    (void)bytes_r;
    (void)error_r;
    (void)dnssec_r;
    return DKIM_DNS_ERROR;
}

static int no_cancel(void *service, void *handle)
{
    (void)service;
    (void)handle;
    return DKIM_DNS_SUCCESS;
}

static int no_resolver(void **service_r)
{
    *service_r = NULL;
    return DKIM_DNS_SUCCESS;
}

static void no_close(void *service)
{
    (void)service;
}

static bool set_fields(DKIM_LIB *library, dkim_opts_t option, const char *const *fields)
{
    /* libopendkim keeps the pointer and never writes through it; its prototype lacks the const. */
    return dkim_options(library, DKIM_OP_SETOPT, option, (void *)(uintptr_t)fields,
                        sizeof(fields)) == DKIM_STAT_OK;
}

static DKIM_LIB *open_library(const char *const *oversigned)
{
    DKIM_LIB *library = dkim_init(NULL, NULL);
    unsigned flags = DKIM_LIBFLAGS_NONE;
    unsigned bits = KEY_BITS_MIN;

    if (library == NULL)
        return NULL;
    dkim_dns_set_init(library, no_resolver);
    dkim_dns_set_close(library, no_close);
    dkim_dns_set_query_start(library, no_query);
    dkim_dns_set_query_waitreply(library, no_reply);
    dkim_dns_set_query_cancel(library, no_cancel);
    if (dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof(flags)) !=
            DKIM_STAT_OK ||
        dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &bits, sizeof(bits)) !=
            DKIM_STAT_OK ||
        !set_fields(library, DKIM_OPTS_SIGNHDRS, fields_signed) ||
        !set_fields(library, DKIM_OPTS_OVERSIGNHDRS, oversigned)) {
        dkim_close(library);
        return NULL;
    }
    return library;
}

DKIM_LIB *signer_library(const struct signer *signer, bool with_dates)
{
    return with_dates ? signer->library_with_dates : signer->library;
}

/* --- keys ----------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    const struct signer_key *first = a, *second = b;
    int order = strcmp(first->domain, second->domain);

    /* qsort(3) may swap what is equal; the place in the configuration decides then */
    return order != 0 ? order : (first->order > second->order) - (first->order < second->order);
}

/* The key that the last signer had for the same section and could read. */
static const struct signer_key *find_previous(const struct signer *previous,
                                              const struct signer_key *key)
{
    for (size_t i = 0; previous != NULL && i < previous->nkeys; i++) {
        const struct signer_key *before = &previous->keys[i];

        if (before->problem == NULL && strcmp(before->domain, key->domain) == 0 &&
            strcmp(before->selector, key->selector) == 0 && strcmp(before->path, key->path) == 0)
            return before;
    }
    return NULL;
}

static void read_key(const struct conf_sign *section, const struct signer *previous,
                     struct signer_key *key_r)
{
    const struct signer_key *before;
    bool not_permitted;

    key_r->domain = mem_copy(section->domain);
    key_r->selector = mem_copy(section->selector);
    key_r->path = mem_copy(section->key);
    key_r->name = mem_print("%s/%s", section->selector, section->domain);
    if (key_read(section->key, &key_r->key, &key_r->problem, &not_permitted) || !not_permitted)
        return;
    before = find_previous(previous, key_r);
    if (before == NULL)
        return;
    free(key_r->problem);
    key_r->problem = NULL;
    key_r->kept = true;
    key_share(&before->key, &key_r->key);
}

void signer_choose(const struct signer *signer, const char *domain, struct signer_choice *choice_r)
{
    size_t low = 0, high = signer->nkeys;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(signer->keys[middle].domain, domain) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    choice_r->count = 0;
    while (low < signer->nkeys && choice_r->count < CONF_SIGNS_MAX &&
           strcmp(signer->keys[low].domain, domain) == 0)
        choice_r->keys[choice_r->count++] = &signer->keys[low++];
}

bool signer_note(const struct signer *signer, size_t n, struct signer_note *note_r)
{
    const struct signer_key *key;

    if (n >= signer->nkeys)
        return false;
    key = &signer->keys[n];
    *note_r = (struct signer_note){
        .domain = key->domain,
        .path = key->path,
        .problem = key->problem,
        .bits = key->key.bits,
        .weak = key->problem == NULL && key_is_weak(&key->key),
        .kept = key->kept,
    };
    return true;
}

/* --- life ----------------------------------------------------------------------------- */

static void free_signer(struct signer *signer)
{
    for (size_t i = 0; i < signer->nkeys; i++) {
        struct signer_key *key = &signer->keys[i];

        free(key->domain);
        free(key->selector);
        free(key->path);
        free(key->name);
        free(key->problem);
        key_clear(&key->key);
    }
    free(signer->keys);
    if (signer->library != NULL)
        dkim_close(signer->library);
    if (signer->library_with_dates != NULL)
        dkim_close(signer->library_with_dates);
    free(signer);
}

struct signer *signer_new(const struct conf *conf, const struct signer *previous, char **problem_r)
{
    struct signer *signer = mem_new(1, sizeof(*signer));

    atomic_init(&signer->references, 1);
    signer->library = open_library(fields_oversigned);
    signer->library_with_dates = open_library(fields_oversigned_with_dates);
    if (signer->library == NULL || signer->library_with_dates == NULL) {
        *problem_r = mem_copy("libopendkim does not start");
        free_signer(signer);
        return NULL;
    }
    signer->keys = mem_new(conf->nsigns + 1, sizeof(*signer->keys));
    for (; signer->nkeys < conf->nsigns; signer->nkeys++) {
        read_key(&conf->signs[signer->nkeys], previous, &signer->keys[signer->nkeys]);
        signer->keys[signer->nkeys].order = signer->nkeys;
    }
    qsort(signer->keys, signer->nkeys, sizeof(*signer->keys), compare_keys);
    return signer;
}

struct signer *signer_hold(struct signer *signer)
{
    atomic_fetch_add(&signer->references, 1);
    return signer;
}

void signer_release(struct signer **signer)
{
    if (*signer != NULL && atomic_fetch_sub(&(*signer)->references, 1) == 1)
        free_signer(*signer);
    *signer = NULL;
}
