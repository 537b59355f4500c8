/* SPDX-License-Identifier: BSD-2-Clause */
/* What a second SPF engine is asked: gathering it. */
#include "lib/auth/spf_second.h"

#include "lib/auth/spf_macro.h"
#include "lib/auth/spf_record.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* Whether a record can name it as it is: no macros, nothing that means something else. */
static bool is_plain(const char *name)
{
    return name[strspn(name, PLAIN)] == '\0' &&
           spf_macro_problem(name, strlen(name), SPF_MACRO_DOMAIN) == NULL;
}

/* --- records -------------------------------------------------------------------------- */

/* The name that a domain-spec stands for.  NULL: one that cannot be in the DNS, so that its term
 * says nothing; or the evidence is unfit now. */
static char *plain_target(struct spf_evidence *evidence, const char *spec, const char *domain)
{
    char *name = NULL;

    if (spf_macro_needs_validated(spec) ||
        spf_target(evidence->state, spec, domain, &name) != SPF_STEP_GOES_ON) {
        evidence->unfit = true;
        return NULL;
    }
    if (lookup_is_name(name) && is_plain(name))
        return name;
    evidence->unfit = evidence->unfit || lookup_is_name(name);
    free(name);
    return NULL;
}

/* libspf2 takes a prefix of 0 for none. */
static bool has_empty_prefix(const struct spf_term *term)
{
    switch (term->mechanism) {
    case SPF_A:
    case SPF_MX:
        return term->prefix4 == 0 || term->prefix6 == 0;
    case SPF_IP4:
    case SPF_IP6:
        return term->network.prefix == 0;
    default:
        return false;
    }
}

static void add_term(struct spf_evidence *evidence, const struct spf_term *term, const char *domain)
{
    struct spf_term plain = *term;

    evidence->unfit = evidence->unfit || has_empty_prefix(term);
    if (term->target != NULL) {
        plain.target = plain_target(evidence, term->target, domain);
        if (plain.target == NULL)
            return;
    }
    text_add_char(&evidence->answers, ' ');
    spf_term_format(&plain, &evidence->answers);
    if (term->target != NULL)
        free(plain.target);
}

static void add_record(struct spf_evidence *evidence, const struct spf_record *record,
                       const char *domain)
{
    text_add_string(&evidence->answers, "is v=spf1");
    for (size_t i = 0; i < record->count; i++)
        add_term(evidence, &record->terms[i], domain);
    if (record->redirect != NULL) {
        char *name = plain_target(evidence, record->redirect, domain);

        if (name != NULL)
            text_print(&evidence->answers, " redirect=%s", name);
        free(name);
    }
    text_add_char(&evidence->answers, '\n');
}

/* Where the evaluation has decided, each name that it asked has the one good record. */
static void add_records(struct spf_evidence *evidence, const struct dns_answer *answer)
{
    struct spf_record record;
    char *problem = NULL;

    for (size_t i = 0; i < answer->count; i++) {
        const struct dns_record *txt = &answer->records[i];

        if (!spf_record_is(txt->text, txt->length))
            continue;
        if (spf_record_parse(txt->text, txt->length, &record, &problem)) {
            add_record(evidence, &record, answer->name);
            spf_record_clear(&record);
        } else {
            evidence->unfit = true;
            free(problem);
        }
    }
}

/* --- answers -------------------------------------------------------------------------- */

/* An IPv6 address that has an IPv4 one in it is still an IPv6 address of a name. */
static void add_address(struct text *answers, const struct dns_record *record, enum dns_type type)
{
    char address[IP_TEXT_MAX];

    if (type == DNS_A && record->address.family != 4)
        return;
    ip_format(&record->address, address);
    text_print(answers, "is %s%s\n",
               type == DNS_AAAA && record->address.family == 4 ? "::ffff:" : "", address);
}

/* Of hosts and names only as many as are looked at: libspf2 takes more for an error. */
static void add_values(struct spf_evidence *evidence, const struct dns_answer *answer)
{
    size_t most = answer->type == DNS_MX    ? SPF_MX_MAX
                  : answer->type == DNS_PTR ? SPF_PTR_MAX
                                            : answer->count;

    for (size_t i = 0; i < answer->count && i < most; i++) {
        const struct dns_record *record = &answer->records[i];

        if (answer->type == DNS_A || answer->type == DNS_AAAA)
            add_address(&evidence->answers, record, answer->type);
        else if (lookup_is_name(record->text))
            text_print(&evidence->answers, "is %s\n", record->text);
    }
}

static void add_answer(struct spf_evidence *evidence, const struct dns_answer *answer)
{
    static const char *const names[] = {
        [DNS_FOUND] = "found", [DNS_NO_DATA] = "nodata", [DNS_ABSENT] = "absent"};

    if (lookup_failed(answer)) {
        evidence->unfit = true;
        return;
    }
    text_print(&evidence->answers, "ask %s %s %s\n", dns_type_name(answer->type),
               names[answer->status], answer->name);
    if (answer->status != DNS_FOUND)
        return;
    if (answer->type == DNS_TXT)
        add_records(evidence, answer);
    else
        add_values(evidence, answer);
}

static const struct dns_answer *find(void *context, const char *name, enum dns_type type)
{
    struct spf_evidence *evidence = context;
    const struct dns_answer *answer = evidence->lookup->find(evidence->lookup->context, name, type);
    char *key;

    if (answer == NULL || evidence->unfit)
        return answer;
    if (evidence->seen == NULL)
        evidence->seen = map_new();
    key = mem_print("%s %s", dns_type_name(type), name);
    if (map_put(evidence->seen, key, strlen(key), evidence) == NULL)
        add_answer(evidence, answer);
    free(key);
    evidence->unfit = evidence->unfit || evidence->answers.length > SPF_SECOND_MAX ||
                      map_count(evidence->seen) > SPF_SECOND_ANSWERS_MAX;
    return answer;
}

struct lookup spf_evidence_lookup(struct spf_evidence *evidence)
{
    return (struct lookup){.find = find, .context = evidence};
}

void spf_evidence_clear(struct spf_evidence *evidence)
{
    map_free(&evidence->seen, NULL);
    text_free(&evidence->answers);
}

bool spf_evidence_text(const struct spf_evidence *evidence, enum spf_status own, struct text *text)
{
    const struct spf_query *query = evidence->state->query;
    char client[IP_TEXT_MAX];

    /* libspf2 lets whatever comes from the own host pass */
    if (evidence->unfit || ip_is_loopback(&query->client) || !spf_status_is_verdict(own) ||
        !is_plain(evidence->state->sender_domain))
        return false;
    ip_format(&query->client, client);
    text_print(text, "client %s\ndomain %s\n", client, evidence->state->sender_domain);
    text_add(text, evidence->answers.bytes, evidence->answers.length);
    return text->length <= SPF_SECOND_MAX;
}
