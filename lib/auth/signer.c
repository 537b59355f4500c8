/* SPDX-License-Identifier: BSD-2-Clause */
/* What the signatures of one configuration are made with: libopendkim's handles, and the keys. */
#include "lib/auth/signer.h"

#include "lib/auth/fields.h"
#include "lib/base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>

struct signer {
    atomic_size_t references;
    DKIM_LIB *library; /* for messages that lack a Date or a Message-ID */
    DKIM_LIB *library_with_dates;
    struct signer_keys keys;
    struct signer_form form;
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

static DKIM_LIB *open_library(const char *const *oversigned, int64_t expire_sec)
{
    uint64_t lifetime = (uint64_t)expire_sec;
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
        dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_SIGNATURETTL, &lifetime,
                     sizeof(lifetime)) != DKIM_STAT_OK ||
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

/* --- life ----------------------------------------------------------------------------- */

static void free_signer(struct signer *signer)
{
    signer_keys_clear(&signer->keys);
    if (signer->library != NULL)
        dkim_close(signer->library);
    if (signer->library_with_dates != NULL)
        dkim_close(signer->library_with_dates);
    free(signer);
}

static struct signer_form form_of(const struct conf *conf)
{
    const enum conf_canonicalization canon = conf->sign_canonicalization;
    const bool simple_headers = canon == CANON_SIMPLE_RELAXED || canon == CANON_SIMPLE_SIMPLE;
    const bool simple_body = canon == CANON_RELAXED_SIMPLE || canon == CANON_SIMPLE_SIMPLE;

    return (struct signer_form){
        .headers = simple_headers ? DKIM_SIMPLE : DKIM_RELAXED,
        .body = simple_body ? DKIM_SIMPLE : DKIM_RELAXED,
        .expire_sec = conf->sign_expire_ms / 1000,
    };
}

struct signer *signer_new(const struct conf *conf, const struct signer *previous, char **problem_r)
{
    struct signer *signer = mem_new(1, sizeof(*signer));
    bool complete;

    atomic_init(&signer->references, 1);
    signer->form = form_of(conf);
    signer->library = open_library(fields_oversigned, signer->form.expire_sec);
    signer->library_with_dates =
        open_library(fields_oversigned_with_dates, signer->form.expire_sec);
    complete = signer->library != NULL && signer->library_with_dates != NULL;
    if (!complete)
        *problem_r = mem_copy("libopendkim does not start");
    complete = complete && signer_keys_read(&signer->keys, conf,
                                            previous != NULL ? &previous->keys : NULL, problem_r);
    if (!complete) {
        free_signer(signer);
        return NULL;
    }
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

const struct signer_keys *signer_keys(const struct signer *signer)
{
    return &signer->keys;
}

bool signer_note(const struct signer *signer, size_t n, struct signer_note *note_r)
{
    const struct signer_key *key;

    if (n >= signer->keys.count)
        return false;
    key = &signer->keys.items[n];
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

const struct signer_form *signer_form(const struct signer *signer)
{
    return &signer->form;
}
