/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"

#include <dlfcn.h>
#include <libmilter/mfapi.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_OCTETS 20000

/* Both ends of a connection; the MTA's end is never read from. */
struct pair {
    int mta, milter;
};

/* The MTA's end connects to a listener without a name. */
static int make_pair(void **state)
{
    static struct pair pair;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(address.sun_family);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    /* with that length Linux chooses an abstract name */
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    length = sizeof(address);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(listen(listener, 1), 0);
    pair.mta = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(pair.mta, (struct sockaddr *)&address, length), 0);
    pair.milter = accept(listener, NULL, NULL);
    assert_true(pair.milter >= 0);
    close(listener);
    *state = &pair;
    return 0;
}

static int close_pair(void **state)
{
    struct pair *pair = *state;

    close(pair->mta);
    close(pair->milter);
    return 0;
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void expect_text(int fd, const char *wanted)
{
    char got[64];

    assert_true(strlen(wanted) < sizeof(got));
    assert_int_equal(read(fd, got, strlen(wanted)), strlen(wanted));
    assert_memory_equal(got, wanted, strlen(wanted));
}

static int wait_for(int fd, int timeout_ms, short *events_r)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN | POLLPRI, .revents = -1};
    int ready = poll(&polled, 1, timeout_ms);

    *events_r = polled.revents;
    return ready;
}

static void expect_ready(int fd, int timeout_ms, int wanted)
{
    short events;

    assert_int_equal(wait_for(fd, timeout_ms, &events), wanted);
    assert_int_equal(events & POLLIN, wanted != 0 ? POLLIN : 0);
}

/* --- the tests ------------------------------------------------------------------------ */

/* The functions that libmilter's calls are bound to are not the C library's. */
static void test_functions_are_ours(void **state)
{
    static const char *const names[] = {"accept", "close",      "poll",
                                        "read",   "__poll_chk", "__read_chk"};
    int (*libmilter)(void) =
        smfi_main; /* the program needs libmilter, or the names are not exported */
    Dl_info found, program;

    (void)state;
    assert_true(libmilter != NULL);
    assert_true(dladdr((void *)(uintptr_t)test_functions_are_ours, &program) != 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_true(dladdr(dlsym(RTLD_DEFAULT, names[i]), &found) != 0);
        if (strcmp(found.dli_fname, program.dli_fname) != 0)
            fail_msg("%s: is from %s", names[i], found.dli_fname);
    }
}

/* Small reads are served from one large one. */
static void test_reads_at_once(void **state)
{
    const struct pair *pair = *state;
    int waiting = -1;

    send_text(pair->mta, "onetwo");
    send_text(pair->mta, "three");
    expect_text(pair->milter, "one");
    assert_int_equal(ioctl(pair->milter, FIONREAD, &waiting), 0);
    assert_int_equal(waiting, 0);
    expect_ready(pair->milter, 0, 1);
    expect_text(pair->milter, "twothree");
    expect_ready(pair->milter, 0, 0);
    expect_ready(pair->milter, 1, 0);
    send_text(pair->mta, "four");
    expect_ready(pair->milter, -1, 1);
    expect_text(pair->milter, "four");
}

/* What is longer than the buffer comes whole and in order, by reads of any length. */
static void test_long_contents(void **state)
{
    static const size_t lengths[] = {5, 16000, 1, 8192, 100, 8191};
    const struct pair *pair = *state;
    char *sent = malloc(LONG_OCTETS), *got = malloc(LONG_OCTETS);
    size_t received = 0;

    for (size_t i = 0; i < LONG_OCTETS; i++)
        sent[i] = (char)(i * 31 % 251);
    assert_int_equal(write(pair->mta, sent, LONG_OCTETS), LONG_OCTETS);
    for (size_t i = 0; received < LONG_OCTETS; i++) {
        size_t wanted = lengths[i % COUNT_OF(lengths)];
        ssize_t length;

        if (wanted > LONG_OCTETS - received)
            wanted = LONG_OCTETS - received;
        expect_ready(pair->milter, 0, 1);
        length = read(pair->milter, got + received, wanted);
        assert_true(length > 0);
        received += (size_t)length;
    }
    assert_memory_equal(got, sent, LONG_OCTETS);
    expect_ready(pair->milter, 0, 0);
    free(sent);
    free(got);
}

/* The end of a connection is told once all has been read. */
static void test_end(void **state)
{
    struct pair *pair = *state;
    char octet;

    send_text(pair->mta, "last");
    shutdown(pair->mta, SHUT_WR);
    expect_text(pair->milter, "la");
    expect_ready(pair->milter, 0, 1);
    expect_text(pair->milter, "st");
    expect_ready(pair->milter, 0, 1);
    assert_int_equal(read(pair->milter, &octet, 1), 0);
}

/* What a connection left unread is not the next one's. */
static void test_close_forgets(void **state)
{
    struct pair *pair = *state;
    int ends[2];

    send_text(pair->mta, "read, unread");
    expect_text(pair->milter, "read");
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(close(pair->milter), 0);
    assert_int_equal(dup2(ends[0], pair->milter), pair->milter);
    send_text(ends[1], "of the pipe");
    expect_text(pair->milter, "of the pipe");
    close(ends[0]);
    close(ends[1]);
}

/* Several are asked for at once: what is in memory counts, and nobody waits then. */
static void test_poll_of_many(void **state)
{
    const struct pair *pair = *state;
    struct pollfd polled[2] = {{.events = POLLIN}, {.fd = pair->milter, .events = POLLIN}};
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    polled[0].fd = ends[0];
    send_text(pair->mta, "some");
    expect_text(pair->milter, "so");
    assert_int_equal(poll(polled, 2, -1), 1);
    assert_int_equal(polled[0].revents, 0);
    assert_int_equal(polled[1].revents, POLLIN);
    send_text(ends[1], "x");
    assert_int_equal(poll(polled, 2, -1), 2);
    expect_text(pair->milter, "me");
    assert_int_equal(poll(polled, 2, -1), 1);
    assert_int_equal(polled[1].revents, 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_are_ours),
        cmocka_unit_test_setup_teardown(test_reads_at_once, make_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_long_contents, make_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_end, make_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_close_forgets, make_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_poll_of_many, make_pair, close_pair),
    };

    return cmocka_run_group_tests_name("packets", tests, NULL, NULL);
}
