/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/gather_mx.h"

#include "lib/auth/lookups.h"
#include "lib/auth/mx.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define DOMAINS_MAX 100 /* looked at for one message: a list's mail goes to thousands */

struct question {
    const struct conf *conf;
    struct mail_domain_fact *fact;
    const char *domain;
    void (*done)(void *context);
    void *context;
};

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct question *question = context;
    struct mx_flaw flaws[MX_FLAWS_MAX];
    size_t count;

    if (!mx_look(lookup, question->conf, question->domain, flaws, &count))
        return false;
    if (count > 0) {
        question->fact->flaws = mem_new(count, sizeof(flaws[0]));
        memcpy(question->fact->flaws, flaws, count * sizeof(flaws[0]));
    }
    question->fact->nflaws = count;
    return true;
}

static void ended(int64_t ttl_sec, void *context)
{
    struct question *question = context;
    void (*done)(void *) = question->done;
    void *done_context = question->context;

    (void)ttl_sec;
    free(question);
    done(done_context);
}

static bool is_asked_for(const struct recipient *recipient)
{
    return !recipient->local && recipient->problem == ADDRESS_FINE &&
           recipient->address.domain[0] != '\0' && !recipient->address.is_literal;
}

/* Recipients of one domain share what was found, so each domain is told of once. */
static struct map *domains_before(const struct message *message, size_t first)
{
    struct map *seen = map_new();

    for (size_t i = 0; i < first; i++)
        if (message->recipients[i].domain.mx_looked)
            map_put(seen, message->recipients[i].address.domain,
                    strlen(message->recipients[i].address.domain), seen);
    return seen;
}

size_t gather_mx(struct services *services, const struct conf *conf, struct message *message,
                 size_t first, int64_t timeout_ms, void (*done)(void *context), void *context)
{
    struct map *seen = domains_before(message, first);
    size_t asked = 0;

    for (size_t i = first; i < message->nrecipients && map_count(seen) < DOMAINS_MAX; i++) {
        struct recipient *recipient = &message->recipients[i];
        const char *domain = recipient->address.domain;
        struct question *question;

        if (!is_asked_for(recipient) || map_peek(seen, domain, strlen(domain)) != NULL)
            continue;
        map_put(seen, domain, strlen(domain), seen);
        if (recipient->domain.mx_looked)
            continue;
        recipient->domain.mx_looked = true;
        question = mem_new(1, sizeof(*question));
        *question = (struct question){conf, &recipient->domain, domain, done, context};
        asked++;
        (void)lookups_start(services->loop, services->dns, timeout_ms, evaluate, ended, question);
    }
    map_free(&seen, NULL);
    return asked;
}
