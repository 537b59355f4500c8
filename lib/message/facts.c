/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of facts. */
#include "lib/message/facts.h"

#include <stdlib.h>

void facts_clear(struct facts *facts)
{
    for (size_t i = 0; i < facts->nlimits; i++)
        free(facts->limits[i].subject);
    free(facts->limits);
    habits_free(&facts->habits);
    free(facts->sender_domain.problem);
    free(facts->dkim);
    free(facts->dkim_survival);
    free(facts->spf);
    free(facts->dmarc);
    free(facts->dkim_check);
    strings_free(&facts->carried);
    if (facts->outlook != NULL)
        facts->outlook_release(&facts->outlook);
    *facts = (struct facts){0};
}
