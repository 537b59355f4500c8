/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/ptr.h"

#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

static bool has_address(const struct dns_answer *answer, const struct ip_address *address)
{
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++)
        if (memcmp(&answer->records[i].address, address, sizeof(*address)) == 0)
            return true;
    return false;
}

static char *first_address(const struct dns_answer *answer)
{
    char text[IP_TEXT_MAX];

    if (answer->status != DNS_FOUND)
        return NULL;
    ip_format(&answer->records[0].address, text);
    return mem_copy(text);
}

/* Whether one of the names leads back.  false: pending. */
static bool look_back(const struct lookup *lookup, const struct dns_answer *names,
                      const struct ip_address *address, struct ptr *ptr)
{
    const enum dns_type type = address->family == 6 ? DNS_AAAA : DNS_A;
    bool known = true, failed = false;

    ptr->state = PTR_NOT_BACK;
    for (size_t i = 0; i < names->count && i < PTR_NAMES_MAX; i++) {
        const char *name = names->records[i].text;
        const struct dns_answer *answer =
            lookup_is_name(name) ? lookup_find(lookup, name, type) : NULL;

        if (answer == NULL) {
            known = known && !lookup_is_name(name);
        } else if (has_address(answer, address)) {
            ptr->state = PTR_FINE;
            ptr->name = mem_copy(name);
            return true;
        } else {
            failed = failed || lookup_failed(answer);
            if (i == 0)
                ptr->leads_to = first_address(answer);
        }
    }
    if (failed)
        ptr->state = PTR_UNKNOWN;
    ptr->name = mem_copy(names->records[0].text);
    return known;
}

bool ptr_look(const struct lookup *lookup, const struct ip_address *address, struct ptr *ptr_r)
{
    struct ptr ptr = {.reverse = dns_reverse_name(address)};
    const struct dns_answer *names = lookup_find(lookup, ptr.reverse, DNS_PTR);
    bool known = names != NULL;

    if (known && names->status == DNS_FOUND)
        known = look_back(lookup, names, address, &ptr);
    else if (known)
        ptr.state = lookup_is_void(names) ? PTR_MISSING : PTR_UNKNOWN;
    if (known)
        *ptr_r = ptr;
    else
        ptr_clear(&ptr);
    return known;
}

void ptr_clear(struct ptr *ptr)
{
    free(ptr->name);
    free(ptr->leads_to);
    free(ptr->reverse);
    *ptr = (struct ptr){.state = PTR_UNKNOWN};
}
