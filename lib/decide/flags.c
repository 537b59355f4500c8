/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/flags.h"

#include "lib/base/text.h"
#include "lib/decide/subjects.h"
#include "lib/decide/suspension.h"

#include <stdlib.h>

void flags_plan(const struct conf *conf, struct message *message)
{
    struct text subject = TEXT_EMPTY;

    free(message->facts.flag_subject);
    message->facts.flag_subject = NULL;
    note_fact_clear(&message->facts.flag);
    if (message->direction == DIRECTION_OUT &&
        subjects_name(conf, message, SUBJECT_USER, NULL, &subject))
        message->facts.flag_subject = text_take(&subject);
    text_free(&subject);
}

void flags_ask(const struct conf *conf, const struct message *message, struct notes_request *room)
{
    (void)conf;
    if (message->facts.flag_subject != NULL)
        (void)notes_wish(room, message->facts.flag_subject, SUSPENSION_KIND);
}

void flags_answered(const struct conf *conf, const struct store_answer *answer,
                    const struct store_note *notes, struct message *message)
{
    struct facts *facts = &message->facts;

    (void)conf;
    note_fact_clear(&facts->flag);
    facts->flag_sec = answer->now_us / 1000000;
    for (size_t i = 0; i < notes[0].npairs; i++)
        note_fact_add(&facts->flag, notes[0].pairs[i].name, notes[0].pairs[i].value);
}
