/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"

#include <dlfcn.h>
#include <libmilter/mfapi.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

/* The function that libmilter's call is bound to is not the C library's. */
static void test_sigwait_is_ours(void **state)
{
    int (*libmilter)(void) =
        smfi_main; /* the program needs libmilter, or the name is not exported */
    Dl_info found, program;

    (void)state;
    assert_true(libmilter != NULL);
    assert_true(dladdr(dlsym(RTLD_DEFAULT, "sigwait"), &found) != 0);
    assert_true(dladdr((void *)(uintptr_t)test_sigwait_is_ours, &program) != 0);
    assert_string_equal(found.dli_fname, program.dli_fname);
}

/* It leaves our signals where they are, and waits for others as it should. */
static void test_sigwait_leaves_ours(void **state)
{
    static const int ours[] = {SIGHUP, SIGTERM, SIGINT};
    sigset_t set, before, pending;
    int number = 0;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        sigaddset(&set, ours[i]);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        assert_int_equal(kill(getpid(), ours[i]), 0);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    assert_int_equal(sigwait(&set, &number), 0);
    assert_int_equal(number, SIGUSR1);
    sigpending(&pending);
    for (size_t i = 0; i < COUNT_OF(ours); i++) {
        assert_true(sigismember(&pending, ours[i]));
        signal(ours[i], SIG_IGN); /* which throws the pending one away */
        signal(ours[i], SIG_DFL);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sigwait_is_ours),
        cmocka_unit_test(test_sigwait_leaves_ours),
    };

    return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
