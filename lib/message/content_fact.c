/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of what was found in a message. */
#include "lib/message/content_fact.h"

#include <stdlib.h>

void content_fact_clear(struct content_fact *fact)
{
    for (size_t i = 0; i < fact->nrisks; i++) {
        free(fact->risks[i].name);
        free(fact->risks[i].inner);
        free(fact->risks[i].kind);
        free(fact->risks[i].part);
    }
    free(fact->largest_name);
    free(fact->disguise.shown);
    free(fact->disguise.host);
    free(fact->shortener);
    free(fact->address);
    strings_free(&fact->link_domains);
    free(fact->malformed);
    free(fact->malformed_part);
    free(fact->malformed_remedy);
    *fact = (struct content_fact){0};
}
