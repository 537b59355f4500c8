/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/received.h"

#include "lib/auth/arc.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/decide/verdict.h"

#include <stdlib.h>

/* What the findings are made of. */
struct receipt {
    const struct conf *conf;
    struct message *message;
    const struct incoming *incoming;
};

/* --- facts ---------------------------------------------------------------------------- */

/* "pass:example.com,fail:example.net", or "none". */
static char *dkim_fact(const struct verify *verify)
{
    struct text text = TEXT_EMPTY;

    for (size_t i = 0; i < verify->count; i++) {
        const struct verify_signature *one = &verify->signatures[i];

        text_print(&text, "%s%s", i > 0 ? "," : "", verify_status_name(one->status));
        if (one->signature.domain != NULL)
            text_print(&text, ":%s", one->signature.domain);
    }
    if (verify->count == 0)
        text_add_string(&text, "none");
    return text_take(&text);
}

static void set_facts(struct facts *facts, const struct incoming *incoming)
{
    free(facts->dkim);
    free(facts->spf);
    free(facts->dmarc);
    facts->dkim = dkim_fact(incoming->verify);
    facts->spf =
        incoming_has_client(incoming) ? mem_copy(spf_status_name(incoming->spf.status)) : NULL;
    facts->dmarc = dmarc_result_word(&incoming->dmarc);
}

/* --- findings ------------------------------------------------------------------------- */

/* A finding where the configuration asks for one. */
static struct finding *find(const struct receipt *receipt, enum cause_id cause, const char *domain,
                            enum conf_result result)
{
    int action = conf_verify_action(receipt->conf, domain, result);
    struct finding *finding = NULL;

    if (action > (int)ACTION_IGNORE)
        finding = findings_add(&receipt->message->findings, cause_get(cause));
    if (finding != NULL)
        finding->action_asked = action;
    finding_field(finding, "domain", "%s", domain);
    return finding;
}

/* The last forwarder that sealed the message, where it is one that is trusted and its seal is not
 * known to be false; else NULL. */
static const char *trusted_sealer(const struct receipt *receipt)
{
    const struct arc *arc = receipt->incoming->verify->arc;
    const enum arc_status status = arc_status(arc);

    if ((status != ARC_PASS && status != ARC_UNKNOWN) || arc->sealer == NULL ||
        !strings_have_case(&receipt->conf->trusted_arc, arc->sealer))
        return NULL;
    return arc->sealer;
}

static void find_dmarc(const struct receipt *receipt)
{
    const struct incoming *incoming = receipt->incoming;
    const struct dmarc_result *dmarc = &incoming->dmarc;
    bool fails = dmarc->status == DMARC_STATUS_FAIL;
    bool asks_nothing = dmarc->policy_domain != NULL && dmarc->policy == DMARC_NONE;
    enum conf_result result = CONF_DMARC_TEMPERROR;
    struct finding *finding;
    const char *sealer;

    if (incoming->from_domain == NULL || asks_nothing ||
        (!fails && dmarc->status != DMARC_STATUS_TEMPERROR))
        return;
    if (fails)
        result = dmarc->policy == DMARC_REJECT ? CONF_DMARC_REJECT : CONF_DMARC_QUARANTINE;
    finding = find(receipt, CAUSE_DNS_UNALIGNED, incoming->from_domain, result);
    sealer = trusted_sealer(receipt);
    if (finding != NULL && sealer != NULL)
        finding->action_asked = (int)ACTION_LOG;
    finding_field(finding, "dmarc", "%s", receipt->message->facts.dmarc);
    if (sealer != NULL)
        finding_field(finding, "arc", "%s:%s",
                      arc_status(receipt->incoming->verify->arc) == ARC_PASS ? "pass"
                                                                             : "not-verified",
                      sealer);
    finding_sentence(finding, "The message does not prove that it comes from %s (DMARC).",
                     incoming->from_domain);
    finding_hint(finding, "if the message is genuine, its domain's administrator has to sign it "
                          "with DKIM or to allow its server by SPF");
}

/* What is answered is RFC 7372's. */
static void set_reply(struct finding *finding, const char *enhanced)
{
    if (finding == NULL)
        return;
    finding->reply_code = 550;
    finding->enhanced = mem_copy(enhanced);
}

/* Without the one domain in From there is nobody whose word on the message could be asked for. */
static void find_no_author(const struct receipt *receipt)
{
    const struct incoming *incoming = receipt->incoming;
    struct finding *finding;

    if (incoming->from_domain != NULL)
        return;
    finding = find(receipt, CAUSE_DNS_UNALIGNED, "", CONF_DMARC_PERMERROR);
    finding_field(finding, "dmarc", "%s", receipt->message->facts.dmarc);
    finding_field(finding, "problem", "%s", incoming->from_problem);
    finding_sentence(finding, "The message does not prove whom it comes from (DMARC): %s.",
                     incoming->from_problem);
    finding_hint(finding, "if the message is genuine, its sender's program has to write one From "
                          "with one address");
}

static void find_spf(const struct receipt *receipt)
{
    static const struct {
        enum conf_result result;
        enum cause_id cause;
        const char *enhanced, *before, *after;
    } rows[] = {
        [SPF_FAIL] = {CONF_SPF_FAIL, CAUSE_DNS_SPF_FAIL, "5.7.23", "",
                      " does not allow your mail server to send its mail (SPF)."},
        [SPF_SOFTFAIL] = {CONF_SPF_SOFTFAIL, CAUSE_DNS_SPF_FAIL, "5.7.23", "",
                          " does not expect your mail server to send its mail (SPF)."},
        [SPF_TEMPERROR] = {CONF_SPF_TEMPERROR, CAUSE_DNS_FAILURE, "5.7.24", "Whether ",
                           " allows your mail server could not be looked up (SPF)."},
        [SPF_PERMERROR] = {CONF_SPF_PERMERROR, CAUSE_DNS_SPF_BROKEN, "5.7.24", "The SPF record of ",
                           " is broken."},
    };
    const struct incoming *incoming = receipt->incoming;
    const enum spf_status status = incoming->spf.status;
    struct finding *finding;

    if (!incoming_has_client(incoming) || status >= COUNT_OF(rows) || rows[status].after == NULL)
        return;
    finding = find(receipt, rows[status].cause, incoming->spf.domain, rows[status].result);
    set_reply(finding, rows[status].enhanced);
    if (incoming->spf.mechanism != NULL)
        finding_field(finding, "spf", "%s", incoming->spf.mechanism);
    if (incoming->spf.problem != NULL)
        finding_field(finding, "problem", "%s", incoming->spf.problem);
    finding_sentence(finding, "%s%s%s", rows[status].before, incoming->spf.domain,
                     rows[status].after);
    finding_hint(finding, "if the message is genuine, its domain's administrator has to allow "
                          "its server by SPF");
}

/* The signature that says most of why none passes; NULL: one does. */
static const struct verify_signature *worst_signature(const struct verify *verify)
{
    static const unsigned rank[] = {
        [VERIFY_FAIL] = 4,   [VERIFY_TEMPERROR] = 3, [VERIFY_PERMERROR] = 2,
        [VERIFY_POLICY] = 2, [VERIFY_NEUTRAL] = 1,   [VERIFY_PASS] = 0,
    };
    const struct verify_signature *worst = NULL;

    for (size_t i = 0; i < verify->count; i++) {
        const struct verify_signature *one = &verify->signatures[i];

        if (one->status == VERIFY_PASS)
            return NULL;
        if (worst == NULL || rank[one->status] > rank[worst->status])
            worst = one;
    }
    return worst;
}

/* RFC 7372 section 3.1: no signature passes. */
static void find_dkim(const struct receipt *receipt)
{
    static const struct {
        enum conf_result result;
        enum cause_id cause;
        const char *before, *after, *hint;
    } rows[] = {
        [VERIFY_FAIL] = {CONF_DKIM_FAIL, CAUSE_DNS_DKIM_MISMATCH, "The message was changed after ",
                         " signed it (DKIM).",
                         "a server on the way changes messages, or the signature is forged"},
        [VERIFY_TEMPERROR] = {CONF_DKIM_TEMPERROR, CAUSE_DNS_FAILURE, "The key of ",
                              " could not be looked up (DKIM).",
                              "nothing to do: the sender's server tries again"},
        [VERIFY_PERMERROR] = {CONF_DKIM_PERMERROR, CAUSE_DNS_DKIM_MISMATCH, "The signature of ",
                              " cannot be used (DKIM).",
                              "if the message is genuine, its domain's administrator has to repair "
                              "the signature or its key"},
    };
    const struct verify *verify = receipt->incoming->verify;
    const struct verify_signature *worst = worst_signature(verify);
    enum verify_status status;
    const char *domain;
    struct finding *finding;

    if (worst == NULL || worst->status == VERIFY_NEUTRAL)
        return;
    status = worst->status == VERIFY_POLICY ? VERIFY_PERMERROR : worst->status;
    domain = worst->signature.domain != NULL ? worst->signature.domain : "";
    finding = find(receipt, rows[status].cause, domain, rows[status].result);
    set_reply(finding, "5.7.20");
    finding_field(finding, "problem", "%s", worst->problem);
    finding_sentence(finding, "%s%s%s", rows[status].before, *domain != '\0' ? domain : "nobody",
                     rows[status].after);
    finding_hint(finding, "%s", rows[status].hint);
}

void received_decide(const struct conf *conf, struct message *message,
                     const struct incoming *incoming)
{
    const struct receipt receipt = {conf, message, incoming};

    set_facts(&message->facts, incoming);
    find_dmarc(&receipt);
    find_no_author(&receipt);
    find_spf(&receipt);
    find_dkim(&receipt);
    verdict_set(conf, message);
}
