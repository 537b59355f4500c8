/* SPDX-License-Identifier: BSD-2-Clause */
/* dns.spf-*: what SPF will say of the addresses that we send from. */
#include "lib/auth/outlook.h"
#include "lib/auth/spf_advice.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/dns_failure.h"

#include <stdlib.h>
#include <string.h>

#define FAILS_MAX 8 /* addresses that are named, of one identity */
#define RECORD_SHOWN 300 /* octets of a record in a line of the log */

/* MAIL FROM or HELO, and the findings about it. */
struct identity {
    const struct conf *conf;
    struct message *message;
    const struct outlook *outlook;
    const char *domain;
    bool helo;
    const struct strings *records;
};

static const struct outlook_spf *next(const struct identity *identity, enum spf_status status,
                                      size_t *at)
{
    const struct outlook *outlook = identity->outlook;

    while (*at < outlook->nspf) {
        const struct outlook_spf *spf = &outlook->spf[(*at)++];

        if (spf->helo == identity->helo && spf->result.status == status)
            return spf;
    }
    return NULL;
}

static const struct outlook_spf *first(const struct identity *identity, enum spf_status status)
{
    size_t at = 0;

    return next(identity, status, &at);
}

static const struct outlook_source *source_of(const struct identity *identity,
                                              const struct outlook_spf *spf)
{
    return &identity->outlook->sources[spf->source];
}

/* The terms that the record lacks for the addresses that it does not let pass. */
static void missing_terms(const struct identity *identity, struct strings *terms_r)
{
    for (size_t i = 0; i < identity->outlook->nspf; i++) {
        const struct outlook_spf *spf = &identity->outlook->spf[i];
        const char *term = source_of(identity, spf)->term;

        if (spf->helo == identity->helo && spf->result.status != SPF_PASS && term != NULL &&
            !strings_have(terms_r, term))
            strings_add(terms_r, term);
    }
}

static const char *foreign(const struct identity *identity)
{
    return conf_is_local_domain(identity->conf, identity->domain)
               ? ""
               : "; if the domain is not yours to change, send with an address of one that is";
}

static struct finding *find(const struct identity *identity, enum cause_id cause,
                            const struct outlook_spf *spf)
{
    struct finding *finding = findings_add(&identity->message->findings, cause_get(cause));
    const struct outlook_source *source = source_of(identity, spf);
    char address[IP_TEXT_MAX];

    ip_format(&source->address, address);
    finding_field(finding, "domain", "%s", identity->domain);
    if (address[0] != '\0')
        finding_field(finding, "ip", "%s", address);
    if (source->relay != NULL)
        finding_field(finding, "relay", "%s", source->relay);
    if (identity->helo)
        finding_field(finding, "identity", "helo");
    if (identity->records->count > 0)
        finding_field(finding, "record", "%.*s", RECORD_SHOWN, identity->records->items[0]);
    return finding;
}

/* --- no record ------------------------------------------------------------------------ */

static void find_missing(const struct identity *identity)
{
    const struct outlook_spf *spf = first(identity, SPF_NONE);
    struct strings terms = {0};
    struct finding *finding;
    char *record;

    if (spf == NULL)
        return;
    missing_terms(identity, &terms);
    if (terms.count == 0)
        strings_add(&terms, "mx");
    record = spf_advice_add(NULL, &terms, false);
    finding = find(identity, CAUSE_DNS_SPF_MISSING, spf);
    finding_field(finding, "problem", "%s", spf->result.problem != NULL ? spf->result.problem : "");
    finding_sentence(
        finding, "%s does not say which servers may send its mail (SPF); it may end up as spam.",
        identity->domain);
    finding_hint(finding, "publish a TXT record at %s: \"%.*s\"%s", identity->domain, RECORD_SHOWN,
                 record, foreign(identity));
    free(record);
    strings_free(&terms);
}

/* --- not authorised ------------------------------------------------------------------- */

/* Whether what decided stands before the end of the record, so that our terms must, too. */
static bool decided_early(const struct spf_result *result)
{
    const char *mechanism = result->mechanism;

    if (mechanism == NULL || strcmp(mechanism, "default") == 0)
        return false;
    return strcmp(mechanism + (strchr("+-~?", *mechanism) != NULL), "all") != 0;
}

static void hint_fail(const struct identity *identity, const struct outlook_spf *spf,
                      struct finding *finding)
{
    const char *term = source_of(identity, spf)->term;
    struct strings terms = {0};
    char *record;

    missing_terms(identity, &terms);
    record = spf_advice_add(identity->records->count > 0 ? identity->records->items[0] : NULL,
                            &terms, decided_early(&spf->result));
    if (strlen(record) <= RECORD_SHOWN)
        finding_hint(finding, "add %s to the SPF record of %s: \"%s\"%s", term, identity->domain,
                     record, foreign(identity));
    else
        finding_hint(finding, "add %s to the SPF record of %s, %s%s", term, identity->domain,
                     decided_early(&spf->result) ? "as its first term" : "before its \"all\"",
                     foreign(identity));
    free(record);
    strings_free(&terms);
}

static void find_fail(const struct identity *identity, const struct outlook_spf *spf)
{
    struct finding *finding = find(identity, CAUSE_DNS_SPF_FAIL, spf);

    finding_field(finding, "spf", "%s", spf_status_name(spf->result.status));
    finding_field(finding, "mechanism", "%.*s", RECORD_SHOWN,
                  spf->result.mechanism != NULL ? spf->result.mechanism : "");
    finding_field(finding, "lookups", "%u/%d", spf->result.lookups, SPF_LOOKUPS_MAX);
    finding_field(finding, "void", "%u/%d", spf->result.voids, SPF_VOIDS_MAX);
    finding_sentence(finding,
                     "%s does not allow our mail server to send its mail (SPF). The domain's "
                     "administrator can add us to its SPF record.",
                     identity->domain);
    hint_fail(identity, spf, finding);
}

static void find_fails(const struct identity *identity)
{
    static const enum spf_status statuses[] = {SPF_FAIL, SPF_SOFTFAIL, SPF_NEUTRAL};
    size_t found = 0;

    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        const struct outlook_spf *spf;
        size_t at = 0;

        while (found < FAILS_MAX && (spf = next(identity, statuses[i], &at)) != NULL) {
            if (source_of(identity, spf)->address.family == 0)
                continue;
            find_fail(identity, spf);
            found++;
        }
    }
}

/* --- broken --------------------------------------------------------------------------- */

static void hint_broken(const struct identity *identity, const struct spf_result *result,
                        struct finding *finding)
{
    if (identity->records->count > 1) {
        char *record = spf_advice_merge(identity->records);

        finding_hint(finding, "publish one SPF record at %s in place of %zu: \"%.*s\"",
                     identity->domain, identity->records->count, RECORD_SHOWN, record);
        free(record);
    } else if (result->lookups > SPF_LOOKUPS_MAX) {
        finding_hint(finding,
                     "let the SPF record of %s need %d lookups at most: put ip4: and ip6: in place "
                     "of a, mx and include, and drop services that are not used any more",
                     identity->domain, SPF_LOOKUPS_MAX);
    } else if (result->voids > SPF_VOIDS_MAX) {
        finding_hint(finding,
                     "take the names that do not exist any more out of the SPF record of %s: %d "
                     "may be left",
                     identity->domain, SPF_VOIDS_MAX);
    } else {
        finding_hint(finding, "correct the SPF record of %s: %s", identity->domain,
                     result->problem != NULL ? result->problem : "a term is wrong");
    }
}

static void find_broken(const struct identity *identity)
{
    const struct outlook_spf *spf = first(identity, SPF_PERMERROR);
    struct finding *finding;

    if (spf == NULL)
        return;
    finding = find(identity, CAUSE_DNS_SPF_BROKEN, spf);
    finding_field(finding, "problem", "%.*s", RECORD_SHOWN,
                  spf->result.problem != NULL ? spf->result.problem : "");
    finding_field(finding, "lookups", "%u/%d", spf->result.lookups, SPF_LOOKUPS_MAX);
    finding_field(finding, "void", "%u/%d", spf->result.voids, SPF_VOIDS_MAX);
    finding_sentence(finding,
                     "The SPF record of %s has an error. The domain's administrator needs to "
                     "repair it.",
                     identity->domain);
    hint_broken(identity, &spf->result, finding);
}

static void find_failure(const struct identity *identity)
{
    const struct outlook_spf *spf = first(identity, SPF_TEMPERROR);
    char *problem;

    if (spf == NULL)
        return;
    problem = mem_print("%.*s", RECORD_SHOWN,
                        spf->result.problem != NULL ? spf->result.problem : "no answer");
    dns_failure_add(identity->message, &(struct dns_failure){.domain = identity->domain,
                                                             .type = "TXT",
                                                             .name = identity->domain,
                                                             .problem = problem,
                                                             .recipient = -1});
    free(problem);
}

/* A HELO name needs no record of its own; for bounces it is the only name that there is. */
static void find_all(const struct identity *identity)
{
    if (!identity->helo || identity->outlook->sender_domain == NULL)
        find_missing(identity);
    find_fails(identity);
    find_broken(identity);
    find_failure(identity);
}

void check_spf(const struct conf *conf, struct message *message)
{
    const struct outlook *outlook = message->facts.outlook;
    struct identity identity = {.conf = conf, .message = message, .outlook = outlook};

    if (outlook == NULL)
        return;
    if (outlook->sender_domain != NULL) {
        identity.domain = outlook->sender_domain;
        identity.records = &outlook->sender_records;
        find_all(&identity);
        if (strcmp(outlook->sender_domain, outlook->helo) == 0)
            return;
    }
    identity.domain = outlook->helo;
    identity.records = &outlook->helo_records;
    identity.helo = true;
    find_all(&identity);
}
