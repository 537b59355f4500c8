/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/report_recipients.h"

#include "lib/base/text.h"

#include <string.h>

#define DOMAINS_MAX 64 /* more do not fit with their numbers */
#define COUNT_OCTETS 7 /* ":50000," */

/* false: some are not known, or they do not fit. */
static bool list_names(const struct message *message, struct text *list)
{
    if (message->nrecipients != message->nrecipients_total)
        return false;
    for (size_t i = 0; i < message->nrecipients; i++) {
        const char *name = message->recipients[i].address.text;

        if (strchr(name, ',') != NULL ||
            list->length + strlen(name) + 1 > (size_t)REPORT_RECIPIENTS_MAX)
            return false;
        if (i > 0)
            text_add_char(list, ',');
        text_add_string(list, name);
    }
    return true;
}

static void list_domains(const struct message *message, struct text *list)
{
    const char *domains[DOMAINS_MAX];
    size_t counts[DOMAINS_MAX];
    size_t ndomains = 0, octets = 0;

    for (size_t i = 0; i < message->nrecipients; i++) {
        const char *domain = message->recipients[i].address.domain;
        size_t which = 0;

        while (which < ndomains && strcmp(domains[which], domain) != 0)
            which++;
        if (which < ndomains) {
            counts[which]++;
            continue;
        }
        octets += strlen(domain) + COUNT_OCTETS;
        if (ndomains == DOMAINS_MAX || octets > (size_t)REPORT_RECIPIENTS_MAX)
            continue;
        domains[ndomains] = domain;
        counts[ndomains++] = 1;
    }
    for (size_t i = 0; i < ndomains; i++)
        text_print(list, "%s%s:%zu", i > 0 ? "," : "", domains[i], counts[i]);
}

void report_recipients(struct log_event *event, const struct message *message)
{
    struct text list = TEXT_EMPTY;

    if (message->helo[0] != '\0' && strlen(message->helo) <= (size_t)REPORT_HELO_MAX)
        log_string(event, "helo", message->helo);
    if (list_names(message, &list)) {
        log_string(event, "rcpts", list.length > 0 ? text_string(&list) : NULL);
    } else {
        text_clear(&list);
        list_domains(message, &list);
        log_string(event, "rcpt-domains", list.length > 0 ? text_string(&list) : NULL);
    }
    text_free(&list);
}
