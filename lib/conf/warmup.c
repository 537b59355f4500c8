/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan of a warm-up: so much a day, growing. */
#include "lib/conf/conf.h"

#include <stdlib.h>
#include <string.h>

#define DAYS_MAX 100000 /* a growth of 1 never comes to the ceiling */
#define ROUNDING 1e-6 /* so that 100 * 1.15 is 115 */

/* Whole messages of the exact product: what is cut off one day grows all the same. */
static int64_t whole(double amount)
{
    return (int64_t)(amount + ROUNDING);
}

int64_t conf_warmup_allowance(const struct conf_warmup *warmup, int64_t day)
{
    double amount = (double)warmup->first;

    if (day < warmup->start_day)
        return CONF_UNLIMITED;
    for (int64_t n = warmup->start_day; n < day && warmup->growth > 1; n++) {
        amount *= warmup->growth;
        if (whole(amount) >= warmup->ceiling)
            break;
    }
    return whole(amount) < warmup->ceiling ? whole(amount) : warmup->ceiling;
}

int64_t conf_warmup_ceiling_day(const struct conf_warmup *warmup)
{
    double amount = (double)warmup->first;
    int64_t day = warmup->start_day;

    if (warmup->growth <= 1 && warmup->first < warmup->ceiling)
        return INT64_MAX;
    while (whole(amount) < warmup->ceiling && day - warmup->start_day < DAYS_MAX) {
        amount *= warmup->growth;
        day++;
    }
    return day;
}

/* ".example.com" is its subdomains. */
static bool is_destination(const char *destination, const char *domain)
{
    size_t length = strlen(domain);
    size_t tail = strlen(destination);

    if (destination[0] == '.')
        return length > tail && strcmp(domain + length - tail, destination) == 0;
    return strcmp(domain, destination) == 0;
}

bool conf_warmup_counts(const struct conf *conf, const struct conf_warmup *warmup,
                        const char *domain)
{
    if (warmup->destinations.count == 0)
        return !conf_is_local_domain(conf, domain);
    for (size_t i = 0; i < warmup->destinations.count; i++)
        if (is_destination(warmup->destinations.items[i], domain))
            return true;
    return false;
}
