/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay_message.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

struct message *replay_message(const struct conf *conf, const struct past_message *past)
{
    struct message *message =
        message_new(PROGRAM_POLICY, past->host[0] != '\0' ? past->host : conf->hostname);

    message->direction = DIRECTION_OUT;
    message->sent_us = past->time_us;
    message_set(&message->queue_id, past->trace);
    message_set_user(message, past->user);
    message_set_sender(message, past->from);
    message_set(&message->helo, past->helo);
    (void)ip_parse(past->client, &message->client);
    message->size = past->size;
    /* Which of them were our own is for the proposal to say, where it says whose we are. */
    if (conf->local_domains.count == 0 && past->external < past->nrcpt)
        message->nlocal_unseen = (size_t)(past->nrcpt - past->external);
    return message;
}

static void add_named(const char *list, struct strings *recipients)
{
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        char *one = mem_copy_n(list, length);

        strings_add(recipients, one);
        free(one);
        list += length + (list[length] == ',');
    }
}

/* "gmail.com:40,example.net:2" */
static void add_of_domains(const char *list, size_t most, struct strings *recipients)
{
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        const char *colon = memrchr(list, ':', length);
        int64_t count = 0;

        if (colon != NULL)
            (void)text_number(colon + 1, (size_t)(list + length - colon - 1), &count);
        for (int64_t i = 0; i < count && recipients->count < most; i++) {
            char *one =
                mem_print("recipient-%zu@%.*s", recipients->count, (int)(colon - list), list);

            strings_add(recipients, one);
            free(one);
        }
        list += length + (list[length] == ',');
    }
}

enum replay_names replay_recipients(const struct past_message *past, struct strings *recipients_r)
{
    size_t count =
        past->nrcpt < MESSAGE_RECIPIENTS_MAX ? (size_t)past->nrcpt : MESSAGE_RECIPIENTS_MAX;

    if (past->rcpts[0] != '\0') {
        add_named(past->rcpts, recipients_r);
        return REPLAY_ALL;
    }
    add_of_domains(past->rcpt_domains, count, recipients_r);
    if (recipients_r->count == 0)
        return REPLAY_NOBODY;
    return recipients_r->count == count ? REPLAY_DOMAINS : REPLAY_SOME_DOMAINS;
}

void replay_add_recipient(const struct conf *conf, struct message *message, const char *recipient)
{
    struct recipient *added = message_add_recipient(message, recipient);

    if (added != NULL)
        added->local = conf_is_local_domain(conf, added->address.domain);
}

static enum replay_names names_needed(const struct conf_limit *limit)
{
    if (limit->subject == SUBJECT_RECIPIENT || limit->count == COUNT_DISTINCT_RECIPIENTS)
        return REPLAY_ALL;
    if (limit->subject == SUBJECT_RECIPIENT_DOMAIN ||
        (limit->warmup != NULL && limit->warmup->destinations.count > 0))
        return REPLAY_DOMAINS;
    return REPLAY_NOBODY;
}

const char *replay_lacks(const struct conf_limit *limit, const struct past_message *past,
                         enum replay_names names)
{
    const enum replay_names needed = names_needed(limit);

    if (limit->subject == SUBJECT_HELO && past->helo[0] == '\0')
        return "the name in HELO";
    if ((limit->subject == SUBJECT_CLIENT || limit->subject == SUBJECT_CLIENT_NETWORK) &&
        past->client[0] == '\0')
        return "the client";
    if (names >= needed)
        return NULL;
    return needed == REPLAY_ALL ? "all recipients" : "all recipients' domains";
}

void replay_drop_unknown(struct message *message, const struct past_message *past,
                         enum replay_names names)
{
    struct facts *facts = &message->facts;
    size_t kept = 0;

    for (size_t i = 0; i < facts->nlimits; i++) {
        const struct limit_fact fact = facts->limits[i];

        /* The domains that are named are better than none. */
        if (names < REPLAY_ALL && names_needed(fact.limit) == REPLAY_ALL &&
            replay_lacks(fact.limit, past, names) != NULL)
            limit_fact_clear(&facts->limits[i]);
        else
            facts->limits[kept++] = fact;
    }
    facts->nlimits = kept;
}
