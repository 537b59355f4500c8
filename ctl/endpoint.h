/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mail server as its clients meet it: connected to, greeted, made secure, and asked what it
 * offers.  Nothing is sent and nobody logs in.
 */
#pragma once

#include "ctl/talk.h"

#include "lib/base/ip.h"
#include "lib/base/text.h"
#include "lib/message/finding.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

/* What is spoken, and how it becomes secure. */
struct endpoint_kind {
    const char *scheme; /* "submission" */
    uint16_t port;
    bool wrapped; /* TLS from the start; else STARTTLS */
    bool imap;
    bool login; /* clients log in here */
};

/* Ends with endpoint_clear(). */
struct endpoint {
    const struct endpoint_kind *kind;
    char *host; /* a name or an address */
    char *title; /* "submission://mail.example.com:587" */
    uint16_t port;
    struct ip_address address; /* of host where it is one; else family 0 */
};

/* "[SCHEME://]HOST[:PORT]"; what is not said follows from the rest.  false: it is none. */
bool endpoint_read(const char *words, struct endpoint *endpoint_r);
void endpoint_clear(struct endpoint *endpoint);

/* How to look at it. */
struct endpoint_manner {
    SSL_CTX *tls; /* of endpoint_tls_new() */
    const char *name; /* that the certificate has to be for; NULL: the host */
    const char *helo;
    int64_t timeout_ms; /* for each address, all together */
};

/* NULL: problem_r says why (the caller frees it).  authorities is a file of certificates to trust;
 * NULL: those that the system trusts. */
SSL_CTX *endpoint_tls_new(const char *authorities, char **problem_r);

/* Adds what is wrong with it at one of its addresses: config.endpoint-down, config.endpoint-tls,
 * config.endpoint-auth.  said gets what there is to tell, in words. */
void endpoint_look(const struct endpoint *endpoint, const struct ip_address *address,
                   const struct endpoint_manner *manner, struct findings *findings,
                   struct text *said);

/* The name that the certificate has to be for. */
const char *endpoint_name(const struct endpoint *endpoint, const struct endpoint_manner *manner);

/* --- between the parts ------------------------------------------------------------------- */

/* A finding with the fields that all have. */
struct finding *endpoint_finding(struct findings *findings, int cause,
                                 const struct endpoint *endpoint, const struct ip_address *address,
                                 const char *problem);

/* Starts TLS and judges the certificate.  false: no TLS came about, which is said by problem_r
 * alone (talk's own). */
bool endpoint_secure(struct talk *talk, const struct endpoint *endpoint,
                     const struct ip_address *address, const struct endpoint_manner *manner,
                     struct findings *findings, struct text *said);

/* A stranger's words made printable; the caller frees them. */
char *endpoint_quote(const char *words);
