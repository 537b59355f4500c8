/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/store/journal.h"

#include "lib/base/mem.h"
#include "tests/support/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct subject_hiding plain;

static int make_folder(void **state)
{
    *state = process_folder();
    return 0;
}

static int remove_folder(void **state)
{
    process_folder_remove((char **)state);
    return 0;
}

static struct call *call_about(int number)
{
    char identity[32];
    const uint64_t members[] = {(uint64_t)number, 77};
    const struct store_limit limits[] = {
        {"user:a", 'm', 60, 1, 5, 0, true, NULL, 0},
        {"user:a", 'r', 3600, number, 5, 0, true, NULL, 0},
        {"user:b", STORE_DISTINCT, 60, 2, 5, 0, true, members, 2},
    };
    const struct store_request request = {
        .identity = identity, .fingerprint = (uint64_t)number, .limits = limits, .nlimits = 3};

    (void)snprintf(identity, sizeof(identity), "host/%d", number);
    return call_new(&plain, CALL_CHARGE, &request);
}

static bool add(struct journal *journal, enum call_operation operation, int number)
{
    struct call *call = call_about(number);
    bool added = journal_add(journal, operation, call, 1000 + number);

    call_release(call);
    return added;
}

static struct journal *open_journal(const char *path, size_t max)
{
    char *problem = NULL;
    struct journal *journal = journal_open(path, max, &problem);

    if (journal == NULL)
        fail_msg("%s", problem);
    return journal;
}

static char *file_in(void **state)
{
    return mem_print("%s/journal", (char *)*state);
}

/* The entries' numbers, which their calls' second amounts are, must be first, first + 1, ... */
static void assert_entries(const struct journal *journal, int first, size_t count)
{
    assert_int_equal(journal_count(journal), count);
    for (size_t i = 0; i < count; i++) {
        struct call *call = journal_call(journal, i);
        struct call *want = call_about(first + (int)i);

        assert_non_null(call);
        assert_string_equal(call->message, want->message);
        assert_int_equal(call->fingerprint, want->fingerprint);
        assert_int_equal(call->nlimits, 3);
        assert_int_equal(call->nsubjects, 2);
        for (size_t l = 0; l < 3; l++) {
            assert_string_equal(call->limits[l].subject, want->limits[l].subject);
            assert_string_equal(call->limits[l].field, want->limits[l].field);
            assert_int_equal(call->limits[l].amount, want->limits[l].amount);
            assert_int_equal(call->limits[l].tag, want->limits[l].tag);
            assert_int_equal(call->limits[l].first, want->limits[l].first);
            assert_false(call->limits[l].enforce);
            assert_int_equal(call->limits[l].ncodes, want->limits[l].ncodes);
            if (want->limits[l].ncodes > 0)
                assert_memory_equal(call->limits[l].codes, want->limits[l].codes,
                                    want->limits[l].ncodes * sizeof(*want->limits[l].codes));
        }
        call_release(call);
        call_release(want);
    }
}

static void test_order_and_bound(void **state)
{
    struct journal *journal = open_journal(NULL, 40);
    struct call *call;

    (void)state;
    assert_int_equal(journal_max(journal), 40);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 40; i++)
            assert_true(add(journal, CALL_REPLAY, 100 * round + i));
        assert_false(add(journal, CALL_REPLAY, 9));
        assert_entries(journal, 100 * round, 40);
        journal_done(journal, 15);
        assert_entries(journal, 100 * round + 15, 25);
        journal_done(journal, 25);
    }
    assert_true(add(journal, CALL_RETURN, 1));
    assert_true(add(journal, CALL_REPLAY, 2));
    call = journal_call(journal, 0);
    assert_int_equal(call->operation, CALL_RETURN);
    assert_int_equal(call->at_ms, 1001);
    call_release(call);
    call = journal_call(journal, 1);
    assert_int_equal(call->operation, CALL_REPLAY);
    assert_int_equal(call->at_ms, 1002);
    call_release(call);
    journal_close(&journal);
    assert_null(journal);
}

static void test_none(void **state)
{
    struct journal *journal = open_journal(NULL, 0);

    (void)state;
    assert_false(add(journal, CALL_REPLAY, 1));
    journal_close(&journal);
}

static void test_outlives_its_process(void **state)
{
    char *path = file_in(state);
    pid_t pid = fork();
    struct journal *journal;
    int status;

    if (pid == 0) {
        journal = open_journal(path, 100);
        for (int i = 0; i < 10; i++)
            (void)add(journal, CALL_REPLAY, i);
        journal_done(journal, 3);
        (void)add(journal, CALL_REPLAY, 10);
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    journal = open_journal(path, 100);
    assert_entries(journal, 3, 8);
    journal_done(journal, 8);
    journal_close(&journal);
    journal = open_journal(path, 100);
    assert_int_equal(journal_count(journal), 0);
    journal_close(&journal);
    free(path);
}

static off_t size_of(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

/* Cut anywhere, it holds what was whole before, and takes new entries behind that. */
static void test_torn_off(void **state)
{
    char *path = file_in(state);
    struct journal *journal = open_journal(path, 100);
    off_t whole;
    off_t two;

    (void)add(journal, CALL_REPLAY, 0);
    (void)add(journal, CALL_REPLAY, 1);
    two = size_of(path);
    (void)add(journal, CALL_REPLAY, 2);
    whole = size_of(path);
    journal_close(&journal);
    for (off_t size = whole - 1; size >= two; size--) {
        assert_int_equal(truncate(path, size), 0);
        journal = open_journal(path, 100);
        assert_entries(journal, 0, 2);
        (void)add(journal, CALL_REPLAY, 2);
        journal_close(&journal);
        journal = open_journal(path, 100);
        assert_entries(journal, 0, 3);
        journal_close(&journal);
    }
    for (off_t size = 0; size < 20; size++) {
        assert_int_equal(truncate(path, size), 0);
        journal = open_journal(path, 100);
        assert_int_equal(journal_count(journal), 0);
        journal_close(&journal);
    }
    free(path);
}

static void test_changed_octets(void **state)
{
    char *path = file_in(state);
    struct journal *journal = open_journal(path, 100);
    off_t one;
    off_t whole;

    (void)add(journal, CALL_REPLAY, 0);
    one = size_of(path);
    (void)add(journal, CALL_REPLAY, 1);
    whole = size_of(path);
    journal_close(&journal);
    for (off_t at = one; at < whole; at++) {
        int fd = open(path, O_RDWR);
        uint8_t octet;

        assert_int_equal(pread(fd, &octet, 1, at), 1);
        octet ^= 0x55;
        assert_int_equal(pwrite(fd, &octet, 1, at), 1);
        close(fd);
        journal = open_journal(path, 100);
        assert_entries(journal, 0, 1);
        (void)add(journal, CALL_REPLAY, 1);
        journal_close(&journal);
    }
    free(path);
}

static void test_files_that_are_not_taken(void **state)
{
    char *path = file_in(state);
    struct journal *journal = open_journal(path, 100);
    char *problem = NULL;
    int fd;

    assert_null(journal_open(path, 100, &problem));
    assert_non_null(strstr(problem, "another process"));
    free(problem);
    journal_close(&journal);
    fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "something else, and quite long", 30), 30);
    close(fd);
    assert_null(journal_open(path, 100, &problem));
    assert_non_null(strstr(problem, "not a journal"));
    free(problem);
    assert_int_equal(size_of(path), 30);
    assert_null(journal_open("/dev/null/journal", 100, &problem));
    free(problem);
    free(path);
}

/* No room on the disk: it goes on in memory, says so, and finds its way back. */
static void test_full_disk(void **state)
{
    char *path = file_in(state);
    struct journal *journal = open_journal(path, 1000);
    struct rlimit before;
    struct rlimit small;

    for (int i = 0; i < 5; i++)
        (void)add(journal, CALL_REPLAY, i);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t)size_of(path) + 30;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 5; i < 10; i++)
        assert_true(add(journal, CALL_REPLAY, i));
    assert_non_null(journal_problem(journal));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    for (int i = 10; i < 15; i++)
        assert_true(add(journal, CALL_REPLAY, i));
    assert_null(journal_problem(journal));
    assert_entries(journal, 0, 15);
    /* What was not saved is not counted as done with in the file. */
    journal_done(journal, 7);
    journal_close(&journal);
    journal = open_journal(path, 1000);
    assert_entries(journal, 10, 5);
    journal_close(&journal);
    free(path);
}

/* A file that is never empty does not grow for ever. */
static void test_rewritten(void **state)
{
    char *path = file_in(state);
    struct journal *journal = open_journal(path, 1000);
    char *problem = NULL;
    int number = 0;

    for (; number < 100; number++)
        (void)add(journal, CALL_REPLAY, number);
    for (; number < 120000; number += 50) {
        for (int i = 0; i < 50; i++)
            (void)add(journal, CALL_REPLAY, number + i);
        journal_done(journal, 50);
        assert_true(size_of(path) < 5 << 20);
    }
    assert_null(journal_open(path, 100, &problem));
    free(problem);
    journal_close(&journal);
    journal = open_journal(path, 1000);
    assert_entries(journal, number - 100, 100);
    journal_close(&journal);
    free(path);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_bound),
        cmocka_unit_test(test_none),
        IN_FOLDER(test_outlives_its_process),
        IN_FOLDER(test_torn_off),
        IN_FOLDER(test_changed_octets),
        IN_FOLDER(test_files_that_are_not_taken),
        IN_FOLDER(test_full_disk),
        IN_FOLDER(test_rewritten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
