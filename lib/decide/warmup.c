/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/warmup.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include <string.h>

#define DAY_US (86400 * INT64_C(1000000))

int64_t warmup_day(int64_t wall_us)
{
    return wall_us / DAY_US;
}

char *warmup_subject(const struct conf_warmup *warmup)
{
    return mem_print("warmup:%s", warmup->limit.name);
}

bool warmup_is_here(const struct conf *conf, const struct conf_warmup *warmup)
{
    if (warmup->address.family == 0 || conf->noutgoing_addresses == 0)
        return true;
    for (size_t i = 0; i < conf->noutgoing_addresses; i++)
        if (conf->outgoing_addresses[i].family == warmup->address.family &&
            memcmp(conf->outgoing_addresses[i].bytes, warmup->address.bytes,
                   sizeof warmup->address.bytes) == 0)
            return true;
    return false;
}

static int64_t sent_us(const struct message *message)
{
    return message->sent_us > 0 ? message->sent_us : clock_now_us(&clock_wall);
}

/* Its recipients that count.  Those that we never saw (a wiring without a look at RCPT) may be
 * anywhere: they count where all that is not local does. */
static int64_t recipients(const struct conf *conf, const struct message *message,
                          const struct conf_warmup *warmup)
{
    size_t unseen = message->nrecipients_total > message->nrecipients
                        ? message->nrecipients_total - message->nrecipients
                        : 0;
    int64_t n = warmup->destinations.count == 0 ? (int64_t)unseen : 0;

    for (size_t i = 0; i < message->nrecipients; i++)
        n += conf_warmup_counts(conf, warmup, message->recipients[i].address.domain);
    return n;
}

/* At RCPT it is the last recipient that can still be refused. */
static bool is_about(const struct conf *conf, const struct message *message,
                     const struct conf_warmup *warmup)
{
    if (!warmup_is_here(conf, warmup) ||
        (warmup->address.family == 0 && strcmp(message->sender.domain, warmup->title) != 0))
        return false;
    return message->stage != STAGE_RCPT || message->nrecipients == 0 ||
           conf_warmup_counts(conf, warmup,
                              message->recipients[message->nrecipients - 1].address.domain);
}

bool warmup_fact(const struct conf *conf, const struct message *message,
                 const struct conf_warmup *warmup, struct limit_fact *fact_r)
{
    int64_t day = warmup_day(sent_us(message));
    bool at_recipient = message->stage == STAGE_RCPT && message->nrecipients > 0;
    int64_t amount = is_about(conf, message, warmup) ? recipients(conf, message, warmup) : 0;

    if (amount == 0 || day < warmup->start_day)
        return false;
    *fact_r = (struct limit_fact){
        .limit = &warmup->limit,
        .subject = warmup_subject(warmup),
        .amount = warmup->limit.count == COUNT_MESSAGES ? 1 : amount,
        .taken = warmup->limit.count != COUNT_MESSAGES && at_recipient ? amount - 1 : 0,
        .max = conf_warmup_allowance(warmup, day),
    };
    return true;
}

void warmup_retry(const struct message *message, struct limit_fact *fact)
{
    int64_t now_us = sent_us(message);
    int64_t tomorrow = warmup_day(now_us) + 1;
    int64_t wait_sec = (tomorrow * DAY_US - now_us) / 1000000 + 1;
    bool sooner = fact->retry_after_sec < 0 || fact->retry_after_sec > wait_sec;

    if (sooner && fact->used + fact->amount <= conf_warmup_allowance(fact->limit->warmup, tomorrow))
        fact->retry_after_sec = wait_sec;
}
