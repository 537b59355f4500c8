/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/gather_outlook.h"

#include "lib/base/mem.h"

#include <string.h>

char *gather_from_domain(const struct message *message)
{
    const struct header *from = message_header(message, "From", 0);
    struct address addresses[2];
    char *domain = NULL;

    if (from == NULL || message_header(message, "From", 1) != NULL)
        return NULL;
    memset(addresses, 0, sizeof(addresses));
    if (address_list_parse(from->value, addresses, 2) == 1 && addresses[0].domain != NULL &&
        addresses[0].domain[0] != '\0' && !addresses[0].is_literal)
        domain = mem_copy(addresses[0].domain);
    address_clear(&addresses[0]);
    address_clear(&addresses[1]);
    return domain;
}

/* Mail within the installation is looked at as if it left directly: its senders write to others,
 * too. */
static uint64_t routes_of(const struct conf *conf, const struct message *message)
{
    uint64_t routes = 0;

    if (conf->nrelays == 0)
        return 1;
    for (size_t i = 0; i < message->nrecipients; i++)
        if (!message->recipients[i].local)
            routes |= UINT64_C(1) << conf_relay_for(conf, message->sender.domain,
                                                    message->recipients[i].address.domain);
    return routes != 0 ? routes : UINT64_C(1) << conf_relay_for(conf, message->sender.domain, "");
}

void gather_outlook_query(const struct conf *conf, const struct message *message,
                          struct outlook_query *query_r)
{
    const struct address *sender = &message->sender;
    const bool has_domain = sender->domain != NULL && !sender->is_literal;

    *query_r = (struct outlook_query){
        .conf = conf,
        .routes = routes_of(conf, message),
        .sender = has_domain && sender->domain[0] != '\0' ? sender->text : "",
        .sender_domain = has_domain ? sender->domain : "",
        .signing = message->facts.signing,
        .nsigning = message->facts.nsigning,
        .carried = &message->facts.carried,
    };
}
