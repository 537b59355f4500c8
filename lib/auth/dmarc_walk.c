/* SPDX-License-Identifier: BSD-2-Clause */
/* The DNS tree walk. */
#include "lib/auth/dmarc_walk.h"

#include "lib/auth/orgdomain.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define WALK_TAIL 7 /* labels of the second name, at most */

static size_t count_labels(const char *domain)
{
    size_t count = 1;

    for (; *domain != '\0'; domain++)
        count += *domain == '.';
    return count;
}

/* The end of a domain that has so many labels, of those that it has. */
static const char *last_labels(const char *domain, size_t labels)
{
    for (size_t have = count_labels(domain); have > labels; have--)
        domain = strchr(domain, '.') + 1;
    return domain;
}

static enum dmarc_found read_answer(const struct dns_answer *answer, struct dmarc_record *record_r)
{
    const struct dns_record *found = NULL;

    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++) {
        if (!dmarc_record_is(answer->records[i].text, answer->records[i].length))
            continue;
        if (found != NULL)
            return DMARC_FOUND_SEVERAL;
        found = &answer->records[i];
    }
    if (found == NULL)
        return DMARC_FOUND_NOTHING;
    dmarc_record_parse(found->text, found->length, record_r);
    return DMARC_FOUND;
}

enum dmarc_found dmarc_find(const struct lookup *lookup, const char *domain,
                            struct dmarc_record *record_r, const struct dns_answer **failed_r)
{
    char *name = mem_print("_dmarc.%s", domain);
    const struct dns_answer *answer;
    enum dmarc_found found = DMARC_FOUND_NOTHING;

    /* a domain too long for a record below it has none */
    if (!lookup_is_name(name))
        goto done;
    answer = lookup_find(lookup, name, DNS_TXT);
    if (answer == NULL) {
        found = DMARC_FOUND_PENDING;
    } else if (lookup_failed(answer)) {
        found = DMARC_FOUND_FAILED;
        *failed_r = answer;
    } else {
        found = read_answer(answer, record_r);
    }
done:
    free(name);
    return found;
}

/* Section 4.10: the domain, then its parents, of which those with more than seven labels are left
 * out. */
static size_t list_names(const char *domain, const char *names_r[DMARC_WALK_MAX])
{
    size_t labels = count_labels(domain);
    size_t count = 0;

    names_r[count++] = domain;
    for (size_t tail = labels > WALK_TAIL ? WALK_TAIL : labels - 1; tail > 0; tail--)
        names_r[count++] = last_labels(domain, tail);
    return count;
}

/* Section 4.10.2: what a record says of the organizational domain.  true: the walk ends here. */
static bool judge(const char *domain, const char *name, enum dmarc_psd psd, struct dmarc_walk *walk)
{
    if (psd == DMARC_PSD_YES && name != domain) {
        walk->domain = last_labels(domain, count_labels(name) + 1);
        walk->psd = name;
        return true;
    }
    /* the fewest labels, as long as nothing says more */
    walk->domain = name;
    return psd != DMARC_PSD_UNKNOWN;
}

/* Once an answer is pending the names further up are only asked for, all at once. */
static enum dmarc_found walk_tree(const struct lookup *lookup, const char *domain,
                                  struct dmarc_walk *walk)
{
    const char *names[DMARC_WALK_MAX];
    size_t count = list_names(domain, names);
    bool pending = false;

    for (size_t i = 0; i < count; i++) {
        struct dmarc_record record;
        enum dmarc_found found = dmarc_find(lookup, names[i], &record, &walk->failed);
        bool ends = false;

        pending = pending || found == DMARC_FOUND_PENDING;
        if (found == DMARC_FOUND_FAILED && !pending)
            return DMARC_FOUND_FAILED;
        if (found == DMARC_FOUND_SEVERAL && walk->several == NULL)
            walk->several = names[i];
        if (found != DMARC_FOUND)
            continue;
        ends = judge(domain, names[i], record.psd, walk);
        dmarc_record_clear(&record);
        if (ends)
            break;
    }
    return pending ? DMARC_FOUND_PENDING : DMARC_FOUND;
}

enum dmarc_found dmarc_walk(const struct lookup *lookup, const char *domain,
                            enum dmarc_discovery discovery, struct dmarc_walk *walk_r)
{
    const char *organizational;

    *walk_r = (struct dmarc_walk){.domain = domain};
    if (discovery == DMARC_TREE_WALK)
        return walk_tree(lookup, domain, walk_r);
    organizational = orgdomain_by_list(domain);
    if (organizational != NULL)
        walk_r->domain = organizational;
    return DMARC_FOUND;
}
