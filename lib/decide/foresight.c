/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/foresight.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/content/unsubscribe.h"

#include <string.h>

enum foresight foresight_spf(const struct outlook *outlook)
{
    if (!outlook->spf_known || outlook->spf_status == SPF_TEMPERROR)
        return FORESIGHT_UNKNOWN;
    return outlook->spf_status == SPF_PASS ? FORESIGHT_PASSES : FORESIGHT_FAILS;
}

static bool key_is_unknown(const struct outlook *outlook)
{
    for (size_t i = 0; i < outlook->nkeys; i++)
        if (outlook->keys[i].own.state == OWN_KEY_FAILED)
            return true;
    return false;
}

enum foresight foresight_dkim(const struct outlook *outlook, const struct strings *carried)
{
    if (carried->count > 0)
        return FORESIGHT_PASSES;
    for (size_t i = 0; i < outlook->nkeys; i++)
        if (outlook_key_passes(&outlook->keys[i]))
            return FORESIGHT_PASSES;
    return key_is_unknown(outlook) ? FORESIGHT_UNKNOWN : FORESIGHT_FAILS;
}

enum foresight foresight_alignment(const struct outlook *outlook)
{
    const struct dmarc_result *dmarc = &outlook->dmarc;

    if (dmarc->spf_aligned || dmarc->dkim_aligned)
        return FORESIGHT_PASSES;
    if (outlook->from_domain == NULL || dmarc->status == DMARC_STATUS_TEMPERROR ||
        dmarc->status == DMARC_STATUS_PERMERROR || foresight_spf(outlook) == FORESIGHT_UNKNOWN ||
        key_is_unknown(outlook))
        return FORESIGHT_UNKNOWN;
    return FORESIGHT_FAILS;
}

const char *foresight_spf_word(const struct outlook *outlook)
{
    return outlook->spf_known ? spf_status_name(outlook->spf_status) : NULL;
}

char *foresight_dmarc_word(const struct outlook *outlook)
{
    const struct dmarc_result *dmarc = &outlook->dmarc;

    if (outlook->from_domain == NULL)
        return NULL;
    if (dmarc->status != DMARC_STATUS_FAIL || foresight_alignment(outlook) == FORESIGHT_FAILS)
        return dmarc_result_word(dmarc);
    return outlook->spf_known || key_is_unknown(outlook) ? mem_copy("temperror") : NULL;
}

/* --- receivers' rules ------------------------------------------------------------------ */

/* What they look at. */
struct view {
    enum foresight spf, dkim, alignment;
    bool has_policy; /* a DMARC record that applies */
    bool asks_to_reject;
    bool has_reverse_name;
};

static bool unauthenticated(const struct view *view)
{
    return view->spf == FORESIGHT_FAILS && view->dkim == FORESIGHT_FAILS;
}

static bool rejected_by_policy(const struct view *view)
{
    return view->alignment == FORESIGHT_FAILS && view->asks_to_reject;
}

static bool nameless(const struct view *view)
{
    return !view->has_reverse_name;
}

static bool lacks_spf(const struct view *view)
{
    return view->spf == FORESIGHT_FAILS;
}

static bool lacks_dkim(const struct view *view)
{
    return view->dkim == FORESIGHT_FAILS;
}

static bool lacks_policy(const struct view *view)
{
    return !view->has_policy;
}

static bool lacks_alignment(const struct view *view)
{
    return view->alignment == FORESIGHT_FAILS;
}

static bool lacks_any(const struct view *view)
{
    return lacks_spf(view) || lacks_dkim(view) || lacks_policy(view) || lacks_alignment(view);
}

/* Of each receiver's rules the first that is broken is its reply. */
static const struct rule {
    const char *receiver;
    const char *code;
    bool bulk; /* for those who send much only */
    bool (*breaks)(const struct view *view);
} rules[] = {
    {"gmail", "5.7.26", false, unauthenticated},
    {"gmail", "5.7.26", false, rejected_by_policy},
    {"gmail", "5.7.27", true, lacks_spf},
    {"gmail", "5.7.30", true, lacks_dkim},
    {"gmail", "5.7.40", true, lacks_policy},
    {"gmail", "5.7.32", true, lacks_alignment},
    {"gmail", "5.7.25", false, nameless},
    {"outlook", "5.7.515", true, lacks_any},
    {"outlook", "5.7.509", false, rejected_by_policy},
    {"yahoo", "5.7.9", false, unauthenticated},
    {"yahoo", "5.7.9", false, rejected_by_policy},
    {"yahoo", "5.7.9", true, lacks_any},
};

static bool has_finding(const struct message *message, enum cause_id cause)
{
    for (size_t i = 0; i < message->findings.count; i++)
        if (message->findings.items[i].cause == cause_get(cause))
            return true;
    return false;
}

static bool leaves(const struct message *message)
{
    for (size_t i = 0; i < message->nrecipients; i++)
        if (!message->recipients[i].local)
            return true;
    return false;
}

static struct view view_of(const struct message *message)
{
    const struct outlook *outlook = message->facts.outlook;
    const struct dmarc_result *dmarc = &outlook->dmarc;
    const bool unknown_policy =
        outlook->from_domain == NULL || dmarc->status == DMARC_STATUS_TEMPERROR;

    return (struct view){
        .spf = foresight_spf(outlook),
        .dkim = foresight_dkim(outlook, &message->facts.carried),
        .alignment = foresight_alignment(outlook),
        .has_policy = unknown_policy ||
                      (dmarc->policy_domain != NULL && dmarc->status != DMARC_STATUS_PERMERROR),
        .asks_to_reject = dmarc->status == DMARC_STATUS_FAIL && dmarc->policy == DMARC_REJECT,
        .has_reverse_name = !has_finding(message, CAUSE_DNS_PTR),
    };
}

char *foresight_predict(const struct conf *conf, const struct message *message)
{
    struct text text = TEXT_EMPTY;
    const char *said = "";
    struct view view;

    if (message->facts.outlook == NULL || conf->predict == PREDICT_NOTHING || !leaves(message))
        return NULL;
    view = view_of(message);
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        const struct rule *rule = &rules[i];

        if (strcmp(rule->receiver, said) == 0 || (rule->bulk && conf->predict != PREDICT_BULK) ||
            !rule->breaks(&view))
            continue;
        said = rule->receiver;
        text_print(&text, "%s%s:%s", text.length > 0 ? "," : "", rule->receiver, rule->code);
    }
    return text.length > 0 ? text_take(&text) : NULL;
}

void foresight_spare_list(const struct conf *conf, const struct message *message,
                          const char *from_domain, struct finding *finding)
{
    if (finding != NULL && unsubscribe_is_discussion(message) && message->user[0] == '\0' &&
        !conf_is_local_domain(conf, from_domain))
        finding->action_asked = (int)ACTION_LOG;
}
