/* SPDX-License-Identifier: BSD-2-Clause */
/* Which way mail goes out, and under which name. */
#include "lib/base/text.h"
#include "lib/conf/conf.h"

#include <string.h>

const char *conf_outgoing_helo(const struct conf *conf)
{
    return conf->outgoing_helo[0] != '\0' ? conf->outgoing_helo : conf->hostname;
}

/* Whether the list is of all domains, or has this one or, as .example.com, one above it. */
static bool takes(const struct strings *domains, const char *domain)
{
    const size_t length = strlen(domain);

    for (size_t i = 0; i < domains->count; i++) {
        const char *item = domains->items[i];
        const size_t item_length = strlen(item);

        if (text_equal_case(item, domain) || (item[0] == '.' && length > item_length &&
                                              text_equal_case(domain + length - item_length, item)))
            return true;
    }
    return domains->count == 0;
}

size_t conf_relay_for(const struct conf *conf, const char *sender_domain,
                      const char *recipient_domain)
{
    size_t i = 0;

    while (i < conf->nrelays && !(takes(&conf->relays[i].senders, sender_domain) &&
                                  takes(&conf->relays[i].recipients, recipient_domain)))
        i++;
    return i;
}
