/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/transaction.h"

#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static struct conf *conf;

static struct transaction *transaction_of(const char *instance, size_t recipients)
{
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

    message_set(&message->instance, instance);
    for (size_t i = 0; i < recipients; i++)
        (void)message_add_recipient(message, "bob@example.net");
    return transaction_new(conf_hold(conf), message);
}

static void put_numbered(struct transactions *table, int number, size_t recipients, int64_t now_us)
{
    char instance[32];

    snprintf(instance, sizeof(instance), "i%d", number);
    transactions_put(table, transaction_of(instance, recipients), now_us);
}

static struct transactions *table_of(size_t max, size_t max_recipients)
{
    return transactions_new(&(struct transactions_limits){.max = max,
                                                          .max_left = 2,
                                                          .max_ended = 2,
                                                          .max_recipients = max_recipients,
                                                          .idle_us = 600 * SECOND});
}

static bool have(struct transactions *table, const char *instance, int64_t now_us)
{
    struct transaction *transaction = transactions_take(table, instance);

    if (transaction == NULL)
        return false;
    transactions_put(table, transaction, now_us);
    return true;
}

static void test_take_is_exclusive(void **state)
{
    struct transactions *table = table_of(10, 100);
    struct transaction *transaction = transaction_of("a", 2);

    (void)state;
    assert_null(transactions_take(table, "a"));
    transactions_put(table, transaction, 1);
    assert_null(transactions_take(table, "b"));
    assert_ptr_equal(transactions_take(table, "a"), transaction);
    assert_null(transactions_take(table, "a"));
    transactions_put(table, transaction, 2);
    assert_int_equal(transactions_count(table), 1);
    transactions_free(&table);
    assert_null(table);
}

/* Two that were judged at the same time under one instance: the later one stays. */
static void test_the_later_replaces(void **state)
{
    struct transactions *table = table_of(10, 3);
    struct transaction *second = transaction_of("a", 2);

    (void)state;
    transactions_put(table, transaction_of("a", 3), 1);
    transactions_put(table, second, 1);
    assert_int_equal(transactions_count(table), 1);
    assert_ptr_equal(transactions_take(table, "a"), second);
    transactions_put(table, second, 1);
    /* The recipients of the replaced one do not count any more: this just fits. */
    transactions_put(table, transaction_of("b", 1), 1);
    assert_int_equal(transactions_count(table), 2);
    transactions_free(&table);
}

static void test_bounded_in_number(void **state)
{
    struct transactions *table = table_of(3, 100);

    (void)state;
    for (int i = 0; i < 3; i++)
        put_numbered(table, i, 1, i);
    /* i0 was used last: i1 is the one that has to go. */
    assert_true(have(table, "i0", 10));
    put_numbered(table, 3, 1, 11);
    assert_int_equal(transactions_count(table), 3);
    assert_false(have(table, "i1", 12));
    assert_true(have(table, "i0", 12) && have(table, "i2", 12) && have(table, "i3", 12));
    transactions_free(&table);
}

static void test_bounded_in_recipients(void **state)
{
    struct transactions *table = table_of(100, 10);

    (void)state;
    put_numbered(table, 0, 5, 0);
    put_numbered(table, 1, 5, 0);
    assert_int_equal(transactions_count(table), 2);
    put_numbered(table, 2, 1, 0);
    assert_false(have(table, "i0", 0));
    assert_int_equal(transactions_count(table), 2);
    /* What is too large for the whole table does not stay, and the count is right afterwards. */
    put_numbered(table, 3, 11, 0);
    assert_int_equal(transactions_count(table), 0);
    put_numbered(table, 4, 10, 0);
    assert_int_equal(transactions_count(table), 1);
    transactions_free(&table);
}

static void test_expires(void **state)
{
    struct transactions *table = table_of(100, 100);

    (void)state;
    put_numbered(table, 0, 1, 0);
    put_numbered(table, 1, 1, 300 * SECOND);
    put_numbered(table, 2, 1, 600 * SECOND - 1);
    assert_int_equal(transactions_count(table), 3);
    put_numbered(table, 3, 1, 600 * SECOND);
    assert_false(have(table, "i0", 600 * SECOND));
    assert_int_equal(transactions_count(table), 3);
    transactions_free(&table);
}

/* What was left is still there for a while, and does not count among the others. */
static void test_left_ones_go_first(void **state)
{
    struct transactions *table = table_of(3, 100);

    (void)state;
    for (int i = 0; i < 6; i++) {
        char instance[32];

        snprintf(instance, sizeof(instance), "i%d", i);
        put_numbered(table, i, 1, i);
        if (i > 0)
            transactions_leave(table, instance);
    }
    transactions_leave(table, "no such one");
    assert_int_equal(transactions_count(table), 3);
    assert_false(have(table, "i3", 6));
    assert_true(have(table, "i0", 6) && have(table, "i4", 6) && have(table, "i5", 6));
    put_numbered(table, 7, 98, 7);
    assert_int_equal(transactions_count(table), 3);
    transactions_free(&table);
}

static void test_left_ones_expire(void **state)
{
    struct transactions *table = table_of(10, 100);

    (void)state;
    put_numbered(table, 0, 1, 0);
    transactions_leave(table, "i0");
    put_numbered(table, 1, 1, 600 * SECOND - 1);
    assert_int_equal(transactions_count(table), 2);
    put_numbered(table, 2, 1, 600 * SECOND);
    assert_int_equal(transactions_count(table), 2);
    assert_false(have(table, "i0", 600 * SECOND));
    transactions_free(&table);
}

/* Those that have ended are not counted, and make room for each other alone. */
static void test_ended_ones(void **state)
{
    struct transactions *table = table_of(3, 100);

    (void)state;
    put_numbered(table, 9, 1, 0);
    for (int i = 0; i < 4; i++) {
        char instance[32];
        struct transaction *transaction;

        snprintf(instance, sizeof(instance), "i%d", i);
        transaction = transaction_of(instance, 1);
        transaction->ended = true;
        transactions_put(table, transaction, i);
    }
    assert_int_equal(transactions_count(table), 1);
    assert_true(have(table, "i9", 4) && have(table, "i2", 4) && have(table, "i3", 4));
    assert_false(have(table, "i0", 4) || have(table, "i1", 4));
    transactions_leave(table, "i3");
    assert_true(have(table, "i3", 5));
    put_numbered(table, 8, 1, 605 * SECOND);
    assert_false(have(table, "i3", 605 * SECOND));
    transactions_free(&table);
}

static void test_causes(void **state)
{
    struct transaction_causes causes = {.count = 0};

    (void)state;
    for (size_t i = 0; i < TRANSACTION_CAUSES_MAX; i++) {
        const struct cause *cause = cause_get((enum cause_id)i);

        assert_false(transaction_has_cause(&causes, cause));
        assert_true(transaction_add_cause(&causes, cause));
        assert_true(transaction_has_cause(&causes, cause));
    }
    assert_false(transaction_add_cause(&causes, cause_get(TRANSACTION_CAUSES_MAX)));
}

static int load(void **state)
{
    (void)state;
    conf = conf_of("");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    conf_release(&conf);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_is_exclusive),
        cmocka_unit_test(test_the_later_replaces),
        cmocka_unit_test(test_bounded_in_number),
        cmocka_unit_test(test_bounded_in_recipients),
        cmocka_unit_test(test_expires),
        cmocka_unit_test(test_left_ones_go_first),
        cmocka_unit_test(test_left_ones_expire),
        cmocka_unit_test(test_ended_ones),
        cmocka_unit_test(test_causes),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
