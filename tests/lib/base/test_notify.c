/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "lib/base/notify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static int listener(const char *path, bool abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + !abstract);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_true(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    if (abstract)
        address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    return fd;
}

static void assert_received(int fd, const char *want)
{
    char got[256] = "";

    /* A datagram is there when sendto(2) is back. */
    assert_true(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) >= 0);
    if (strncmp(got, want, strlen(want)) != 0)
        fail_msg("got \"%s\", want \"%s\"", got, want);
}

static void test_states(void **state)
{
    char folder[] = "/tmp/sluice-test-XXXXXX";
    char path[sizeof(folder) + 16];
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/notify", folder);
    fd = listener(path, false);
    setenv("NOTIFY_SOCKET", path, 1);
    notify_state("READY=1");
    assert_received(fd, "READY=1");
    notify_state("RELOADING=1");
    assert_received(fd, "RELOADING=1\nMONOTONIC_USEC=");
    for (int i = 0; i < 5000; i++)
        notify_state("WATCHDOG=1"); /* nobody reads, and it does not wait */
    close(fd);
    unlink(path);
    notify_state("STOPPING=1"); /* nobody is there */
    rmdir(folder);
    unsetenv("NOTIFY_SOCKET");
}

static void test_abstract_socket(void **state)
{
    char name[64];
    int fd;

    (void)state;
    (void)snprintf(name, sizeof(name), "@sluice-test-%d", (int)getpid());
    fd = listener(name, true);
    setenv("NOTIFY_SOCKET", name, 1);
    notify_state("STATUS=serving");
    assert_received(fd, "STATUS=serving");
    unsetenv("NOTIFY_SOCKET");
    notify_state("READY=1");
    assert_true(recv(fd, name, sizeof(name), MSG_DONTWAIT) < 0 && errno == EAGAIN);
    close(fd);
}

static void test_useless_addresses(void **state)
{
    static const char *const values[] = {"", "/", "@", "relative", "vsock:2:1"};
    char longest[200];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        setenv("NOTIFY_SOCKET", values[i], 1);
        notify_state("READY=1");
    }
    memset(longest, 'x', sizeof(longest));
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    setenv("NOTIFY_SOCKET", longest, 1);
    notify_state("READY=1");
    unsetenv("NOTIFY_SOCKET");
}

static void test_watchdog(void **state)
{
    char mine[32];
    const struct {
        const char *name, *interval, *pid;
        int64_t want;
    } cases[] = {
        {"not asked for", NULL, NULL, 0},
        {"thirty seconds", "30000000", NULL, 15000},
        {"for this process", "30000000", mine, 15000},
        {"for another one", "30000000", "1", 0},
        {"very short", "100", NULL, 1},
        {"zero", "0", NULL, 0},
        {"negative", "-5", NULL, 0},
        {"no number", "soon", NULL, 0},
        {"empty", "", NULL, 0},
        {"too large", "99999999999999999999", NULL, 0},
    };

    (void)state;
    (void)snprintf(mine, sizeof(mine), "%d", (int)getpid());
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t got;

        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (cases[i].interval != NULL)
            setenv("WATCHDOG_USEC", cases[i].interval, 1);
        if (cases[i].pid != NULL)
            setenv("WATCHDOG_PID", cases[i].pid, 1);
        got = notify_watchdog_ms();
        if (got != cases[i].want)
            fail_msg("%s: got %lld", cases[i].name, (long long)got);
    }
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_abstract_socket),
        cmocka_unit_test(test_useless_addresses),
        cmocka_unit_test(test_watchdog),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
