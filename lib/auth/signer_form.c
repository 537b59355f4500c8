/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/signer_form.h"

#include "lib/auth/key.h"

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

/* Without a list of its own it signs every field that it is given, which are those of form->fields:
 * it would match each of them against the list by a regular expression. */
static DKIM_LIB *open_library(const struct signer_form *form, const char *const *oversigned)
{
    uint64_t lifetime = (uint64_t)form->expire_sec;
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
        !set_fields(library, DKIM_OPTS_OVERSIGNHDRS, oversigned)) {
        dkim_close(library);
        return NULL;
    }
    return library;
}

DKIM_LIB *signer_form_library(const struct signer_form *form, const struct message *message)
{
    return fields_oversigned(&form->fields, message) == form->fields.oversigned
               ? form->library_with_dates
               : form->library;
}

/* --- the form ------------------------------------------------------------------------- */

bool signer_form_is_own(const struct conf_sign *section)
{
    return section->canonicalization >= 0 || section->expire_ms >= 0 ||
           section->headers.count > 0 || section->oversigned.count > 0;
}

static void read_canonicalization(struct signer_form *form, int canon)
{
    const bool simple_headers = canon == CANON_SIMPLE_RELAXED || canon == CANON_SIMPLE_SIMPLE;
    const bool simple_body = canon == CANON_RELAXED_SIMPLE || canon == CANON_SIMPLE_SIMPLE;

    form->headers = simple_headers ? DKIM_SIMPLE : DKIM_RELAXED;
    form->body = simple_body ? DKIM_SIMPLE : DKIM_RELAXED;
}

bool signer_form_make(struct signer_form *form, const struct conf *conf,
                      const struct conf_sign *section)
{
    const struct strings *headers = &conf->sign_headers, *oversigned = &conf->oversign_headers;
    int canon = (int)conf->sign_canonicalization;
    int64_t expire_ms = conf->sign_expire_ms;

    if (section != NULL) {
        headers = section->headers.count > 0 ? &section->headers : headers;
        oversigned = section->oversigned.count > 0 ? &section->oversigned : oversigned;
        canon = section->canonicalization >= 0 ? section->canonicalization : canon;
        expire_ms = section->expire_ms >= 0 ? section->expire_ms : expire_ms;
    }
    read_canonicalization(form, canon);
    form->expire_sec = expire_ms / 1000;
    fields_make(headers, oversigned, &form->fields);
    form->library = open_library(form, form->fields.oversigned_undated);
    form->library_with_dates = open_library(form, form->fields.oversigned);
    return form->library != NULL && form->library_with_dates != NULL;
}

void signer_form_clear(struct signer_form *form)
{
    if (form->library != NULL)
        dkim_close(form->library);
    if (form->library_with_dates != NULL)
        dkim_close(form->library_with_dates);
    fields_clear(&form->fields);
    *form = (struct signer_form){.library = NULL};
}
