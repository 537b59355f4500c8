/* SPDX-License-Identifier: BSD-2-Clause */
/* New keys wait for their records; the name server says what the test wants. */
#include "lib/auth/key_life.h"

#include "lib/auth/key_seen.h"
#include "lib/auth/signer.h"
#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "tests/lib/auth/keys.h"
#include "tests/support/conf_text.h"
#include "tests/support/responder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_US INT64_C(1000000)
#define PATIENCE_US (30 * SECOND_US)
#define TOLD_MAX 32

struct fixture {
    struct loop *loop;
    struct responder *responder;
    struct dns *dns;
    char *folder, *path; /* of the keys; of what is kept of them */
    struct conf *conf;
    EVP_PKEY *key;
    char *record;
    struct signer *signer;
    struct key_watch *watch;
    /* What was told: "state: why" */
    char *told[TOLD_MAX];
    int64_t waits_sec[TOLD_MAX];
    size_t ntold;
};

static void tell(const struct key_life_news *news, void *context)
{
    struct fixture *fixture = context;

    assert_true(fixture->ntold < TOLD_MAX);
    fixture->waits_sec[fixture->ntold] = news->wait_sec;
    fixture->told[fixture->ntold++] =
        mem_print("%s: %s", news->state != NULL ? news->state : "file", news->why);
}

/* With nothing in its cache. */
static void open_dns(struct fixture *fixture)
{
    const struct dns_settings settings = {.resolver = responder_address(fixture->responder),
                                          .timeout_ms = 2000,
                                          .max_inflight = 8,
                                          .cache_size = 8};
    char *problem = NULL;

    key_watch_free(&fixture->watch);
    if (fixture->dns != NULL)
        dns_free(&fixture->dns);
    fixture->dns = dns_new(fixture->loop, &settings, &problem);
    if (fixture->dns == NULL)
        fail_msg("%s", problem);
}

static int set_up(void **state)
{
    struct fixture *fixture = mem_new(1, sizeof(*fixture));
    char *text;

    fixture->loop = loop_new();
    fixture->responder = responder_new(fixture->loop, 0);
    open_dns(fixture);
    fixture->folder = keys_folder();
    fixture->path = mem_print("%s/seen", fixture->folder);
    fixture->key = keys_make_ed25519();
    fixture->record = keys_record(fixture->key);
    free(keys_write(fixture->folder, "k.pem", fixture->key, "", 0600));
    text = mem_print("sign a.test { selector = s1 key = \"%s/k.pem\" state = publish }\n",
                     fixture->folder);
    fixture->conf = conf_of(text);
    free(text);
    *state = fixture;
    return 0;
}

static void forget_told(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->ntold; i++)
        free(fixture->told[i]);
    fixture->ntold = 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    key_watch_free(&fixture->watch);
    signer_release(&fixture->signer);
    dns_free(&fixture->dns);
    responder_free(&fixture->responder);
    loop_free(&fixture->loop);
    conf_release(&fixture->conf);
    keys_remove_folder(&fixture->folder);
    EVP_PKEY_free(fixture->key);
    forget_told(fixture);
    free(fixture->record);
    free(fixture->path);
    free(fixture);
    return 0;
}

/* As at the start, or with the signer of before as at a reload. */
static void begin(struct fixture *fixture, bool reload)
{
    struct signer *before = fixture->signer;
    char *problem = NULL;

    key_watch_free(&fixture->watch);
    fixture->signer = signer_new(fixture->conf, reload ? before : NULL, &problem);
    if (fixture->signer == NULL)
        fail_msg("%s", problem);
    signer_release(&before);
    fixture->watch =
        key_watch_new(fixture->loop, fixture->dns, fixture->signer, fixture->path, tell, fixture);
}

static bool signs(const struct fixture *fixture)
{
    return key_life_signs(signer_keys(fixture->signer)->items[0].life);
}

static void wait_told(struct fixture *fixture, size_t count)
{
    const int64_t end_us = clock_now_us(&clock_steady) + PATIENCE_US;

    while (fixture->ntold < count && clock_now_us(&clock_steady) < end_us)
        loop_run_once(fixture->loop, 100);
    assert_true(fixture->ntold >= count);
}

static void test_waits_for_the_ttl(void **state)
{
    struct fixture *fixture = *state;
    const int64_t start_us = clock_now_us(&clock_wall);

    responder_set_text(fixture->responder, fixture->record, 2);
    begin(fixture, false);
    assert_false(signs(fixture));
    wait_told(fixture, 1);
    assert_string_equal(fixture->told[0], "publish: its record is visible");
    assert_int_equal(fixture->waits_sec[0], 2);
    assert_false(signs(fixture));
    wait_told(fixture, 2);
    assert_string_equal(fixture->told[1], "active: its record has been visible for its TTL");
    assert_true(signs(fixture));
    assert_true(clock_now_us(&clock_wall) - start_us >= 2 * SECOND_US);
}

/* What is not there yet is looked for again, and each news is told once. */
static void test_appears(void **state)
{
    struct fixture *fixture = *state;

    responder_set_text(fixture->responder, NULL, 1);
    begin(fixture, false);
    wait_told(fixture, 1);
    assert_string_equal(fixture->told[0], "publish: its record is not published yet");
    assert_int_equal(fixture->waits_sec[0], -1);
    while (responder_questions(fixture->responder) < 2)
        loop_run_once(fixture->loop, 100);
    responder_set_text(fixture->responder, fixture->record, 1);
    wait_told(fixture, 3);
    assert_string_equal(fixture->told[1], "publish: its record is visible");
    assert_string_equal(fixture->told[2], "active: its record has been visible for its TTL");
}

/* A record that changes back begins its time anew; that DNS fails does not. */
static void test_is_lost(void **state)
{
    static const struct {
        const char *name, *text; /* NULL: DNS fails */
        const char *told;
        bool seen;
    } cases[] = {
        {"another key", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
         "publish: the published key is another one", false},
        {"revoked", "v=DKIM1; p=", "publish: the published key is revoked", false},
        {"no key record", "v=spf1 -all", "publish: ", false},
        {"no answer", NULL, "publish: the DNS does not answer", true},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct key_life *life;

        responder_set(fixture->responder, RESPONDER_ANSWERS);
        responder_set_text(fixture->responder, fixture->record, 300);
        open_dns(fixture);
        begin(fixture, false);
        wait_told(fixture, 1);
        life = signer_keys(fixture->signer)->items[0].life;
        assert_true(life->seen);
        assert_int_equal(life->ttl_sec, 300);
        open_dns(fixture);
        forget_told(fixture);
        responder_set_text(fixture->responder, cases[i].text, 300);
        if (cases[i].text == NULL)
            responder_set(fixture->responder, RESPONDER_SERVFAIL);
        begin(fixture, true);
        wait_told(fixture, 1);
        if (strncmp(fixture->told[0], cases[i].told, strlen(cases[i].told)) != 0)
            fail_msg("%s: %s", cases[i].name, fixture->told[0]);
        life = signer_keys(fixture->signer)->items[0].life;
        if (life->seen != cases[i].seen || signs(fixture))
            fail_msg("%s: seen %d, signs %d", cases[i].name, life->seen, signs(fixture));
        forget_told(fixture);
    }
}

/* A reload goes on where it was. */
static void test_reload(void **state)
{
    struct fixture *fixture = *state;
    int64_t since_us;

    responder_set_text(fixture->responder, fixture->record, 300);
    begin(fixture, false);
    wait_told(fixture, 1);
    since_us = signer_keys(fixture->signer)->items[0].life->since_us;
    begin(fixture, true);
    assert_int_equal(signer_keys(fixture->signer)->items[0].life->since_us, since_us);
    atomic_store(&signer_keys(fixture->signer)->items[0].life->signs, true);
    forget_told(fixture);
    begin(fixture, true);
    assert_true(signs(fixture));
    assert_int_equal(fixture->ntold, 1);
    assert_string_equal(fixture->told[0], "active: its record has been visible for its TTL");
}

/* Over a restart the file says since when. */
static void test_restart(void **state)
{
    const int64_t now_sec = clock_now_us(&clock_wall) / SECOND_US;
    const struct {
        const char *name;
        int64_t since_sec, ttl_sec;
        bool signs; /* at once */
        bool seen; /* before it is looked at */
    } cases[] = {
        {"long enough", now_sec - 301, 300, true, true},
        {"not long enough", now_sec - 100, 300, false, true},
        {"in the future", now_sec + 1000, 300, false, false},
    };
    struct fixture *fixture = *state;

    responder_set(fixture->responder, RESPONDER_SILENT);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text text = TEXT_EMPTY;
        char *problem = NULL;

        key_seen_add(&text, "a.test", "s1", fixture->key,
                     &(struct key_seen){cases[i].since_sec, cases[i].ttl_sec});
        assert_true(key_seen_write(fixture->path, &text, &problem));
        text_free(&text);
        begin(fixture, false);
        if (signs(fixture) != cases[i].signs ||
            signer_keys(fixture->signer)->items[0].life->seen != cases[i].seen)
            fail_msg("%s: signs %d", cases[i].name, signs(fixture));
    }
}

/* ... and it is written when a record is seen. */
static void test_is_kept(void **state)
{
    struct fixture *fixture = *state;
    int64_t since_us;

    responder_set_text(fixture->responder, fixture->record, 300);
    begin(fixture, false);
    wait_told(fixture, 1);
    since_us = signer_keys(fixture->signer)->items[0].life->since_us;
    responder_set(fixture->responder, RESPONDER_SILENT);
    begin(fixture, false);
    assert_true(signer_keys(fixture->signer)->items[0].life->seen);
    assert_int_equal(signer_keys(fixture->signer)->items[0].life->since_us / SECOND_US,
                     since_us / SECOND_US);
    /* a folder that is not there is told, and the key waits all the same */
    free(fixture->path);
    fixture->path = mem_print("%s/none/seen", fixture->folder);
    responder_set(fixture->responder, RESPONDER_ANSWERS);
    forget_told(fixture);
    begin(fixture, false);
    wait_told(fixture, 2);
    assert_int_equal(strncmp(fixture->told[0], "file: ", 6), 0);
    assert_string_equal(fixture->told[1], "publish: its record is visible");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_waits_for_the_ttl, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_appears, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_kept, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("key_life", tests, NULL, NULL);
}
