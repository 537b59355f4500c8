/* SPDX-License-Identifier: BSD-2-Clause */
/* SPF: check_host() (RFC 7208 section 4), redirect= and exp= (section 6). */
#include "lib/auth/spf.h"

#include "lib/auth/spf_second.h"
#include "lib/auth/spf_state.h"
#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

const char *spf_status_name(enum spf_status status)
{
    static const char *const names[] = {
        [SPF_NONE] = "none",           [SPF_NEUTRAL] = "neutral",   [SPF_PASS] = "pass",
        [SPF_FAIL] = "fail",           [SPF_SOFTFAIL] = "softfail", [SPF_TEMPERROR] = "temperror",
        [SPF_PERMERROR] = "permerror",
    };

    return names[status];
}

bool spf_status_is_verdict(enum spf_status status)
{
    return status == SPF_PASS || status == SPF_FAIL || status == SPF_SOFTFAIL ||
           status == SPF_NEUTRAL;
}

void spf_result_clear(struct spf_result *result)
{
    free(result->domain);
    free(result->mechanism);
    free(result->record_domain);
    free(result->explanation);
    free(result->problem);
    *result = (struct spf_result){0};
}

void spf_outcome_clear(struct spf_outcome *outcome)
{
    free(outcome->mechanism);
    free(outcome->domain);
    free(outcome->explanation);
    *outcome = (struct spf_outcome){0};
}

/* --- the record ----------------------------------------------------------------------- */

/* The only SPF record of an answer (section 4.5), or NULL: outcome says then what that means. */
static const struct dns_record *select_record(struct spf_state *state, const char *domain,
                                              const struct dns_answer *answer,
                                              struct spf_outcome *outcome)
{
    const struct dns_record *found = NULL;

    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++) {
        const struct dns_record *record = &answer->records[i];

        if (!spf_record_is(record->text, record->length))
            continue;
        if (found != NULL) {
            (void)spf_problem(state, SPF_STEP_PERMERROR, "%s has more than one SPF record", domain);
            outcome->status = SPF_PERMERROR;
            return NULL;
        }
        found = record;
    }
    if (found == NULL) {
        (void)spf_problem(state, SPF_STEP_GOES_ON, "%s %s", domain,
                          answer->status == DNS_ABSENT ? "does not exist" : "has no SPF record");
        outcome->status = SPF_NONE;
        outcome->is_void = lookup_is_void(answer);
    }
    return found;
}

static enum spf_status qualified(char qualifier)
{
    switch (qualifier) {
    case '-':
        return SPF_FAIL;
    case '~':
        return SPF_SOFTFAIL;
    case '?':
        return SPF_NEUTRAL;
    default:
        return SPF_PASS;
    }
}

static void set_decided(struct spf_outcome *outcome, const struct spf_record *record,
                        const struct spf_term *term, const char *domain)
{
    struct text mechanism = TEXT_EMPTY;

    outcome->status = term != NULL ? qualified(term->qualifier) : SPF_NEUTRAL;
    if (term != NULL)
        spf_term_format(term, &mechanism);
    else
        text_add_string(&mechanism, "default");
    outcome->mechanism = text_take(&mechanism);
    outcome->domain = mem_copy(domain);
    outcome->explanation = mem_copy(record->explanation);
}

/* redirect= (section 6.1): the other domain's outcome is this one's. */
static enum spf_step follow_redirect(struct spf_state *state, const struct spf_record *record,
                                     const char *domain, struct spf_outcome *outcome)
{
    char *name = NULL;
    enum spf_step step = spf_count_target(state, record->redirect, domain, &name);

    if (step == SPF_STEP_GOES_ON && !spf_evaluate(state, name, outcome))
        step = SPF_STEP_PENDING;
    if (step == SPF_STEP_GOES_ON && outcome->status == SPF_NONE) {
        state->voids += outcome->is_void;
        outcome->is_void = false;
        outcome->status = SPF_PERMERROR;
    }
    free(name);
    return step;
}

/* The terms in their order, then redirect=.  Once one is pending the others only find out what else
 * will be asked for, and whatever they say is forgotten. */
static bool evaluate_record(struct spf_state *state, const struct spf_record *record,
                            const char *domain, struct spf_outcome *outcome)
{
    enum spf_step step = SPF_STEP_GOES_ON;
    bool pending = false;
    size_t i;

    for (i = 0; i < record->count; i++) {
        step = spf_term_evaluate(state, &record->terms[i], domain);
        pending = pending || step == SPF_STEP_PENDING;
        if (step != SPF_STEP_GOES_ON && step != SPF_STEP_PENDING)
            break;
    }
    if (i == record->count && record->redirect != NULL) {
        step = follow_redirect(state, record, domain, outcome);
        pending = pending || step == SPF_STEP_PENDING;
        if (pending)
            spf_outcome_clear(outcome);
        if (pending || step == SPF_STEP_GOES_ON)
            return !pending;
    }
    if (pending)
        return false;
    if (step == SPF_STEP_TEMPERROR || step == SPF_STEP_PERMERROR)
        outcome->status = step == SPF_STEP_TEMPERROR ? SPF_TEMPERROR : SPF_PERMERROR;
    else
        set_decided(outcome, record, i < record->count ? &record->terms[i] : NULL, domain);
    return true;
}

/* Section 4.3: several labels, each of a length that DNS knows; no address literal. */
static bool is_domain(const char *domain)
{
    return lookup_is_name(domain) && strchr(domain, '.') != NULL && domain[0] != '[';
}

bool spf_evaluate(struct spf_state *state, const char *domain, struct spf_outcome *outcome_r)
{
    struct spf_record record;
    const struct dns_answer *answer;
    const struct dns_record *found;
    char *problem;
    bool known;

    *outcome_r = (struct spf_outcome){.status = SPF_NONE};
    if (!is_domain(domain)) {
        (void)spf_problem(state, SPF_STEP_GOES_ON, "\"%.*s\" is no domain name of several labels",
                          DOMAIN_MAX, domain);
        return true;
    }
    answer = lookup_find(state->lookup, domain, DNS_TXT);
    if (answer == NULL)
        return false;
    if (lookup_failed(answer)) {
        (void)spf_dns_problem(state, answer);
        outcome_r->status = SPF_TEMPERROR;
        return true;
    }
    found = select_record(state, domain, answer, outcome_r);
    if (found == NULL)
        return true;
    if (!spf_record_parse(found->text, found->length, &record, &problem)) {
        (void)spf_problem(state, SPF_STEP_PERMERROR, "%s: %s", domain, problem);
        free(problem);
        outcome_r->status = SPF_PERMERROR;
        return true;
    }
    known = evaluate_record(state, &record, domain, outcome_r);
    spf_record_clear(&record);
    return known;
}

/* --- the explanation ------------------------------------------------------------------ */

/* The client's own words can come in by %{l}, %{s} and %{h}, and the text may go into an SMTP
 * reply. */
static void make_plain(struct text *text)
{
    for (size_t i = 0; i < text->length; i++)
        if (text->bytes[i] < ' ' || text->bytes[i] > '~')
            text->bytes[i] = '?';
}

/* The text of exp= (section 6.2); whatever is wrong with it, there is none then.  Its lookups count
 * for nothing.  false: pending. */
static bool explain(struct spf_state *state, const struct spf_outcome *outcome,
                    char **explanation_r)
{
    struct text text = TEXT_EMPTY;
    const struct dns_answer *answer = NULL;
    const struct dns_record *record;
    char *name = NULL;
    bool known = true;

    *explanation_r = NULL;
    if (outcome->status != SPF_FAIL || outcome->explanation == NULL)
        return true;
    known = spf_target(state, outcome->explanation, outcome->domain, &name) != SPF_STEP_PENDING;
    if (!known || !lookup_is_name(name))
        goto done;
    answer = lookup_find(state->lookup, name, DNS_TXT);
    known = answer != NULL;
    if (!known || answer->status != DNS_FOUND || answer->count != 1)
        goto done;
    record = &answer->records[0];
    if (record->length == 0 ||
        spf_macro_problem(record->text, record->length, SPF_MACRO_EXPLANATION) != NULL)
        goto done;
    known = spf_expand(state, record->text, outcome->domain, SPF_EXPLANATION_MAX, &text) !=
            SPF_STEP_PENDING;
    if (!known)
        goto done;
    text_cut(&text, SPF_EXPLANATION_MAX);
    make_plain(&text);
    *explanation_r = text_take(&text);
done:
    text_free(&text);
    free(name);
    return known;
}

/* --- who is checked ------------------------------------------------------------------- */

/* A name as lookups need it: no trailing dot, and A-labels where it has others (RFC 8616 section
 * 4). What is no name stays as it is. */
static char *plain_name(const char *name)
{
    size_t length = strlen(name);
    char *plain = NULL;

    for (const char *at = name; *at != '\0' && plain == NULL; at++)
        if ((unsigned char)*at >= 0x80) {
            plain = domain_copy(name);
            break;
        }
    if (plain != NULL)
        return plain;
    return mem_copy_n(name, length > 0 && name[length - 1] == '.' ? length - 1 : length);
}

/* The sender's parts (section 4.3): where it has no local part, "postmaster"; where there is no
 * sender at all, the HELO name's postmaster (section 2.4). */
static void set_sender(struct spf_state *state)
{
    const char *sender = state->query->sender != NULL ? state->query->sender : "";
    const char *at = strrchr(sender, '@');

    state->helo = plain_name(state->query->helo);
    state->local = at == NULL || at == sender ? mem_copy("postmaster")
                                              : mem_copy_n(sender, (size_t)(at - sender));
    if (*sender == '\0')
        state->sender_domain = mem_copy(state->helo);
    else
        state->sender_domain = plain_name(at != NULL ? at + 1 : sender);
    state->sender = mem_print("%s@%s", state->local, state->sender_domain);
}

static void clear_state(struct spf_state *state)
{
    free(state->sender);
    free(state->local);
    free(state->sender_domain);
    free(state->helo);
    free(state->problem);
}

static char *take(char **string)
{
    char *taken = *string;

    *string = NULL;
    return taken;
}

/* --- two engines ---------------------------------------------------------------------- */

/* Has the second engine say what it makes of the same answers.  false: pending. */
static bool hear_second(struct spf_state *state, const struct spf_evidence *evidence,
                        struct spf_outcome *outcome, const char **second_r)
{
    struct text text = TEXT_EMPTY;
    const struct spf_opinion *opinion = NULL;
    bool asks = spf_evidence_text(evidence, outcome->status, &text);
    struct spf_question question = {
        .text = text_string(&text),
        .length = text.length,
        .client = &state->query->client,
        .domain = state->sender_domain,
        .own = outcome->status,
        .mechanism = outcome->mechanism,
    };

    if (asks)
        opinion = state->lookup->second(state->lookup->context, &question);
    text_free(&text);
    *second_r = opinion == NULL   ? "not asked"
                : !opinion->given ? "no answer"
                                  : spf_status_name(opinion->said);
    if (opinion != NULL && opinion->stands != outcome->status) {
        outcome->status = opinion->stands;
        free(outcome->mechanism);
        outcome->mechanism = mem_copy("libspf2");
    }
    return !asks || opinion != NULL;
}

/* Ours first, always; then the second engine where there is one.  false: pending. */
static bool decide(struct spf_state *state, struct spf_outcome *outcome_r, const char **second_r)
{
    const struct lookup *lookup = state->lookup;
    struct spf_evidence evidence = {.lookup = lookup, .state = state};
    struct lookup remembering = spf_evidence_lookup(&evidence);
    bool known;

    *second_r = NULL;
    if (lookup->second == NULL)
        return spf_evaluate(state, state->sender_domain, outcome_r);
    state->lookup = &remembering;
    known = spf_evaluate(state, state->sender_domain, outcome_r);
    state->lookup = lookup;
    known = known && hear_second(state, &evidence, outcome_r, second_r);
    spf_evidence_clear(&evidence);
    return known;
}

bool spf_check(const struct spf_query *query, const struct lookup *lookup,
               struct spf_result *result_r)
{
    struct spf_state state = {.query = query, .lookup = lookup};
    struct spf_outcome outcome = {.status = SPF_NONE};
    const char *second = NULL;
    char *explanation = NULL;
    bool known;

    set_sender(&state);
    known = decide(&state, &outcome, &second) && explain(&state, &outcome, &explanation);
    if (known) {
        *result_r = (struct spf_result){
            .status = outcome.status,
            .domain = text_lower(mem_copy(state.sender_domain)),
            .mechanism = take(&outcome.mechanism),
            .record_domain = take(&outcome.domain),
            .lookups = state.lookups,
            .voids = state.voids,
            .second = second,
            .explanation = explanation,
        };
        if (result_r->record_domain != NULL)
            (void)text_lower(result_r->record_domain);
        if (result_r->mechanism == NULL)
            result_r->problem = take(&state.problem);
    }
    spf_outcome_clear(&outcome);
    clear_state(&state);
    return known;
}
