/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/daemon/standing_log.h"

#include "lib/base/mem.h"
#include "lib/decide/report.h"

#include <stdlib.h>

static void log_list(const struct standing_change *change, struct log *log)
{
    const struct standing_list *list = change->list;
    char *hint;

    if (list->usable) {
        report_cause(log, NULL, "dns.failure", "nothing to do: the blocklist is asked again",
                     "state", "up", "list", list->list->zone, NULL);
        return;
    }
    hint = mem_print(
        "blocklist %s (%s:%u) is not believed: try \"dig %s.%s\"; see whether it still "
        "exists, and whether it answers our resolver (resolver =)",
        list->list->zone, list->list->place.file, list->list->place.line,
        list->list->kind == BLOCKLIST_OF_DOMAINS ? "test" : "2.0.0.127", list->list->zone);
    report_cause(log, NULL, "dns.failure", hint, "state", "down", "list", list->list->zone,
                 "problem", list->problem, NULL);
    free(hint);
}

static void log_ptr(const struct standing_change *change, struct log *log)
{
    const struct ptr *ptr = &change->address->ptr;
    const bool good = ptr->state == PTR_FINE;
    char ip[IP_TEXT_MAX];
    char *hint;

    ip_format(&change->address->address, ip);
    hint = good ? mem_copy("nothing to do: the reverse name leads back")
                : mem_print("have the PTR record \"%s.\" name a host that has the address %s",
                            ptr->reverse, ip);
    report_cause(log, NULL, "dns.ptr", hint, "state", good ? "good" : "bad", "ip", ip, "ptr",
                 ptr->name, "leads-to", ptr->leads_to, NULL);
    free(hint);
}

static void log_listing(const struct standing_change *change, struct log *log)
{
    const struct listing *listing = change->listing;
    const bool listed = listing->state == LISTING_YES;
    const char *zone = change->list->list->zone;
    char ip[IP_TEXT_MAX];
    char *hint;

    ip_format(&change->address->address, ip);
    hint = listed ? mem_print("find who sends spam through %s (sluicectl top) and stop them "
                              "(sluicectl suspend LOGIN --reason abuse), then ask for removal "
                              "from %s",
                              ip, zone)
                  : mem_copy("nothing to do: the address is off the list");
    report_cause(log, NULL, "reputation.ip-listed", hint, "state", listed ? "listed" : "gone", "ip",
                 ip, "list", zone, "code", listing->code, "text", listing->text, NULL);
    free(hint);
}

void standing_log(const struct standing_change *change, void *log)
{
    static void (*const logs[])(const struct standing_change *, struct log *) = {
        [STANDING_LIST] = log_list,
        [STANDING_PTR] = log_ptr,
        [STANDING_LISTING] = log_listing,
    };

    logs[change->event](change, log);
}
