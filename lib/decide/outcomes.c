/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/outcomes.h"

#include "lib/base/count.h"
#include "lib/decide/subjects.h"
#include "lib/message/message.h"

#include <stddef.h>
#include <string.h>

#define HOUR ((int64_t)3600)
#define DAY (24 * HOUR)

static const struct outcome_rule rules[] = {
    {CAUSE_RECIPIENT_UNKNOWN, OUTCOME_OF_RECIPIENT, 7 * DAY, true, true},
    {CAUSE_RECIPIENT_DISABLED, OUTCOME_OF_RECIPIENT, 3 * DAY, false, true},
    {CAUSE_RECIPIENT_MAILBOX_FULL, OUTCOME_OF_RECIPIENT, DAY, false, false},
    {CAUSE_RECIPIENT_REFUSES_SIZE, OUTCOME_OF_RECIPIENT, DAY, false, false},
    {CAUSE_RECIPIENT_SYNTAX, OUTCOME_OF_NOBODY, 0, false, true},
    {CAUSE_DNS_RECIPIENT_DOMAIN, OUTCOME_OF_NOBODY, 0, false, true},
    {CAUSE_DNS_RECIPIENT_NO_MAIL, OUTCOME_OF_NOBODY, 0, false, true},
    {CAUSE_DESTINATION_UNREACHABLE, OUTCOME_OF_DESTINATION, HOUR, false, false},
    {CAUSE_DESTINATION_GREYLISTING, OUTCOME_OF_DESTINATION, DAY, false, false},
    {CAUSE_DESTINATION_THROTTLING, OUTCOME_OF_DESTINATION, HOUR, false, false},
    {CAUSE_DESTINATION_BLOCKS_US, OUTCOME_OF_DESTINATION, DAY, false, false},
    {CAUSE_DESTINATION_AUTH_REQUIRED, OUTCOME_OF_DESTINATION, DAY, false, false},
    {CAUSE_DESTINATION_CONTENT, OUTCOME_OF_DESTINATION, DAY, false, true},
    {CAUSE_DESTINATION_TLS, OUTCOME_OF_DESTINATION, DAY, false, false},
    {CAUSE_DESTINATION_RELAY_DENIED, OUTCOME_OF_DESTINATION, DAY, false, false},
    {CAUSE_DESTINATION_LOGIN, OUTCOME_OF_DESTINATION, DAY, false, false},
    {CAUSE_DESTINATION_DNS, OUTCOME_OF_DESTINATION, HOUR, false, false},
    {CAUSE_DESTINATION_SIZE, OUTCOME_OF_DESTINATION, DAY, false, false},
    {CAUSE_DESTINATION_OTHER, OUTCOME_OF_DESTINATION, HOUR, false, false},
};

const struct outcome_rule *outcome_rule(enum cause_id cause)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (rules[i].cause == cause)
            return &rules[i];
    return NULL;
}

void outcome_recipient(const char *recipient, struct text *text_r)
{
    text_clear(text_r);
    text_add_string(text_r, "rcpt:");
    text_add_string(text_r, recipient);
}

void outcome_destination(const char *domain, struct text *text_r)
{
    text_clear(text_r);
    text_add_string(text_r, "dest:");
    text_add_string(text_r, domain);
}

char *outcome_user(const struct conf *conf, const char *login)
{
    struct message *message = message_new(PROGRAM_POLICY, "");
    struct text name = TEXT_EMPTY;
    bool named;

    message_set_user(message, login);
    named = subjects_name(conf, message, SUBJECT_USER, NULL, &name);
    message_free(&message);
    if (!named)
        text_clear(&name);
    return text_take(&name);
}

bool outcome_is_of_size(enum cause_id cause)
{
    return cause == CAUSE_RECIPIENT_REFUSES_SIZE || cause == CAUSE_DESTINATION_SIZE;
}

int64_t outcome_refused_size(const struct store_note *note)
{
    const char *mark = store_note_value(note, OUTCOME_SIZE_FIELD);
    struct store_mark_value value;
    int64_t size;

    return mark != NULL && store_mark_read(mark, &value) &&
                   text_number(value.text, strlen(value.text), &size)
               ? size
               : 0;
}

static bool is_of_size(const char *field)
{
    const struct cause *cause = cause_find(field);

    return strcmp(field, OUTCOME_SIZE_FIELD) == 0 ||
           (cause != NULL &&
            outcome_is_of_size((enum cause_id)(cause - cause_get((enum cause_id)0))));
}

bool outcome_concerns(const struct store_note *note, const char *field, int64_t size)
{
    return !is_of_size(field) || size >= outcome_refused_size(note);
}

bool outcome_latest(const struct store_note *note, unsigned found_where, int64_t size,
                    struct outcome_seen *seen_r)
{
    bool found = false;

    for (size_t i = 0; i < note->npairs; i++) {
        const char *field = note->pairs[i].name;
        const struct cause *cause = cause_find(field);
        struct store_mark_value value;

        if (!cause || (found_where != 0 && !(cause->found & found_where)) ||
            !outcome_concerns(note, field, size) ||
            !store_mark_read(note->pairs[i].value, &value) ||
            (found && value.last_sec < seen_r->last_sec))
            continue;
        *seen_r = (struct outcome_seen){.cause = cause,
                                        .since_sec = value.first_sec,
                                        .last_sec = value.last_sec,
                                        .count = value.count,
                                        .refused_size =
                                            is_of_size(field) ? outcome_refused_size(note) : 0,
                                        .text = value.text};
        found = true;
    }
    return found;
}
