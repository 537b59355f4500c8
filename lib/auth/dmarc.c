/* SPDX-License-Identifier: BSD-2-Clause */
/* DMARC: which policy applies, and whether a message meets it. */
#include "lib/auth/dmarc.h"

#include "lib/auth/dmarc_walk.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

/* What one run knows. */
struct state {
    const struct lookup *lookup;
    enum dmarc_discovery discovery;
    char *from; /* lower case */
    struct dmarc_record record; /* that applies, when policy_domain is not NULL */
    const char *policy_domain; /* an end of from */
    struct dmarc_walk walk; /* of from, when walked */
    bool walked;
    const struct dns_answer *failed; /* the first DNS failure that makes a difference */
    const char *several;
    bool pending;
};

const char *dmarc_status_name(enum dmarc_status status)
{
    static const char *const names[] = {
        [DMARC_STATUS_NONE] = "none",           [DMARC_STATUS_PASS] = "pass",
        [DMARC_STATUS_FAIL] = "fail",           [DMARC_STATUS_TEMPERROR] = "temperror",
        [DMARC_STATUS_PERMERROR] = "permerror",
    };

    return names[status];
}

void dmarc_result_clear(struct dmarc_result *result)
{
    free(result->policy_domain);
    free(result->organizational_domain);
    free(result->dkim_domain);
    free(result->several);
    strings_free(&result->problems);
    free(result->problem);
    *result = (struct dmarc_result){0};
}

static void note_failure(struct state *state, const struct dns_answer *answer)
{
    if (state->failed == NULL)
        state->failed = answer;
}

/* --- discovery (RFC 9989 section 4.10.1, RFC 7489 section 6.6.3) ----------------------- */

/* Walks up from the From domain, once.  false: pending or failed. */
static bool walk_from(struct state *state)
{
    enum dmarc_found found;

    if (state->walked)
        return true;
    found = dmarc_walk(state->lookup, state->from, state->discovery, &state->walk);
    state->pending = state->pending || found == DMARC_FOUND_PENDING;
    if (found == DMARC_FOUND_FAILED)
        note_failure(state, state->walk.failed);
    state->walked = found == DMARC_FOUND;
    if (state->walked && state->several == NULL)
        state->several = state->walk.several;
    return state->walked;
}

/* Takes the record at domain as the one that applies, if there is one. */
static enum dmarc_found take_record(struct state *state, const char *domain)
{
    enum dmarc_found found = dmarc_find(state->lookup, domain, &state->record, &state->failed);

    if (found == DMARC_FOUND)
        state->policy_domain = domain;
    if (found == DMARC_FOUND_SEVERAL && state->several == NULL)
        state->several = domain;
    state->pending = state->pending || found == DMARC_FOUND_PENDING;
    return found;
}

/* Finds the record that applies, at the From domain, its organizational domain, or its public
 * suffix domain. */
static void discover(struct state *state)
{
    enum dmarc_found found = take_record(state, state->from);

    if (found != DMARC_FOUND_NOTHING && found != DMARC_FOUND_SEVERAL)
        return;
    if (found == DMARC_FOUND_SEVERAL && state->discovery == DMARC_SUFFIX_LIST)
        return;
    if (!walk_from(state))
        return;
    if (state->walk.domain != state->from)
        found = take_record(state, state->walk.domain);
    if ((found == DMARC_FOUND_NOTHING || found == DMARC_FOUND_SEVERAL) && state->walk.psd != NULL)
        (void)take_record(state, state->walk.psd);
}

/* Whom the policy is for.  A name exists unless DNS says that it does not (section 3.2.13); it is
 * asked only where that makes a difference. */
static enum dmarc_scope scope_of(struct state *state)
{
    const struct dns_answer *answer;

    if (state->policy_domain == state->from)
        return DMARC_DOMAIN;
    if (state->record.np.presence != DMARC_TAG_GIVEN || !lookup_is_name(state->from))
        return DMARC_SUBDOMAIN;
    answer = lookup_find(state->lookup, state->from, DNS_A);
    state->pending = state->pending || answer == NULL;
    if (answer == NULL)
        return DMARC_SUBDOMAIN;
    if (lookup_failed(answer))
        note_failure(state, answer);
    return answer->status == DNS_ABSENT ? DMARC_NONEXISTENT : DMARC_SUBDOMAIN;
}

/* --- alignment (section 4.10.2) ------------------------------------------------------- */

static bool is_at_or_below(const char *domain, const char *above)
{
    size_t length = strlen(domain), above_length = strlen(above);

    return length >= above_length && strcmp(domain + length - above_length, above) == 0 &&
           (length == above_length || domain[length - above_length - 1] == '.');
}

/* domain is lower case, as the From domain is here. */
static bool is_aligned(struct state *state, const char *domain, bool strict)
{
    struct dmarc_walk walk;
    enum dmarc_found found;

    if (strcmp(domain, state->from) == 0)
        return true;
    if (strict || !walk_from(state))
        return false;
    /* an organizational domain is the domain itself or above it */
    if (!is_at_or_below(domain, state->walk.domain))
        return false;
    found = dmarc_walk(state->lookup, domain, state->discovery, &walk);
    state->pending = state->pending || found == DMARC_FOUND_PENDING;
    if (found == DMARC_FOUND_FAILED)
        note_failure(state, walk.failed);
    return found == DMARC_FOUND && strcmp(walk.domain, state->walk.domain) == 0;
}

/* Both kinds are looked at, also where one would be enough: receivers ask for both. */
static void align(struct state *state, const struct dmarc_query *query, struct dmarc_result *result)
{
    char *domain;

    if (query->spf_domain != NULL) {
        domain = text_lower(mem_copy(query->spf_domain));
        result->spf_aligned = is_aligned(state, domain, state->record.strict_spf);
        free(domain);
    }
    for (size_t i = 0; i < query->ndkim && !result->dkim_aligned; i++) {
        domain = text_lower(mem_copy(query->dkim_domains[i]));
        result->dkim_aligned = is_aligned(state, domain, state->record.strict_dkim);
        if (result->dkim_aligned)
            result->dkim_domain = mem_copy(domain);
        free(domain);
    }
}

/* --- the result ----------------------------------------------------------------------- */

/* What is asked for in its place where the policy is tested, or asked for a share of messages. */
static enum dmarc_policy one_less(enum dmarc_policy policy)
{
    return policy == DMARC_REJECT ? DMARC_QUARANTINE : DMARC_NONE;
}

/* What RFC 7489 does not have says nothing there. */
static void forget_new_tags(struct dmarc_record *record)
{
    record->np.presence = DMARC_TAG_ABSENT;
    record->psd = DMARC_PSD_UNKNOWN;
    record->test = false;
}

static const char *tag_name(const struct dmarc_record *record, enum dmarc_scope scope)
{
    if (scope == DMARC_NONEXISTENT && record->np.presence == DMARC_TAG_GIVEN)
        return "np";
    return scope != DMARC_DOMAIN && record->sp.presence == DMARC_TAG_GIVEN ? "sp" : "p";
}

/* Applies the record that was found. */
static void apply(struct state *state, const struct dmarc_query *query, struct dmarc_result *result)
{
    struct dmarc_record *record = &state->record;
    enum dmarc_scope scope;

    if (state->discovery == DMARC_SUFFIX_LIST)
        forget_new_tags(record);
    else
        record->percent = 100;
    scope = scope_of(state);
    result->policy_domain = mem_copy(state->policy_domain);
    result->tag = tag_name(record, scope);
    result->percent = record->percent;
    if (record->p.presence == DMARC_TAG_ABSENT && record->rua.count == 0 &&
        record->problems.count == 0)
        strings_add(&result->problems, "it has neither p= nor rua=: receivers that go by RFC 7489 "
                                       "ignore it");
    for (size_t i = 0; i < record->problems.count; i++)
        strings_add(&result->problems, record->problems.items[i]);
    if (!dmarc_record_policy(record, scope, state->discovery == DMARC_TREE_WALK,
                             &result->published)) {
        result->status = DMARC_STATUS_PERMERROR;
        return;
    }
    result->policy = record->test || query->sample >= result->percent ? one_less(result->published)
                                                                      : result->published;
    align(state, query, result);
    if (result->spf_aligned || result->dkim_aligned)
        result->status = DMARC_STATUS_PASS;
    else
        result->status = state->failed != NULL ? DMARC_STATUS_TEMPERROR : DMARC_STATUS_FAIL;
}

bool dmarc_check(const struct dmarc_query *query, const struct lookup *lookup,
                 struct dmarc_result *result_r)
{
    struct state state = {
        .lookup = lookup,
        .discovery = query->discovery,
        .from = text_lower(mem_copy(query->from_domain)),
    };
    struct dmarc_result result = {.status = DMARC_STATUS_NONE, .percent = 100};

    discover(&state);
    if (state.policy_domain != NULL)
        apply(&state, query, &result);
    else if (state.failed != NULL)
        result.status = DMARC_STATUS_TEMPERROR;
    else if (query->align_always)
        align(&state, query, &result);
    if (state.walked)
        result.organizational_domain = mem_copy(state.walk.domain);
    result.several = mem_copy(state.several);
    if (result.status == DMARC_STATUS_TEMPERROR)
        result.problem =
            mem_print("%s: %s", state.failed->name,
                      state.failed->problem != NULL ? state.failed->problem : "failed");
    dmarc_record_clear(&state.record);
    free(state.from);
    if (state.pending)
        dmarc_result_clear(&result);
    else
        *result_r = result;
    return !state.pending;
}

char *dmarc_result_word(const struct dmarc_result *result)
{
    const char *policy = dmarc_policy_name(result->policy);

    if (result->status != DMARC_STATUS_FAIL)
        return mem_copy(dmarc_status_name(result->status));
    if (result->percent == 100 || result->policy != result->published)
        return mem_print("fail(%s)", policy);
    return mem_print("fail(%s,%u%%)", policy, result->percent);
}

/* --- reports -------------------------------------------------------------------------- */

char *dmarc_report_name(const char *policy_domain, const char *report_domain)
{
    return mem_print("%s._report._dmarc.%s", policy_domain, report_domain);
}

/* The domain of a mailto: URI, in lower case, or NULL. */
static char *report_domain_of(const char *uri)
{
    static const char scheme[] = "mailto:";
    char *address = text_lower(mem_copy(uri));
    char *domain = NULL;
    char *at;

    address[strcspn(address, "?!")] = '\0';
    at = strrchr(address, '@');
    if (strncmp(address, scheme, sizeof(scheme) - 1) == 0 && at != NULL && lookup_is_name(at + 1))
        domain = mem_copy(at + 1);
    free(address);
    return domain;
}

/* Any record that begins as a DMARC record does permits it; here several do not spoil each other.
 */
static enum dmarc_reports read_permission(const struct dns_answer *answer)
{
    if (lookup_failed(answer))
        return DMARC_REPORTS_UNKNOWN;
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++)
        if (dmarc_record_is(answer->records[i].text, answer->records[i].length))
            return DMARC_REPORTS_PERMITTED;
    return DMARC_REPORTS_REFUSED;
}

/* Whether two domains have one organizational domain: DMARC_FOUND with same_r, _PENDING or _FAILED.
 */
static enum dmarc_found compare_organizations(const char *a, const char *b,
                                              enum dmarc_discovery discovery,
                                              const struct lookup *lookup, bool *same_r)
{
    struct dmarc_walk of_a, of_b;
    enum dmarc_found found_a = dmarc_walk(lookup, a, discovery, &of_a);
    enum dmarc_found found_b = dmarc_walk(lookup, b, discovery, &of_b);

    if (found_a == DMARC_FOUND_PENDING || found_b == DMARC_FOUND_PENDING)
        return DMARC_FOUND_PENDING;
    if (found_a == DMARC_FOUND_FAILED || found_b == DMARC_FOUND_FAILED)
        return DMARC_FOUND_FAILED;
    *same_r = strcmp(of_a.domain, of_b.domain) == 0;
    return DMARC_FOUND;
}

bool dmarc_check_reports(const char *policy_domain, const char *uri, enum dmarc_discovery discovery,
                         const struct lookup *lookup, enum dmarc_reports *reports_r)
{
    char *domain = report_domain_of(uri);
    char *policy = text_lower(mem_copy(policy_domain));
    char *name = NULL;
    const struct dns_answer *answer;
    enum dmarc_reports reports = DMARC_REPORTS_NO_MAIL;
    enum dmarc_found found = DMARC_FOUND;
    bool same = false;

    if (domain == NULL)
        goto done;
    same = strcmp(domain, policy) == 0;
    if (!same)
        found = compare_organizations(policy, domain, discovery, lookup, &same);
    reports = same ? DMARC_REPORTS_INTERNAL : DMARC_REPORTS_UNKNOWN;
    if (same || found != DMARC_FOUND)
        goto done;
    name = dmarc_report_name(policy, domain);
    reports = DMARC_REPORTS_REFUSED;
    if (!lookup_is_name(name))
        goto done;
    answer = lookup_find(lookup, name, DNS_TXT);
    if (answer == NULL)
        found = DMARC_FOUND_PENDING;
    else
        reports = read_permission(answer);
done:
    free(name);
    free(policy);
    free(domain);
    if (found != DMARC_FOUND_PENDING)
        *reports_r = reports;
    return found != DMARC_FOUND_PENDING;
}
