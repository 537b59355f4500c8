/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/gather.h"

#include "lib/base/mem.h"
#include "lib/decide/checks.h"
#include "lib/decide/foresight.h"
#include "lib/decide/gather_listings.h"
#include "lib/decide/gather_mx.h"
#include "lib/decide/gather_outlook.h"

#include <stdlib.h>

struct gathering {
    struct dns *dns;
    int64_t deadline_us;
    size_t open; /* questions without an answer, and one more until all are asked */
    gather_callback *callback;
    void *context;
};

/* RFC 5321 §5.1: the MX; where there is none, the domain's own address. */
struct mail_domain_question {
    struct gathering *gathering;
    struct mail_domain_fact *fact;
    const char *domain;
    unsigned addresses_open;
};

static void finished(struct gathering *gathering)
{
    if (--gathering->open > 0)
        return;
    gathering->callback(gathering->context);
    free(gathering);
}

static void part_finished(void *context)
{
    finished(context);
}

static int64_t left_ms(const struct gathering *gathering)
{
    int64_t left_us = gathering->deadline_us - clock_now_us(&clock_steady);

    return left_us < 1000 ? 1 : left_us / 1000;
}

static void failed(struct mail_domain_fact *fact, const struct dns_answer *answer)
{
    fact->state = MAIL_DOMAIN_FAILED;
    free(fact->problem);
    fact->problem = mem_copy(answer->problem ? answer->problem : "no answer");
}

/* Either family will do; "no address" is only said when both said so. */
static void address_answered(const struct dns_answer *answer, void *context)
{
    struct mail_domain_question *question = context;
    struct mail_domain_fact *fact = question->fact;
    struct gathering *gathering = question->gathering;

    if (answer->status == DNS_FOUND)
        fact->state = MAIL_DOMAIN_ADDRESS;
    else if ((answer->status == DNS_FAILED || answer->status == DNS_BOGUS) &&
             fact->state != MAIL_DOMAIN_ADDRESS)
        failed(fact, answer);
    if (--question->addresses_open > 0)
        return;
    free(question);
    finished(gathering);
}

static void ask_addresses(struct mail_domain_question *question)
{
    struct gathering *gathering = question->gathering;
    const char *domain = question->domain;

    question->fact->state = MAIL_DOMAIN_NO_MAIL;
    question->addresses_open = 2;
    dns_ask(gathering->dns, domain, DNS_A, left_ms(gathering), address_answered, question);
    dns_ask(gathering->dns, domain, DNS_AAAA, left_ms(gathering), address_answered, question);
}

static void mx_answered(const struct dns_answer *answer, void *context)
{
    struct mail_domain_question *question = context;
    struct mail_domain_fact *fact = question->fact;
    struct gathering *gathering = question->gathering;

    switch (answer->status) {
    case DNS_FOUND:
        fact->state = answer->count == 1 && answer->records[0].length == 0 ? MAIL_DOMAIN_NULL_MX
                                                                           : MAIL_DOMAIN_MX;
        break;
    case DNS_NO_DATA:
        ask_addresses(question);
        return;
    case DNS_ABSENT:
        fact->state = MAIL_DOMAIN_ABSENT;
        break;
    case DNS_FAILED:
    case DNS_BOGUS:
        failed(fact, answer);
        break;
    }
    free(question);
    finished(gathering);
}

/* A failure is asked again at the next stage: the resolver's cache says how soon that is worth a
 * question. */
static void ask(struct gathering *gathering, const struct address *address,
                struct mail_domain_fact *fact)
{
    if (address->domain[0] == '\0' || address->is_literal ||
        (fact->state != MAIL_DOMAIN_UNASKED && fact->state != MAIL_DOMAIN_FAILED))
        return;

    struct mail_domain_question *question = mem_new(1, sizeof *question);

    *question = (struct mail_domain_question){
        .gathering = gathering, .fact = fact, .domain = address->domain};
    gathering->open++;
    dns_ask(gathering->dns, address->domain, DNS_MX, left_ms(gathering), mx_answered, question);
}

/* --- what receivers will find out ------------------------------------------------------ */

struct outlook_question {
    struct gathering *gathering;
    struct facts *facts;
    struct outlook_query query;
    char *from_domain;
};

static void outlook_answered(struct outlook *outlook, void *context)
{
    struct outlook_question *question = context;
    struct gathering *gathering = question->gathering;

    question->facts->outlook = outlook;
    question->facts->outlook_release = outlook_release;
    question->facts->spf = mem_copy(foresight_spf_word(outlook));
    question->facts->dmarc = foresight_dmarc_word(outlook);
    free(question->from_domain);
    free(question);
    finished(gathering);
}

static void ask_outlook(struct gathering *gathering, struct services *services,
                        const struct conf *conf, struct message *message)
{
    struct outlook_question *question;

    if (message->facts.outlook != NULL)
        return;
    question = mem_new(1, sizeof *question);
    question->gathering = gathering;
    question->facts = &message->facts;
    question->from_domain = gather_from_domain(message);
    gather_outlook_query(conf, message, &question->query);
    question->query.from_domain = question->from_domain;
    gathering->open++;
    outlooks_find(services->outlooks, services->loop, services->dns, services->spf_engine,
                  left_ms(gathering), &question->query, outlook_answered, question);
}

/* Some are answered before it is known how many there are. */
static void ask_mx(struct gathering *gathering, struct services *services, const struct conf *conf,
                   struct message *message)
{
    const size_t most = message->nrecipients;
    size_t asked;

    gathering->open += most;
    asked = gather_mx(services, conf, message, checks_first_recipient(message), left_ms(gathering),
                      part_finished, gathering);
    gathering->open -= most - asked;
}

/* --- all ------------------------------------------------------------------------------- */

void gather(struct services *services, const struct conf *conf, struct message *message,
            unsigned needs, gather_callback *callback, void *context)
{
    struct gathering *gathering = mem_new(1, sizeof *gathering);

    *gathering = (struct gathering){
        .dns = services->dns,
        .deadline_us = clock_now_us(&clock_steady) + conf->dns_timeout_ms * 1000,
        .open = 1,
        .callback = callback,
        .context = context,
    };
    if (needs & NEED_SENDER_DOMAIN)
        ask(gathering, &message->sender, &message->facts.sender_domain);
    if (needs & NEED_RECIPIENT_DOMAINS)
        for (size_t i = checks_first_recipient(message); i < message->nrecipients; i++)
            if (!message->recipients[i].local)
                ask(gathering, &message->recipients[i].address, &message->recipients[i].domain);
    if (needs & NEED_OUTLOOK)
        ask_outlook(gathering, services, conf, message);
    if (needs & NEED_RECIPIENT_MX)
        ask_mx(gathering, services, conf, message);
    if (needs & NEED_LISTINGS) {
        gathering->open++;
        if (!gather_listings(services, message, left_ms(gathering), part_finished, gathering))
            gathering->open--;
    }
    finished(gathering);
}
