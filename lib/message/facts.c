/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of facts. */
#include "lib/message/facts.h"

#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

void mx_flaws_clear(struct mx_flaw *flaws, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(flaws[i].host);
}

void mail_domain_fact_clear(struct mail_domain_fact *fact)
{
    free(fact->problem);
    mx_flaws_clear(fact->flaws, fact->nflaws);
    free(fact->flaws);
    *fact = (struct mail_domain_fact){.state = MAIL_DOMAIN_UNASKED};
}

void limit_fact_clear(struct limit_fact *fact)
{
    free(fact->subject);
    free(fact->members);
    *fact = (struct limit_fact){0};
}

void facts_clear(struct facts *facts)
{
    for (size_t i = 0; i < facts->nlimits; i++)
        limit_fact_clear(&facts->limits[i]);
    free(facts->limits);
    free(facts->class);
    habits_free(&facts->habits);
    outcomes_free(&facts->outcomes);
    for (size_t i = 0; i < facts->nlistings; i++) {
        free(facts->listings[i].domain);
        free(facts->listings[i].list);
        free(facts->listings[i].code);
        free(facts->listings[i].text);
    }
    free(facts->listings);
    mail_domain_fact_clear(&facts->sender_domain);
    free(facts->dkim);
    free(facts->dkim_survival);
    free(facts->spf);
    free(facts->dmarc);
    free(facts->dkim_check);
    strings_free(&facts->carried);
    if (facts->outlook != NULL)
        facts->outlook_release(&facts->outlook);
    free(facts->flag_subject);
    note_fact_clear(&facts->flag);
    content_fact_clear(&facts->content);
    *facts = (struct facts){0};
}

const char *note_fact_value(const struct note_fact *note, const char *name)
{
    for (size_t i = 0; i < note->npairs; i++)
        if (strcmp(note->pairs[i].name, name) == 0)
            return note->pairs[i].value;
    return NULL;
}

void note_fact_add(struct note_fact *note, const char *name, const char *value)
{
    note->pairs = mem_grow(note->pairs, note->npairs + 1, sizeof(*note->pairs));
    note->pairs[note->npairs++] = (struct note_pair){mem_copy(name), mem_copy(value)};
}

void note_fact_clear(struct note_fact *note)
{
    for (size_t i = 0; i < note->npairs; i++) {
        free(note->pairs[i].name);
        free(note->pairs[i].value);
    }
    free(note->pairs);
    *note = (struct note_fact){0};
}
