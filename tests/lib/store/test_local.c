/* SPDX-License-Identifier: BSD-2-Clause */
/* The local store: kept on disk, and deaf to what is no call. */
#include "lib/base/count.h"
#include "lib/base/text.h"
#include "lib/store/script.h"
#include "lib/store/script_call.h"
#include "tests/lib/store/ask.h"
#include "tests/lib/store/local_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_NAME_SIZE 500 /* longer than a key of LMDB can be, with its kind */
#define PROMISED_US INT64_C(1000000) /* what is older than that is kept */

static struct store_limit limit_of(const char *subject)
{
    return (struct store_limit){.subject = subject,
                                .count = 'm',
                                .window_sec = 3600,
                                .amount = 1,
                                .max = 1000,
                                .near = 2,
                                .enforce = true};
}

static void charge(struct ask *ask, const char *subject, const char *identity)
{
    struct store_limit limit = limit_of(subject);
    struct store_request request = {
        .identity = identity, .fingerprint = 1, .limits = &limit, .nlimits = 1};

    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->answer.local);
}

static int64_t used(struct ask *ask, const char *subject)
{
    struct store_limit limit = limit_of(subject);
    struct store_request request = {.identity = "", .limits = &limit, .nlimits = 1};

    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->answer.local);
    return ask->limits[0].used;
}

static void wait_us(struct ask *ask, int64_t time_us)
{
    int64_t end_us = clock_now_us(&clock_steady) + time_us;

    while (clock_now_us(&clock_steady) < end_us)
        loop_run_once(ask->loop, 50);
}

static void test_survives_a_kill(void **state)
{
    static const struct store_pair pairs[] = {{"reason", "abuse"}, {"note", "he said \"no\""}};
    char long_name[LONG_NAME_SIZE] = "user:";
    struct local_store local;
    struct ask ask;

    (void)state;
    memset(long_name + 5, 'x', sizeof(long_name) - 6);
    local_store_start(&local);
    ask_open(&ask, &(struct store_settings){.url = local.url, .journal_size = 10});
    charge(&ask, "user:a", "h/1");
    charge(&ask, "user:a", "h/2");
    charge(&ask, long_name, "h/3");
    charge(&ask, "user:gone", "h/4");
    ask_reset(&ask, "user:gone");
    store_note_set(ask.store,
                   &(struct store_note_change){
                       .subject = "user:a", .kind = "flag", .pairs = pairs, .npairs = 2},
                   ask_on_answer, &ask);
    wait_us(&ask, PROMISED_US);
    local_store_kill(&local);
    ask_wait_down(&ask);
    local_store_restart(&local);
    ask_wait_up(&ask);

    assert_int_equal(used(&ask, "user:a"), 2);
    assert_int_equal(used(&ask, long_name), 1);
    assert_int_equal(used(&ask, "user:gone"), 0);
    /* The message is known still. */
    charge(&ask, "user:a", "h/2");
    assert_true(ask.answer.known);
    assert_int_equal(used(&ask, "user:a"), 2);
    /* That it came near was said. */
    charge(&ask, "user:a", "h/5");
    assert_false(ask.limits[0].near);
    assert_int_equal(ask.events.downs, 1);
    assert_int_equal(ask.events.ups, 1);
    ask_close(&ask);
    local_store_stop(&local);
}

/* Charges made while it is away are in the journal of who made them. */
static void test_away_and_back(void **state)
{
    struct local_store local;
    struct ask ask;
    struct store_limit limit = limit_of("user:a");
    struct store_request request = {
        .identity = "h/2", .fingerprint = 1, .limits = &limit, .nlimits = 1};

    (void)state;
    local_store_start(&local);
    ask_open(&ask, &(struct store_settings){.url = local.url, .journal_size = 10});
    charge(&ask, "user:a", "h/1");
    wait_us(&ask, PROMISED_US);
    local_store_kill(&local);
    assert_int_equal(ask_charge(&ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask.answer.local);
    local_store_restart(&local);
    ask_wait_up(&ask);
    assert_int_equal(used(&ask, "user:a"), 2);
    assert_int_equal(ask.events.replayed, 1);
    ask_close(&ask);
    local_store_stop(&local);
}

/* A second one at the same file would spoil it. */
static void test_one_at_a_time(void **state)
{
    struct local_store local;
    struct loop *loop = loop_new();
    struct store_settings settings = {.serves = true};
    struct store *first;
    char *problem = NULL;

    (void)state;
    local_store_listen(&local);
    settings.url = local.url;
    settings.serve_socket = local.socket;
    settings.serve_path = local.path;
    first = store_open(loop, &settings, &problem);
    assert_non_null(first);
    assert_null(store_open(loop, &settings, &problem));
    assert_non_null(strstr(problem, "in use"));
    free(problem);
    store_close(&first);
    settings.serve_path = "/dev/null/store.lmdb";
    assert_null(store_open(loop, &settings, &problem));
    assert_non_null(strstr(problem, "/dev/null/store.lmdb"));
    free(problem);
    loop_free(&loop);
    local_store_stop(&local);
}

static int connect_to(const struct local_store *local)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)stpncpy(address.sun_path, local->url + strlen("local:"), sizeof(address.sun_path) - 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void test_hostile_commands(void **state)
{
    static const char *const commands[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "*0\r\n",
        "*-1\r\n",
        "*99999999999999999999\r\n",
        "*1\r\n$-1\r\n",
        "*1\r\n$5\r\nFLUSH\r\n",
        "*1\r\n$9999999999\r\n",
        "*2\r\n$7\r\nEVALSHA\r\n$1\r\nx\r\n",
        "*4\r\n$7\r\nEVALSHA\r\n$1\r\nx\r\n$1\r\n9\r\n$1\r\nx\r\n",
        "*2\r\n$6\r\nUNLINK\r\n$1\r\nx\r\n",
        "*2\r\n$6\r\nUNLINK\r\n$9\r\nsluice:{}\r\n*1\r\n$0\r\n\r\n",
    };
    struct local_store local;
    struct ask ask;

    (void)state;
    local_store_start(&local);
    ask_open(&ask, &(struct store_settings){.url = local.url});
    charge(&ask, "user:a", "h/1");
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        int fd = connect_to(&local);
        char answer[64];

        assert_int_equal(send(fd, commands[i], strlen(commands[i]), 0), strlen(commands[i]));
        while (recv(fd, answer, sizeof(answer), 0) > 0)
            continue; /* until it hangs up, or this test is ended for taking too long */
        (void)close(fd);
        assert_int_equal(used(&ask, "user:a"), 1);
    }
    ask_close(&ask);
    local_store_stop(&local);
}

/* Each octet of a command changed in turn: it is refused or understood, and nothing else. */
static void test_changed_commands(void **state)
{
    static const struct subject_hiding plain;
    struct store_limit limits[] = {limit_of("user:a"), limit_of("user:b")};
    const struct store_wish wish = {.subject = "user:a", .kind = "seen"};
    const struct store_mark mark = {.subject = "user:a",
                                    .kind = "seen",
                                    .field = "f",
                                    .amount = 1,
                                    .keep_sec = 60,
                                    .fields_max = 5};
    const struct store_request request = {.identity = "h/1",
                                          .limits = limits,
                                          .nlimits = 2,
                                          .wishes = &wish,
                                          .nwishes = 1,
                                          .marks = &mark,
                                          .nmarks = 1};
    struct call *call = call_new(&plain, CALL_CHARGE, &request);
    struct text text = TEXT_EMPTY;
    struct script_word words[32];
    size_t count = 0;
    size_t understood = 0;

    (void)state;
    script_command(call, "0123456789012345678901234567890123456789", &text);
    call_release(call);
    for (char *at = strchr(text.bytes, '$'); at != NULL && at < text.bytes + text.length;
         at = words[count - 1].bytes + words[count - 1].length + 2 < text.bytes + text.length
                  ? text.bytes + (words[count - 1].bytes - text.bytes) + words[count - 1].length + 2
                  : NULL) {
        char *end = NULL;

        words[count].length = strtoul(at + 1, &end, 10);
        words[count++].bytes = end + 2;
    }
    call = script_call(words, count);
    assert_non_null(call);
    assert_int_equal(call->nlimits, 2);
    assert_string_equal(call->limits[1].subject, "user:b");
    assert_int_equal(call->notes.count, 2);
    assert_int_equal(call->notes.nreads, 1);
    call_release(call);
    for (size_t i = 0; i < text.length; i++)
        for (int change = 1; change < 256; change <<= 1) {
            text.bytes[i] ^= (char)change;
            call = script_call(words, count);
            understood += call != NULL;
            if (call != NULL)
                call_release(call);
            text.bytes[i] ^= (char)change;
        }
    assert_in_range(understood, 1, 8 * text.length);
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_survives_a_kill),  cmocka_unit_test(test_away_and_back),
        cmocka_unit_test(test_one_at_a_time),    cmocka_unit_test(test_hostile_commands),
        cmocka_unit_test(test_changed_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
