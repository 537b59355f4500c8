/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS with a mail server, and what its certificate is worth. */
#include "ctl/endpoint.h"

#include "lib/base/mem.h"
#include "lib/causes/causes.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#define ERRORS_MAX 8
#define NAMES_MAX 10 /* of a certificate, that are told */
#define SOON_DAYS 14
#define DAY_SEC 86400

/* What is wrong with the chain: each kind once. */
struct flaws {
    struct {
        int error;
        int depth;
        char *subject; /* of the certificate that has it */
        char *date; /* where it is about one */
    } items[ERRORS_MAX];
    size_t count;
};

SSL_CTX *endpoint_tls_new(const char *authorities, char **problem_r)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    const bool good =
        tls != NULL && (authorities != NULL ? SSL_CTX_load_verify_locations(tls, authorities, NULL)
                                            : SSL_CTX_set_default_verify_paths(tls)) == 1;

    if (good) {
        /* what is old is to be seen, not to fail */
        SSL_CTX_set_security_level(tls, 0);
        (void)SSL_CTX_set_min_proto_version(tls, TLS1_VERSION);
        return tls;
    }
    *problem_r = mem_print("cannot read the authorities%s%s: %s", authorities != NULL ? " of " : "",
                           authorities != NULL ? authorities : "",
                           ERR_reason_error_string(ERR_peek_last_error()));
    SSL_CTX_free(tls);
    return NULL;
}

/* --- words ------------------------------------------------------------------------------- */

/* "2026-11-21"; the caller frees it. */
static char *date_of(const ASN1_TIME *time)
{
    struct tm tm;

    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
        return mem_copy("an unknown day");
    return mem_print("%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static char *common_name(const X509_NAME *name)
{
    char text[256] = "";

    (void)X509_NAME_get_text_by_NID((X509_NAME *)(uintptr_t)name, NID_commonName, text,
                                    sizeof(text));
    return endpoint_quote(text);
}

/* The host names and addresses that it is for. */
static char *names_of(X509 *certificate)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    struct text names = TEXT_EMPTY;
    char *quoted;

    for (int i = 0; all != NULL && i < sk_GENERAL_NAME_num(all) && i < NAMES_MAX; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

        if (name->type == GEN_DNS)
            text_print(&names, "%s%.*s", names.length > 0 ? ", " : "",
                       ASN1_STRING_length(name->d.dNSName),
                       (const char *)ASN1_STRING_get0_data(name->d.dNSName));
    }
    GENERAL_NAMES_free(all);
    if (names.length > 0) {
        quoted = endpoint_quote(text_string(&names));
        text_free(&names);
        return quoted;
    }
    return common_name(X509_get_subject_name(certificate));
}

/* --- the chain --------------------------------------------------------------------------- */

static int collect(int good, X509_STORE_CTX *store)
{
    SSL *tls = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct flaws *flaws = SSL_get_app_data(tls);
    const int error = X509_STORE_CTX_get_error(store);
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);

    if (good || flaws == NULL || flaws->count == ERRORS_MAX)
        return 1;
    for (size_t i = 0; i < flaws->count; i++)
        if (flaws->items[i].error == error)
            return 1;
    flaws->items[flaws->count].error = error;
    flaws->items[flaws->count].depth = X509_STORE_CTX_get_error_depth(store);
    if (certificate != NULL) {
        flaws->items[flaws->count].subject = common_name(X509_get_subject_name(certificate));
        flaws->items[flaws->count].date =
            date_of(error == X509_V_ERR_CERT_NOT_YET_VALID ? X509_get0_notBefore(certificate)
                                                           : X509_get0_notAfter(certificate));
    }
    flaws->count++;
    return 1;
}

static void clear(struct flaws *flaws)
{
    for (size_t i = 0; i < flaws->count; i++) {
        free(flaws->items[i].subject);
        free(flaws->items[i].date);
    }
}

/* --- judging ----------------------------------------------------------------------------- */

struct judge {
    const struct endpoint *endpoint;
    const struct ip_address *address;
    const struct endpoint_manner *manner;
    struct findings *findings;
    char *names, *issuer;
    bool untrusted; /* said already */
};

static void find(struct judge *judge, const char *problem, const char *hint)
{
    struct finding *finding = endpoint_finding(judge->findings, CAUSE_CONFIG_ENDPOINT_TLS,
                                               judge->endpoint, judge->address, problem);

    finding_field(finding, "names", "%s", judge->names);
    finding_field(finding, "issuer", "%s", judge->issuer);
    finding_hint(finding, "%s", hint);
}

static void find_expired(struct judge *judge, const char *subject, const char *date, bool early)
{
    char *problem = mem_print(early ? "the certificate of %s is not valid before %s"
                                    : "the certificate of %s expired on %s",
                              subject, date);
    char *hint = early ? mem_print("put the earlier certificate of %s back until %s, or correct "
                                   "the clock",
                                   subject, date)
                       : mem_print("renew the certificate of %s (issued by %s) and reload the "
                                   "server at %s port %u, now and after each renewal",
                                   subject, judge->issuer, judge->endpoint->host,
                                   (unsigned)judge->endpoint->port);

    find(judge, problem, hint);
    free(problem);
    free(hint);
}

static void find_other_name(struct judge *judge)
{
    const char *name = endpoint_name(judge->endpoint, judge->manner);
    char *problem = mem_print("the certificate is for %s, not for %s", judge->names, name);
    char *hint =
        mem_print("have %s in the certificate, or tell clients to use %s", name, judge->names);

    find(judge, problem, hint);
    free(problem);
    free(hint);
}

static void find_untrusted(struct judge *judge, int error)
{
    const bool self = error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
    char *problem, *hint;

    if (judge->untrusted)
        return;
    judge->untrusted = true;
    problem = self ? mem_copy("the certificate is signed by itself, which no client trusts")
                   : mem_print("the certificate does not lead to a known authority: %s",
                               X509_verify_cert_error_string(error));
    hint = self ? mem_print("get a certificate for %s that an authority has signed",
                            endpoint_name(judge->endpoint, judge->manner))
                : mem_print("send the whole chain (fullchain.pem in place of cert.pem), with the "
                            "certificate of \"%s\"; for an authority of your own: --ca FILE",
                            judge->issuer);
    find(judge, problem, hint);
    free(problem);
    free(hint);
}

static void judge_flaws(struct judge *judge, const struct flaws *flaws)
{
    for (size_t i = 0; i < flaws->count; i++) {
        const char *subject = flaws->items[i].depth == 0 ? judge->names : flaws->items[i].subject;

        switch (flaws->items[i].error) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID:
            find_expired(judge, subject, flaws->items[i].date,
                         flaws->items[i].error == X509_V_ERR_CERT_NOT_YET_VALID);
            break;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            find_other_name(judge);
            break;
        default:
            find_untrusted(judge, flaws->items[i].error);
        }
    }
}

/* One that is good still, and not for long. */
static void judge_rest(struct judge *judge, X509 *certificate)
{
    int days = 0, seconds = 0;
    char *date = date_of(X509_get0_notAfter(certificate)), *problem, *hint;

    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) == 1 && days >= 0 &&
        seconds >= 0 && days < SOON_DAYS) {
        problem = mem_print("the certificate expires on %s, in %d days", date, days);
        hint = mem_print("renew the certificate of %s, and see why that was not done yet",
                         judge->names);
        find(judge, problem, hint);
        if (judge->findings->count > 0)
            judge->findings->items[judge->findings->count - 1].severity = SEVERITY_WARN;
        free(problem);
        free(hint);
    }
    free(date);
}

static void tell(const SSL *tls, X509 *certificate, const char *names, struct text *said)
{
    char *date = date_of(X509_get0_notAfter(certificate));

    text_print(said, "%s %s, certificate of %s until %s", SSL_get_version(tls),
               SSL_get_cipher_name(tls), names, date);
    free(date);
}

static void set_name(SSL *tls, const char *name)
{
    struct ip_address address;

    if (ip_parse(name, &address)) {
        (void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), name);
        return;
    }
    (void)SSL_set_tlsext_host_name(tls, name);
    (void)SSL_set1_host(tls, name);
}

bool endpoint_secure(struct talk *talk, const struct endpoint *endpoint,
                     const struct ip_address *address, const struct endpoint_manner *manner,
                     struct findings *findings, struct text *said)
{
    struct judge judge = {endpoint, address, manner, findings, NULL, NULL, false};
    struct flaws flaws = {.count = 0};
    SSL *tls = SSL_new(manner->tls);
    X509 *certificate;
    bool secure;

    if (tls == NULL)
        return false;
    SSL_set_verify(tls, SSL_VERIFY_PEER, collect);
    SSL_set_app_data(tls, &flaws);
    set_name(tls, endpoint_name(endpoint, manner));
    secure = talk_secure(talk, tls);
    certificate = secure ? SSL_get_peer_certificate(tls) : NULL;
    if (certificate != NULL) {
        judge.names = names_of(certificate);
        judge.issuer = common_name(X509_get_issuer_name(certificate));
        judge_flaws(&judge, &flaws);
        judge_rest(&judge, certificate);
        tell(tls, certificate, judge.names, said);
        X509_free(certificate);
        free(judge.names);
        free(judge.issuer);
    }
    SSL_set_app_data(tls, NULL);
    clear(&flaws);
    return secure;
}
