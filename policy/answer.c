/* SPDX-License-Identifier: BSD-2-Clause */
/* From a verdict to what Postfix is told to do (access(5)). */
#include "policy/answer.h"

#include "lib/decide/reply.h"

#include <stdio.h>

/* A newline in an answer would begin another attribute of it. */
static void one_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
}

/* An answer has room for one header: its value names every cause that has not been named before.
 * At END-OF-MESSAGE the message is there already and Postfix cannot prepend any more. */
static void make_warning(struct transaction *transaction, char action_r[ANSWER_MAX])
{
    const struct findings *findings = &transaction->message->findings;
    size_t length = 0;

    if (transaction->message->stage == STAGE_END_OF_MESSAGE)
        return;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        char value[REPLY_TEXT_MAX];
        int added;

        if (finding->action != (int)ACTION_WARN ||
            transaction_has_cause(&transaction->warned, finding->cause) ||
            transaction->warned.count == TRANSACTION_CAUSES_MAX)
            continue;
        reply_warning(transaction->conf, transaction->message, finding, value);
        added = snprintf(action_r + length, ANSWER_MAX - length, "%s%s",
                         length == 0 ? "PREPEND " REPLY_WARNING_HEADER ": " : "; ", value);
        if ((size_t)added >= ANSWER_MAX - length) {
            action_r[length] = '\0';
            return;
        }
        length += (size_t)added;
        (void)transaction_add_cause(&transaction->warned, finding->cause);
    }
}

void answer_make(struct transaction *transaction, char action_r[ANSWER_MAX])
{
    struct reply reply;

    snprintf(action_r, ANSWER_MAX, ANSWER_NOTHING);
    switch ((enum action)transaction->message->verdict.action) {
    case ACTION_IGNORE:
    case ACTION_LOG:
        return;
    case ACTION_WARN:
        make_warning(transaction, action_r);
        break;
    case ACTION_HOLD:
        reply_make(transaction->conf, transaction->message, &reply);
        snprintf(action_r, ANSWER_MAX, "HOLD %s", reply.text);
        break;
    case ACTION_DEFER:
    case ACTION_REJECT:
        reply_make(transaction->conf, transaction->message, &reply);
        snprintf(action_r, ANSWER_MAX, "%u %s %s", reply.code, reply.enhanced, reply.text);
        break;
    }
    one_line(action_r);
}
