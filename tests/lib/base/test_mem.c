/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_new_is_zeroed(void **state)
{
    static const char zeros[64];
    char *memory = mem_new(8, 8);
    void *nothing = mem_new(0, 8);

    (void)state;
    assert_memory_equal(memory, zeros, sizeof(zeros));
    assert_non_null(nothing);
    free(nothing);
    free(memory);
}

static void test_grow_keeps_what_is_there(void **state)
{
    char *memory = mem_grow(NULL, 3, 1);

    (void)state;
    memcpy(memory, "abc", 3);
    memory = mem_grow(memory, 100000, 10);
    assert_memory_equal(memory, "abc", 3);
    memory = mem_grow(memory, 0, 10);
    assert_non_null(memory);
    free(memory);
}

static void test_copies(void **state)
{
    char *whole = mem_copy("postmaster");
    char *part = mem_copy_n("postmaster", 4);
    char *empty = mem_copy_n(NULL, 0);
    char *printed = mem_print("%s:%d", "mx1.example.com", 25);

    (void)state;
    assert_null(mem_copy(NULL));
    assert_string_equal(whole, "postmaster");
    assert_string_equal(part, "post");
    assert_string_equal(empty, "");
    assert_string_equal(printed, "mx1.example.com:25");
    mem_copy_bytes(whole, NULL, 0);
    assert_string_equal(whole, "postmaster");
    mem_copy_bytes(whole, "P", 1);
    assert_string_equal(whole, "Postmaster");
    free(whole);
    free(part);
    free(empty);
    free(printed);
}

/* A product that wraps round must not become a small allocation. */
static void test_overflow_ends_the_process(void **state)
{
    static const struct rlimit no_core = {0, 0};
    int said[2];
    char message[64] = "";
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(said), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)dup2(said[1], STDERR_FILENO);
        free(mem_grow(NULL, SIZE_MAX / 2 + 2, 2));
        _exit(0);
    }
    close(said[1]);
    assert_true(read(said[0], message, sizeof(message) - 1) > 0);
    close(said[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_string_equal(message, "out of memory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_is_zeroed),
        cmocka_unit_test(test_grow_keeps_what_is_there),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_overflow_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
