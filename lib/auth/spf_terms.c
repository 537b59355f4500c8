/* SPDX-License-Identifier: BSD-2-Clause */
/* SPF: the mechanisms (RFC 7208 section 5) and the limits on what they may look up (section 4.6.4).
 */
#include "lib/auth/spf_state.h"

#include "lib/base/domain.h"
#include "lib/base/mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_PREFIX 96 /* ::ffff:0:0/96 */

enum spf_step spf_problem(struct spf_state *state, enum spf_step step, const char *format, ...)
{
    struct text text = TEXT_EMPTY;
    va_list arguments;

    va_start(arguments, format);
    text_vprint(&text, format, arguments);
    va_end(arguments);
    free(state->problem);
    state->problem = text_take(&text);
    return step;
}

enum spf_step spf_dns_problem(struct spf_state *state, const struct dns_answer *answer)
{
    return spf_problem(state, SPF_STEP_TEMPERROR, "%s %s: %s", answer->name,
                       dns_type_name(answer->type),
                       answer->problem != NULL ? answer->problem : "no answer");
}

static enum spf_step count_lookup(struct spf_state *state)
{
    if (++state->lookups > SPF_LOOKUPS_MAX)
        return spf_problem(state, SPF_STEP_PERMERROR, "over %d lookups", SPF_LOOKUPS_MAX);
    return SPF_STEP_GOES_ON;
}

static enum spf_step count_void(struct spf_state *state)
{
    if (++state->voids > SPF_VOIDS_MAX)
        return spf_problem(state, SPF_STEP_PERMERROR, "over %d void lookups", SPF_VOIDS_MAX);
    return SPF_STEP_GOES_ON;
}

/* --- addresses ------------------------------------------------------------------------ */

/* An AAAA record with an IPv4-mapped address is an IPv6 address, and matches no IPv4 client. */
static struct ip_address address_of(const struct dns_record *record, enum dns_type type)
{
    struct ip_address address = {.family = 6, .bytes = {[10] = 0xff, [11] = 0xff}};

    if (type != DNS_AAAA || record->address.family != 4)
        return record->address;
    memcpy(address.bytes + MAPPED_PREFIX / 8, record->address.bytes, 4);
    return address;
}

/* The client's family of addresses of a name. */
static const struct dns_answer *find_addresses(struct spf_state *state, const char *name)
{
    return lookup_find(state->lookup, name, state->query->client.family == 4 ? DNS_A : DNS_AAAA);
}

static bool has_client(const struct spf_state *state, const struct dns_answer *answer,
                       unsigned prefix)
{
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++) {
        struct ip_address address = address_of(&answer->records[i], answer->type);
        struct ip_network network = ip_network_of(&address, prefix);

        if (ip_network_contains(&network, &state->query->client))
            return true;
    }
    return false;
}

static unsigned prefix_of(const struct spf_state *state, const struct spf_term *term)
{
    return state->query->client.family == 4 ? term->prefix4 : term->prefix6;
}

/* --- the client's names (section 5.5) ------------------------------------------------- */

static const struct dns_answer *find_client_names(struct spf_state *state)
{
    struct spf_macro_values values = {.client = &state->query->client};
    struct text name = TEXT_EMPTY;
    const struct dns_answer *answer;

    spf_macro_expand("%{ir}.%{v}.arpa", &values, SIZE_MAX, &name);
    answer = lookup_find(state->lookup, text_string(&name), DNS_PTR);
    text_free(&name);
    return answer;
}

static bool is_below(const char *name, const char *domain)
{
    size_t name_length = strlen(name), length = strlen(domain);

    return name_length > length + 1 && name[name_length - length - 1] == '.' &&
           text_equal_case(name + name_length - length, domain);
}

/* Whether the name leads back to the client.  A DNS error only skips the name. */
static enum spf_step is_validated(struct spf_state *state, const char *name)
{
    const struct dns_answer *answer;

    if (!lookup_is_name(name))
        return SPF_STEP_GOES_ON;
    answer = find_addresses(state, name);
    if (answer == NULL)
        return SPF_STEP_PENDING;
    return has_client(state, answer, 128) ? SPF_STEP_MATCH : SPF_STEP_GOES_ON;
}

/* For %{p} (section 7.3): domain itself if it is one of the validated names, else one below it,
 * else any. */
static enum spf_step find_validated(struct spf_state *state, const char *domain,
                                    const char **name_r)
{
    const struct dns_answer *names = find_client_names(state);
    unsigned best = 0;
    bool pending = false;

    *name_r = "unknown";
    if (names == NULL)
        return SPF_STEP_PENDING;
    for (size_t i = 0; names->status == DNS_FOUND && i < names->count && i < SPF_PTR_MAX; i++) {
        const char *name = names->records[i].text;
        unsigned worth = text_equal_case(name, domain) ? 3 : is_below(name, domain) ? 2 : 1;
        enum spf_step step = is_validated(state, name);

        pending = pending || step == SPF_STEP_PENDING;
        if (step == SPF_STEP_MATCH && worth > best) {
            best = worth;
            *name_r = name;
        }
    }
    return pending ? SPF_STEP_PENDING : SPF_STEP_GOES_ON;
}

/* --- names from the record ------------------------------------------------------------ */

enum spf_step spf_expand(struct spf_state *state, const char *text, const char *domain,
                         size_t enough, struct text *expanded)
{
    struct spf_macro_values values = {
        .sender = state->sender,
        .local = state->local,
        .sender_domain = state->sender_domain,
        .domain = domain,
        .client = &state->query->client,
        .validated = "unknown",
        .helo = state->helo,
        .receiver = state->query->receiver != NULL ? state->query->receiver : "unknown",
        .now_sec = state->query->now_sec,
    };

    if (spf_macro_needs_validated(text) &&
        find_validated(state, domain, &values.validated) == SPF_STEP_PENDING)
        return SPF_STEP_PENDING;
    spf_macro_expand(text, &values, enough, expanded);
    return SPF_STEP_GOES_ON;
}

/* Section 7.3: labels are taken from the left until the name is not too long. */
static const char *cut_left(const char *name, size_t length)
{
    const char *dot;

    if (length <= DOMAIN_MAX)
        return name;
    dot = strchr(name + length - DOMAIN_MAX - 1, '.');
    return dot != NULL ? dot + 1 : "";
}

enum spf_step spf_target(struct spf_state *state, const char *spec, const char *domain,
                         char **name_r)
{
    struct text expanded = TEXT_EMPTY;
    enum spf_step step = spf_expand(state, spec, domain, SPF_EXPANDED_MAX, &expanded);

    if (expanded.length >= SPF_EXPANDED_MAX)
        text_clear(&expanded);
    if (expanded.length > 0 && expanded.bytes[expanded.length - 1] == '.')
        text_cut(&expanded, expanded.length - 1);
    if (step == SPF_STEP_GOES_ON)
        *name_r = mem_copy(cut_left(text_string(&expanded), expanded.length));
    text_free(&expanded);
    return step;
}

enum spf_step spf_count_target(struct spf_state *state, const char *spec, const char *domain,
                               char **name_r)
{
    enum spf_step step = count_lookup(state);

    if (step == SPF_STEP_GOES_ON && spec != NULL && !state->counted_validated &&
        spf_macro_needs_validated(spec)) {
        state->counted_validated = true;
        step = count_lookup(state);
    }
    if (step != SPF_STEP_GOES_ON)
        return step;
    if (spec != NULL)
        return spf_target(state, spec, domain, name_r);
    *name_r = mem_copy(domain);
    return SPF_STEP_GOES_ON;
}

/* --- mechanisms ----------------------------------------------------------------------- */

static enum spf_step match_all(struct spf_state *state, const struct spf_term *term,
                               const char *name)
{
    (void)state;
    (void)term;
    (void)name;
    return SPF_STEP_MATCH;
}

static enum spf_step match_network(struct spf_state *state, const struct spf_term *term,
                                   const char *name)
{
    (void)name;
    return ip_network_contains(&term->network, &state->query->client) ? SPF_STEP_MATCH
                                                                      : SPF_STEP_GOES_ON;
}

static enum spf_step match_include(struct spf_state *state, const struct spf_term *term,
                                   const char *name)
{
    struct spf_outcome outcome;
    enum spf_step step = SPF_STEP_GOES_ON;

    (void)term;
    if (!spf_evaluate(state, name, &outcome))
        return SPF_STEP_PENDING;
    if (outcome.is_void)
        state->voids++;
    switch (outcome.status) {
    case SPF_PASS:
        step = SPF_STEP_MATCH;
        break;
    case SPF_NEUTRAL:
    case SPF_FAIL:
    case SPF_SOFTFAIL:
        break;
    case SPF_TEMPERROR:
        step = SPF_STEP_TEMPERROR;
        break;
    case SPF_NONE:
    case SPF_PERMERROR:
        step = SPF_STEP_PERMERROR;
        break;
    }
    spf_outcome_clear(&outcome);
    return step;
}

static enum spf_step match_a(struct spf_state *state, const struct spf_term *term, const char *name)
{
    const struct dns_answer *answer;

    if (!lookup_is_name(name))
        return SPF_STEP_GOES_ON;
    answer = find_addresses(state, name);
    if (answer == NULL)
        return SPF_STEP_PENDING;
    if (lookup_failed(answer))
        return spf_dns_problem(state, answer);
    if (lookup_is_void(answer))
        return count_void(state);
    return has_client(state, answer, prefix_of(state, term)) ? SPF_STEP_MATCH : SPF_STEP_GOES_ON;
}

/* The hosts in their order.  Once one is pending the others are only asked for.  A host that exists
 * without an address of the client's family is no void lookup: many have IPv4 alone, and three of
 * them would break the record for every IPv6 client. */
static enum spf_step match_hosts(struct spf_state *state, const struct spf_term *term,
                                 const struct dns_answer *hosts)
{
    bool pending = false;

    for (size_t i = 0; i < hosts->count; i++) {
        const struct dns_answer *answer;

        if (i == SPF_MX_MAX && !pending)
            return spf_problem(state, SPF_STEP_PERMERROR, "mx of %s: over %d names", hosts->name,
                               SPF_MX_MAX);
        if (i == SPF_MX_MAX)
            break;
        if (!lookup_is_name(hosts->records[i].text))
            continue;
        answer = find_addresses(state, hosts->records[i].text);
        pending = pending || answer == NULL;
        if (pending)
            continue;
        if (lookup_failed(answer))
            return spf_dns_problem(state, answer);
        if (answer->status == DNS_ABSENT && count_void(state) != SPF_STEP_GOES_ON)
            return SPF_STEP_PERMERROR;
        if (has_client(state, answer, prefix_of(state, term)))
            return SPF_STEP_MATCH;
    }
    return pending ? SPF_STEP_PENDING : SPF_STEP_GOES_ON;
}

static enum spf_step match_mx(struct spf_state *state, const struct spf_term *term,
                              const char *name)
{
    const struct dns_answer *hosts;

    if (!lookup_is_name(name))
        return SPF_STEP_GOES_ON;
    hosts = lookup_find(state->lookup, name, DNS_MX);
    if (hosts == NULL)
        return SPF_STEP_PENDING;
    if (lookup_failed(hosts))
        return spf_dns_problem(state, hosts);
    if (lookup_is_void(hosts))
        return count_void(state);
    return match_hosts(state, term, hosts);
}

/* No DNS error ends this one: the names are the client's, and the record is not to blame. */
static enum spf_step match_ptr(struct spf_state *state, const struct spf_term *term,
                               const char *name)
{
    const struct dns_answer *names = find_client_names(state);
    bool pending = false;

    (void)term;
    if (names == NULL)
        return SPF_STEP_PENDING;
    if (lookup_is_void(names))
        return count_void(state);
    for (size_t i = 0; names->status == DNS_FOUND && i < names->count && i < SPF_PTR_MAX; i++) {
        const char *client_name = names->records[i].text;
        enum spf_step step;

        if (!text_equal_case(client_name, name) && !is_below(client_name, name))
            continue;
        step = is_validated(state, client_name);
        if (step == SPF_STEP_MATCH)
            return SPF_STEP_MATCH;
        pending = pending || step == SPF_STEP_PENDING;
    }
    return pending ? SPF_STEP_PENDING : SPF_STEP_GOES_ON;
}

/* An A record, whatever the client's family (section 5.7). */
static enum spf_step match_exists(struct spf_state *state, const struct spf_term *term,
                                  const char *name)
{
    const struct dns_answer *answer;

    (void)term;
    if (!lookup_is_name(name))
        return SPF_STEP_GOES_ON;
    answer = lookup_find(state->lookup, name, DNS_A);
    if (answer == NULL)
        return SPF_STEP_PENDING;
    if (lookup_failed(answer))
        return spf_dns_problem(state, answer);
    return lookup_is_void(answer) ? count_void(state) : SPF_STEP_MATCH;
}

enum spf_step spf_term_evaluate(struct spf_state *state, const struct spf_term *term,
                                const char *domain)
{
    static const struct {
        enum spf_step (*match)(struct spf_state *state, const struct spf_term *term,
                               const char *name);
        bool looks_up;
    } rows[] = {
        [SPF_ALL] = {match_all, false},     [SPF_INCLUDE] = {match_include, true},
        [SPF_A] = {match_a, true},          [SPF_MX] = {match_mx, true},
        [SPF_PTR] = {match_ptr, true},      [SPF_IP4] = {match_network, false},
        [SPF_IP6] = {match_network, false}, [SPF_EXISTS] = {match_exists, true},
    };
    enum spf_step step;
    char *name = NULL;

    if (!rows[term->mechanism].looks_up)
        return rows[term->mechanism].match(state, term, NULL);
    step = spf_count_target(state, term->target, domain, &name);
    if (step == SPF_STEP_GOES_ON)
        step = rows[term->mechanism].match(state, term, name);
    free(name);
    return step;
}
