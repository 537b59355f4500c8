/* SPDX-License-Identifier: BSD-2-Clause */
/* Mail transactions in progress, by Postfix' instance. */
#include "policy/transaction.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct transactions {
    struct map *map;
    size_t max, max_recipients;
    int64_t idle_us;
    size_t recipients; /* of all that are in the table */
};

struct transaction *transaction_new(struct conf *conf, struct message *message)
{
    struct transaction *transaction = mem_new(1, sizeof(*transaction));

    transaction->conf = conf;
    transaction->message = message;
    return transaction;
}

void transaction_free(struct transaction **transaction)
{
    struct transaction *old = *transaction;

    if (old == NULL)
        return;
    message_free(&old->message);
    conf_release(&old->conf);
    free(old->queue_id);
    free(old);
    *transaction = NULL;
}

static void free_value(void *value)
{
    struct transaction *transaction = value;

    transaction_free(&transaction);
}

bool transaction_has_cause(const struct transaction_causes *causes, const struct cause *cause)
{
    for (size_t i = 0; i < causes->count; i++)
        if (causes->items[i] == cause)
            return true;
    return false;
}

bool transaction_add_cause(struct transaction_causes *causes, const struct cause *cause)
{
    if (causes->count == TRANSACTION_CAUSES_MAX)
        return false;
    causes->items[causes->count++] = cause;
    return true;
}

struct transactions *transactions_new(size_t max, size_t max_recipients, int64_t idle_us)
{
    struct transactions *transactions = mem_new(1, sizeof(*transactions));

    transactions->map = map_new();
    transactions->max = max;
    transactions->max_recipients = max_recipients;
    transactions->idle_us = idle_us;
    return transactions;
}

void transactions_free(struct transactions **transactions)
{
    if (*transactions == NULL)
        return;
    map_free(&(*transactions)->map, free_value);
    free(*transactions);
    *transactions = NULL;
}

size_t transactions_count(const struct transactions *transactions)
{
    return map_count(transactions->map);
}

struct transaction *transactions_take(struct transactions *transactions, const char *instance)
{
    struct transaction *transaction = map_remove(transactions->map, instance, strlen(instance));

    if (transaction != NULL)
        transactions->recipients -= transaction->message->nrecipients;
    return transaction;
}

/* Entries are only ever put in, never touched: the one put in first is also the oldest. */
static bool drop_oldest(struct transactions *transactions, int64_t now_us)
{
    const void *key;
    size_t length;
    struct transaction *oldest = map_oldest(transactions->map, &key, &length);

    if (oldest == NULL)
        return false;
    if (map_count(transactions->map) <= transactions->max &&
        transactions->recipients <= transactions->max_recipients &&
        now_us - oldest->used_us < transactions->idle_us)
        return false;
    (void)map_remove(transactions->map, key, length);
    transactions->recipients -= oldest->message->nrecipients;
    transaction_free(&oldest);
    return true;
}

void transactions_put(struct transactions *transactions, struct transaction *transaction,
                      int64_t now_us)
{
    const char *instance = transaction->message->instance;
    struct transaction *before;

    transaction->used_us = now_us;
    transactions->recipients += transaction->message->nrecipients;
    before = map_put(transactions->map, instance, strlen(instance), transaction);
    if (before != NULL) {
        transactions->recipients -= before->message->nrecipients;
        transaction_free(&before);
    }
    while (drop_oldest(transactions, now_us))
        continue;
}
