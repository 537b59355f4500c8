/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/received.h"

#include "lib/auth/arc.h"
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

static void find_spf(const struct receipt *receipt)
{
    const struct incoming *incoming = receipt->incoming;
    struct finding *finding;

    if (!incoming_has_client(incoming) || incoming->spf.status != SPF_FAIL)
        return;
    finding = find(receipt, CAUSE_DNS_SPF_FAIL, incoming->spf.domain, CONF_SPF_FAIL);
    finding_field(finding, "spf", "%s", incoming->spf.mechanism);
    finding_sentence(finding, "%s does not allow your mail server to send its mail (SPF).",
                     incoming->spf.domain);
    finding_hint(finding, "if the message is genuine, its domain's administrator has to allow "
                          "its server by SPF");
}

/* RFC 7372 section 3.1: no signature passes. */
static void find_dkim(const struct receipt *receipt)
{
    const struct incoming *incoming = receipt->incoming;
    const struct verify *verify = incoming->verify;
    const char *failed = NULL;
    struct finding *finding;

    for (size_t i = 0; i < verify->count; i++) {
        if (verify->signatures[i].status == VERIFY_PASS)
            return;
        if (verify->signatures[i].status == VERIFY_FAIL && failed == NULL)
            failed = verify->signatures[i].signature.domain;
    }
    if (failed == NULL)
        return;
    finding = find(receipt, CAUSE_DNS_DKIM_MISMATCH, failed, CONF_DKIM_FAIL);
    if (finding != NULL) {
        finding->reply_code = 550;
        finding->enhanced = mem_copy("5.7.20");
    }
    finding_sentence(finding, "The message was changed after %s signed it (DKIM).", failed);
    finding_hint(finding, "a server on the way changes messages, or the signature is forged");
}

void received_decide(const struct conf *conf, struct message *message,
                     const struct incoming *incoming)
{
    const struct receipt receipt = {conf, message, incoming};

    set_facts(&message->facts, incoming);
    find_dmarc(&receipt);
    find_spf(&receipt);
    find_dkim(&receipt);
    verdict_set(conf, message);
}
