/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS to Redis, by OpenSSL and hiredis_ssl. */
#include "lib/store/redis_tls.h"

#include "lib/base/ip.h"
#include "lib/base/mem.h"

#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_CA, FILE_CERTIFICATE, FILE_KEY, FILE_COUNT };

/* How a file was when it was read. */
struct stamp {
    struct timespec changed;
    ino_t inode;
    off_t size;
};

struct redis_tls {
    unsigned holders;
    char *files[FILE_COUNT]; /* "": none */
    struct stamp stamps[FILE_COUNT];
    char *name; /* that the certificate must have; "": the host's */
    SSL_CTX *context;
};

static struct stamp stamp_of(const char *path)
{
    struct stat status;

    if (*path == '\0' || stat(path, &status) != 0)
        return (struct stamp){.size = -1};
    return (struct stamp){status.st_mtim, status.st_ino, status.st_size};
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec &&
           a->inode == b->inode && a->size == b->size;
}

/* --- what went wrong ------------------------------------------------------------------ */

static const char *last_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    return reason != NULL ? reason : "unknown reason";
}

static int on_verify(int good, X509_STORE_CTX *store)
{
    const SSL *session = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    char *problem = SSL_get_app_data(session);

    if (!good)
        (void)snprintf(problem, REDIS_TLS_PROBLEM_SIZE, "its certificate is refused: %s",
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
    return good;
}

/* What the server does not like of ours, which in TLS 1.3 it says after the handshake. */
static void on_alert(const SSL *session, int where, int alert)
{
    char *problem = SSL_get_app_data(session);

    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && alert >> 8 == SSL3_AL_FATAL &&
        *problem == '\0')
        (void)snprintf(problem, REDIS_TLS_PROBLEM_SIZE, "it says: TLS %s",
                       SSL_alert_desc_string_long(alert));
}

/* Only called where there is none.  Redis may go on without one, or close the connection before its
 * alert is read. */
static int on_certificate_asked(SSL *session, X509 **certificate_r, EVP_PKEY **key_r)
{
    char *problem = SSL_get_app_data(session);

    (void)certificate_r;
    (void)key_r;
    (void)snprintf(problem, REDIS_TLS_PROBLEM_SIZE,
                   "it asks for a certificate of ours: set store-tls-certificate and "
                   "store-tls-key");
    return 0;
}

/* --- the files ------------------------------------------------------------------------ */

static bool load(SSL_CTX *context, char *const files[FILE_COUNT], char **problem_r)
{
    const char *certificate = files[FILE_CERTIFICATE];
    const char *bad = NULL;

    ERR_clear_error();
    if (*files[FILE_CA] == '\0')
        (void)SSL_CTX_set_default_verify_paths(context);
    else if (SSL_CTX_load_verify_locations(context, files[FILE_CA], NULL) != 1)
        bad = files[FILE_CA];
    if (bad == NULL && *certificate != '\0') {
        if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
            bad = certificate;
        else if (SSL_CTX_use_PrivateKey_file(context, files[FILE_KEY], SSL_FILETYPE_PEM) != 1)
            bad = files[FILE_KEY];
    }
    if (bad != NULL)
        *problem_r = mem_print("%s cannot be used for TLS to Redis: %s", bad, last_reason());
    return bad == NULL;
}

static SSL_CTX *context_new(char *const files[FILE_COUNT], char **problem_r)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL) {
        *problem_r = mem_print("TLS to Redis: %s", last_reason());
        return NULL;
    }
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
    SSL_CTX_set_info_callback(context, on_alert);
    SSL_CTX_set_client_cert_cb(context, on_certificate_asked);
    if (load(context, files, problem_r))
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* A certificate was renewed, perhaps; where the new files are no good, the old ones are kept. */
static void read_again(struct redis_tls *tls)
{
    struct stamp stamps[FILE_COUNT];
    bool same = true;
    SSL_CTX *context;
    char *problem = NULL;

    for (size_t i = 0; i < FILE_COUNT; i++) {
        stamps[i] = stamp_of(tls->files[i]);
        same &= same_stamp(&stamps[i], &tls->stamps[i]);
    }
    if (same)
        return;
    context = context_new(tls->files, &problem);
    free(problem);
    if (context == NULL)
        return;
    SSL_CTX_free(tls->context);
    tls->context = context;
    memcpy(tls->stamps, stamps, sizeof(stamps));
}

struct redis_tls *redis_tls_new(const struct store_tls *settings, char **problem_r)
{
    const char *const files[FILE_COUNT] = {settings->ca, settings->certificate, settings->key};
    struct redis_tls *tls = mem_new(1, sizeof(*tls));

    tls->holders = 1;
    tls->name = mem_copy(settings->name != NULL ? settings->name : "");
    for (size_t i = 0; i < FILE_COUNT; i++) {
        tls->files[i] = mem_copy(files[i] != NULL ? files[i] : "");
        tls->stamps[i] = stamp_of(tls->files[i]);
    }
    tls->context = context_new(tls->files, problem_r);
    if (tls->context == NULL)
        redis_tls_release(&tls);
    return tls;
}

struct redis_tls *redis_tls_hold(struct redis_tls *tls)
{
    if (tls != NULL)
        tls->holders++;
    return tls;
}

void redis_tls_release(struct redis_tls **tls)
{
    struct redis_tls *old = *tls;

    *tls = NULL;
    if (old == NULL || --old->holders > 0)
        return;
    SSL_CTX_free(old->context);
    for (size_t i = 0; i < FILE_COUNT; i++)
        free(old->files[i]);
    free(old->name);
    free(old);
}

/* --- a connection --------------------------------------------------------------------- */

/* Whose certificate it must be (RFC 6125, section 6); an address goes into no SNI (RFC 6066,
 * section 3). */
static bool set_peer(SSL *session, const char *name)
{
    struct ip_address literal;

    if (ip_parse(name, &literal))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name) == 1;
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(session, name) == 1 && SSL_set_tlsext_host_name(session, name) == 1;
}

bool redis_tls_begin(struct redis_tls *tls, redisAsyncContext *connection, const char *host,
                     char problem[REDIS_TLS_PROBLEM_SIZE])
{
    SSL *session;

    *problem = '\0';
    read_again(tls);
    ERR_clear_error();
    session = SSL_new(tls->context);
    if (session != NULL && SSL_set_app_data(session, problem) == 1 &&
        set_peer(session, *tls->name != '\0' ? tls->name : host) &&
        redisInitiateSSL(&connection->c, session) == REDIS_OK)
        return true; /* hiredis has the session now */
    if (*problem == '\0')
        (void)snprintf(problem, REDIS_TLS_PROBLEM_SIZE, "TLS cannot begin: %s", last_reason());
    SSL_free(session);
    return false;
}
