/* SPDX-License-Identifier: BSD-2-Clause */
/* Swapping the configuration under readers in other threads. */
#include "lib/conf/conf.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

#define READERS 3
#define SWAPS 50

static atomic_bool stop;

static const char text[] = "local-domains = example.com\n"
                           "limit l { count = messages max = 1 per = 1h }\n"
                           "class c { members = a@example.com limit l { max = 2 } }\n";

static void *read_on(void *context)
{
    struct conf_slot *slot = context;
    size_t wrong = 0;

    while (!atomic_load(&stop)) {
        struct conf *conf = conf_slot_get(slot);

        if (conf_limit_max(conf, &conf->limits[0], &(struct conf_person){.login = "a@example.com"},
                           NULL) != 2 ||
            !conf_is_local_domain(conf, "example.com") ||
            !conf_login_may_use(conf, "a@example.com", "A@example.com"))
            wrong++;
        conf_release(&conf);
    }
    return wrong == 0 ? slot : NULL;
}

static void test_swap(void **state)
{
    struct conf_slot *slot = conf_slot_new(load_good(text, NULL));
    pthread_t readers[READERS];

    (void)state;
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, slot), 0);
    for (size_t i = 0; i < SWAPS; i++)
        conf_slot_set(slot, load_good(text, NULL));
    atomic_store(&stop, true);
    for (size_t i = 0; i < READERS; i++) {
        void *result = NULL;

        pthread_join(readers[i], &result);
        assert_ptr_equal(result, slot);
    }
    conf_slot_free(&slot);
    assert_null(slot);
}

/* Who holds a reference keeps the old one whole. */
static void test_old_one_stays(void **state)
{
    struct conf_slot *slot = conf_slot_new(load_good("contact = old", NULL));
    struct conf *held = conf_slot_get(slot);
    struct conf *again = conf_hold(held);

    (void)state;
    conf_slot_set(slot, load_good("contact = new", NULL));
    assert_string_equal(held->contact, "old");
    conf_release(&held);
    assert_string_equal(again->contact, "old");
    conf_release(&again);
    held = conf_slot_get(slot);
    assert_string_equal(held->contact, "new");
    conf_slot_free(&slot);
    assert_string_equal(held->contact, "new");
    conf_release(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_swap),
                                       cmocka_unit_test(test_old_one_stays)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
