/* SPDX-License-Identifier: BSD-2-Clause */
/* Mail transactions in progress, by Postfix' instance. */
#include "policy/transaction.h"

#include "lib/base/count.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct transactions {
    struct transactions_limits limits;
    struct map *current;
    struct map *left; /* by their clients */
    struct map *ended;
    size_t recipients; /* of all that are in either */
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

struct transactions *transactions_new(const struct transactions_limits *limits)
{
    struct transactions *transactions = mem_new(1, sizeof(*transactions));

    transactions->limits = *limits;
    transactions->current = map_new();
    transactions->left = map_new();
    transactions->ended = map_new();
    return transactions;
}

void transactions_free(struct transactions **transactions)
{
    if (*transactions == NULL)
        return;
    map_free(&(*transactions)->current, free_value);
    map_free(&(*transactions)->left, free_value);
    map_free(&(*transactions)->ended, free_value);
    free(*transactions);
    *transactions = NULL;
}

size_t transactions_count(const struct transactions *transactions)
{
    return map_count(transactions->current) + map_count(transactions->left);
}

static struct transaction *take_from(struct transactions *transactions, struct map *map,
                                     const char *instance)
{
    struct transaction *transaction = map_remove(map, instance, strlen(instance));

    if (transaction != NULL)
        transactions->recipients -= transaction->message->nrecipients;
    return transaction;
}

struct transaction *transactions_take(struct transactions *transactions, const char *instance)
{
    struct map *const maps[] = {transactions->current, transactions->left, transactions->ended};
    struct transaction *transaction = NULL;

    for (size_t i = 0; i < COUNT_OF(maps) && transaction == NULL; i++)
        transaction = take_from(transactions, maps[i], instance);
    return transaction;
}

/* Entries are only ever put in, never touched: the one put in first is also the oldest. */
static bool drop_oldest(struct transactions *transactions, struct map *map, size_t max,
                        int64_t now_us)
{
    const struct transactions_limits *limits = &transactions->limits;
    const void *key;
    size_t length;
    struct transaction *oldest = map_oldest(map, &key, &length);

    if (oldest == NULL ||
        (map_count(map) <= max && transactions->recipients <= limits->max_recipients &&
         now_us - oldest->used_us < limits->idle_us))
        return false;
    transactions->recipients -= oldest->message->nrecipients;
    (void)map_remove(map, key, length);
    transaction_free(&oldest);
    return true;
}

static void put_into(struct transactions *transactions, struct map *map,
                     struct transaction *transaction)
{
    const char *instance = transaction->message->instance;
    struct transaction *before = map_put(map, instance, strlen(instance), transaction);

    transactions->recipients += transaction->message->nrecipients;
    if (before != NULL) {
        transactions->recipients -= before->message->nrecipients;
        transaction_free(&before);
    }
}

void transactions_put(struct transactions *transactions, struct transaction *transaction,
                      int64_t now_us)
{
    const struct transactions_limits *limits = &transactions->limits;

    transaction->used_us = now_us;
    put_into(transactions, transaction->ended ? transactions->ended : transactions->current,
             transaction);
    while (drop_oldest(transactions, transactions->ended, limits->max_ended, now_us) ||
           drop_oldest(transactions, transactions->left, limits->max_left, now_us) ||
           drop_oldest(transactions, transactions->current, limits->max, now_us))
        continue;
}

void transactions_leave(struct transactions *transactions, const char *instance)
{
    struct transaction *transaction = take_from(transactions, transactions->current, instance);

    if (transaction == NULL)
        return;
    put_into(transactions, transactions->left, transaction);
    (void)drop_oldest(transactions, transactions->left, transactions->limits.max_left,
                      transaction->used_us);
}
