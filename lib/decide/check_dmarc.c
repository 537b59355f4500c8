/* SPDX-License-Identifier: BSD-2-Clause */
/* dns.dmarc-* and dns.unaligned: what DMARC will make of a message of ours. */
#include "lib/auth/dmarc_advice.h"
#include "lib/auth/outlook.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/dns_failure.h"
#include "lib/decide/foresight.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_SHOWN 300 /* octets of a record in a line of the log */
#define WANTED_SHOWN 500 /* ... that is to be published */

static struct finding *find(struct message *message, enum cause_id cause,
                            const struct outlook *outlook)
{
    struct finding *finding = findings_add(&message->findings, cause_get(cause));

    finding_field(finding, "domain", "%s", outlook->from_domain);
    if (outlook->dmarc.policy_domain != NULL &&
        strcmp(outlook->dmarc.policy_domain, outlook->from_domain) != 0)
        finding_field(finding, "policy-domain", "%s", outlook->dmarc.policy_domain);
    if (outlook->dmarc_records.count > 0)
        finding_field(finding, "record", "%.*s", RECORD_SHOWN, outlook->dmarc_records.items[0]);
    return finding;
}

static void find_missing(struct message *message, const struct outlook *outlook)
{
    const struct dmarc_result *dmarc = &outlook->dmarc;
    const char *where =
        dmarc->organizational_domain != NULL ? dmarc->organizational_domain : outlook->from_domain;
    struct finding *finding;

    if (dmarc->status != DMARC_STATUS_NONE || dmarc->several != NULL)
        return;
    finding = find(message, CAUSE_DNS_DMARC_MISSING, outlook);
    finding_sentence(finding, "%s has no DMARC record; large mail providers want one.",
                     outlook->from_domain);
    finding_hint(finding,
                 "publish a TXT record at _dmarc.%s: \"v=DMARC1; p=none; "
                 "rua=mailto:postmaster@%s\"",
                 where, where);
}

/* --- broken --------------------------------------------------------------------------- */

/* What is published, and what is wrong with it. */
static void find_broken(struct message *message, const struct outlook *outlook, const char *problem,
                        const char *hint)
{
    struct finding *finding = find(message, CAUSE_DNS_DMARC_BROKEN, outlook);

    finding_field(finding, "problem", "%s", problem);
    finding_sentence(finding,
                     "The DMARC record of %s has an error. The domain's administrator needs to "
                     "repair it.",
                     outlook->from_domain);
    finding_hint(finding, "%s", hint);
}

/* What is there, mended. */
static char *wanted_record(const struct outlook *outlook)
{
    char *wanted = dmarc_advice_mend(&outlook->dmarc_records);

    if (strlen(wanted) > WANTED_SHOWN) {
        free(wanted);
        wanted = mem_copy("v=DMARC1; p=none");
    }
    return wanted;
}

static void find_several(struct message *message, const struct outlook *outlook)
{
    char *problem, *hint, *wanted;

    if (outlook->dmarc.several == NULL)
        return;
    problem = mem_print("there is more than one record at _dmarc.%s", outlook->dmarc.several);
    wanted = wanted_record(outlook);
    hint = mem_print("publish one TXT record at _dmarc.%s in place of the %zu there: \"%s\"; "
                     "receivers ignore them all while there are several",
                     outlook->dmarc.several, outlook->dmarc_records.count, wanted);
    find_broken(message, outlook, problem, hint);
    free(wanted);
    free(problem);
    free(hint);
}

static void find_problems(struct message *message, const struct outlook *outlook)
{
    const struct strings *problems = &outlook->dmarc.problems;
    struct text problem = TEXT_EMPTY;
    char *hint, *wanted;

    for (size_t i = 0; i < problems->count; i++)
        text_print(&problem, "%s%s", i > 0 ? "; " : "", problems->items[i]);
    if (problems->count == 0 && outlook->dmarc.status == DMARC_STATUS_PERMERROR)
        text_add_string(&problem, "it has no usable policy");
    if (problem.length == 0)
        return;
    text_cut(&problem, problem.length < RECORD_SHOWN ? problem.length : RECORD_SHOWN);
    wanted = wanted_record(outlook);
    hint = mem_print("publish in place of the TXT record at _dmarc.%s: \"%s\"",
                     outlook->dmarc.policy_domain != NULL ? outlook->dmarc.policy_domain
                                                          : outlook->from_domain,
                     wanted);
    find_broken(message, outlook, text_string(&problem), hint);
    free(hint);
    free(wanted);
    text_free(&problem);
}

/* Receivers send no reports to a domain that did not ask for them (RFC 9990 section 3). */
static void find_foreign_reports(struct message *message, const struct outlook *outlook)
{
    const struct strings *reports = &outlook->foreign_reports;

    for (size_t i = 0; i + 1 < reports->count; i += 2) {
        char *problem =
            mem_print("reports may not go to %s: its domain does not permit it", reports->items[i]);
        char *hint = mem_print("publish a TXT record at %s: \"v=DMARC1\"; or name an address of "
                               "the domain's own in rua=",
                               reports->items[i + 1]);

        find_broken(message, outlook, problem, hint);
        free(problem);
        free(hint);
    }
}

/* --- alignment ------------------------------------------------------------------------ */

static char *dkim_words(const struct message *message, const struct outlook *outlook)
{
    struct text words = TEXT_EMPTY;

    for (size_t i = 0; i < outlook->nkeys; i++)
        text_print(&words, "%s%s:%s", i > 0 ? "," : "",
                   outlook_key_passes(&outlook->keys[i]) ? "pass" : "fail",
                   outlook->keys[i].domain);
    for (size_t i = 0; i < message->facts.carried.count; i++)
        text_print(&words, "%spass:%s", words.length > 0 ? "," : "",
                   message->facts.carried.items[i]);
    if (words.length == 0)
        text_add_string(&words, "none");
    return text_take(&words);
}

/* RFC 7489 section 6.6.4; the caller frees it. */
static char *share_words(const struct dmarc_result *dmarc)
{
    if (dmarc->status != DMARC_STATUS_FAIL || dmarc->percent == 100 ||
        dmarc->policy != dmarc->published)
        return mem_copy("");
    return mem_print("; until then pct= has receivers %s %u %% of such messages",
                     dmarc->policy == DMARC_REJECT ? "refuse" : "put aside", dmarc->percent);
}

static void find_unaligned(const struct conf *conf, struct message *message,
                           const struct outlook *outlook)
{
    const char *domain = outlook->from_domain;
    struct finding *finding;
    char *words, *share;

    if (foresight_alignment(outlook) != FORESIGHT_FAILS)
        return;
    words = dkim_words(message, outlook);
    share = share_words(&outlook->dmarc);
    finding = find(message, CAUSE_DNS_UNALIGNED, outlook);
    if (outlook->dmarc.status != DMARC_STATUS_FAIL || outlook->dmarc.policy == DMARC_NONE)
        foresight_spare_list(conf, message, domain, finding);
    finding_field(finding, "policy", "%s",
                  outlook->dmarc.status == DMARC_STATUS_FAIL
                      ? dmarc_policy_name(outlook->dmarc.policy)
                      : "none");
    if (outlook->dmarc.status == DMARC_STATUS_FAIL && outlook->dmarc.percent != 100)
        finding_field(finding, "pct", "%u", outlook->dmarc.percent);
    finding_field(finding, "spf", "%s:%s", spf_status_name(outlook->spf_status),
                  outlook->sender_domain != NULL ? outlook->sender_domain : outlook->helo);
    finding_field(finding, "dkim", "%s", words);
    finding_sentence(finding,
                     "The message does not prove that it comes from %s; other mail servers may "
                     "refuse it.",
                     domain);
    if (conf_is_local_domain(conf, domain))
        finding_hint(finding,
                     "sign with a key of %s (sluicectl keygen %s), or send with an envelope sender "
                     "at %s whose SPF record has our address%s",
                     domain, domain, domain, share);
    else
        finding_hint(finding,
                     "use a From address of a domain of ours, and %s in Reply-To: mail in the name "
                     "of %s cannot be made to pass here%s",
                     message->sender.text[0] != '\0' ? message->sender.text : "the other address",
                     domain, share);
    free(share);
    free(words);
}

static void find_failure(struct message *message, const struct outlook *outlook)
{
    const char *problem = outlook->dmarc.problem;
    char *name;

    if (outlook->dmarc.status != DMARC_STATUS_TEMPERROR)
        return;
    name = mem_print("_dmarc.%s", outlook->from_domain);
    dns_failure_add(message,
                    &(struct dns_failure){.domain = outlook->from_domain,
                                          .type = "TXT",
                                          .name = name,
                                          .problem = problem != NULL ? problem : "no answer",
                                          .recipient = -1});
    free(name);
}

void check_dmarc(const struct conf *conf, struct message *message)
{
    const struct outlook *outlook = message->facts.outlook;

    if (outlook == NULL || outlook->from_domain == NULL)
        return;
    find_missing(message, outlook);
    find_several(message, outlook);
    find_problems(message, outlook);
    find_foreign_reports(message, outlook);
    find_failure(message, outlook);
    find_unaligned(conf, message, outlook);
}
