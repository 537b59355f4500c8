/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process can still do in the sandbox, and what it is killed for. */
#include "engine/sandbox.h"
#include "lib/base/count.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOT_DONE 1
#define NO_SANDBOX 2
#define SOME ((size_t)1024 * 1024)

static int pair[2]; /* the child has one end as its standard input */

static bool take_memory(void)
{
    char *memory = malloc(SOME);

    if (memory == NULL)
        return false;
    memset(memory, 1, SOME);
    free(memory);
    return true;
}

/* A sanitizer ends what gets no memory. */
static bool take_too_much(void)
{
    char *volatile memory = malloc((size_t)SANDBOX_MEMORY_MAX * 2);

    return memory == NULL;
}

static bool talk(void)
{
    char octet;

    return read(STDIN_FILENO, &octet, 1) == 1 && write(STDIN_FILENO, &octet, 1) == 1;
}

static bool use_other_end(void)
{
    return write(pair[0], "x", 1) < 0;
}

static bool open_file(void)
{
    return open("/dev/null", O_RDONLY) < 0;
}

static bool make_socket(void)
{
    return socket(AF_INET, SOCK_DGRAM, 0) < 0;
}

static bool make_process(void)
{
    return fork() < 0;
}

static bool run_program(void)
{
    char *arguments[] = {NULL};

    return execve("/bin/true", arguments, arguments) < 0;
}

static bool map_code(void)
{
    return mmap(NULL, SOME, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
           MAP_FAILED;
}

static bool end_another(void)
{
    return kill(getppid(), SIGTERM) < 0;
}

/* The status of the process: 0, it did what it should; or NOT_DONE, NO_SANDBOX. */
static int run_in_sandbox(bool (*act)(void))
{
    pid_t pid = fork();
    int status = 0;

    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(pair[1], STDIN_FILENO);
        _exit(!sandbox_enter() ? NO_SANDBOX : act() ? 0 : NOT_DONE);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_calls(void **state)
{
    static const struct {
        const char *name;
        bool (*act)(void);
        bool allowed;
    } rows[] = {
        {"takes memory", take_memory, true},
        {"reads and writes", talk, true},
        {"has no other descriptor", use_other_end, true},
        {"opens a file", open_file, false},
        {"makes a socket", make_socket, false},
        {"makes a process", make_process, false},
        {"runs a program", run_program, false},
        {"maps code", map_code, false},
        {"ends another", end_another, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int status;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
        assert_int_equal(write(pair[0], "x", 1), 1);
        status = run_in_sandbox(rows[i].act);
        if (rows[i].allowed ? status != 0 : !WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
            fail_msg("%s: status %#x", rows[i].name, (unsigned)status);
        close(pair[0]);
        close(pair[1]);
    }
}

static void test_too_much_memory(void **state)
{
    int status;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    status = run_in_sandbox(take_too_much);
    assert_false(WIFEXITED(status) &&
                 (WEXITSTATUS(status) == NOT_DONE || WEXITSTATUS(status) == NO_SANDBOX));
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls),
                                       cmocka_unit_test(test_too_much_memory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
