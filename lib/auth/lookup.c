/* SPDX-License-Identifier: BSD-2-Clause */
/* What evaluations ask with. */
#include "lib/auth/lookup.h"

#include "lib/base/domain.h"
#include "lib/base/text.h"

#include <assert.h>
#include <string.h>

bool lookup_is_name(const char *name)
{
    size_t length = strlen(name);
    size_t label = 0;

    if (length == 0 || length > DOMAIN_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char octet = (unsigned char)name[i];

        if (octet < 0x20 || octet > 0x7e || octet == '\\')
            return false;
        label = octet == '.' ? 0 : label + 1;
        if (label > DOMAIN_LABEL_MAX || (octet == '.' && (i == 0 || name[i - 1] == '.')))
            return false;
    }
    return label > 0;
}

const struct dns_answer *lookup_find(const struct lookup *lookup, const char *name,
                                     enum dns_type type)
{
    char lower[DOMAIN_MAX + 1];
    size_t length = strlen(name);

    assert(length <= DOMAIN_MAX);
    memcpy(lower, name, length + 1);
    return lookup->find(lookup->context, text_lower(lower), type);
}

bool lookup_is_void(const struct dns_answer *answer)
{
    return answer->status == DNS_ABSENT || answer->status == DNS_NO_DATA;
}

bool lookup_failed(const struct dns_answer *answer)
{
    return answer->status == DNS_FAILED || answer->status == DNS_BOGUS;
}
