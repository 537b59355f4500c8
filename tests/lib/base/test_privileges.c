/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/privileges.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a child that may change its identity answers with. */
enum answer {
    ANSWER_DROPPED = 1,
    ANSWER_REFUSED,
    ANSWER_STILL_ROOT,
    ANSWER_WRONG_IDENTITY,
    ANSWER_WRONG_PROBLEM
};

struct attempt {
    const char *name, *user, *group;
    enum answer want;
    const char *problem; /* a part of it, when refused */
};

static enum answer try_to_drop(const struct attempt *attempt, gid_t group)
{
    char *problem = NULL;
    bool dropped = privileges_drop(attempt->user, attempt->group, &problem);
    bool right_problem =
        problem != NULL && attempt->problem != NULL && strstr(problem, attempt->problem) != NULL;

    free(problem);
    if (!dropped)
        return right_problem ? ANSWER_REFUSED : ANSWER_WRONG_PROBLEM;
    if (geteuid() == 0)
        return ANSWER_STILL_ROOT;
    if (getegid() != group || getgid() != group || getuid() != geteuid() || setuid(0) == 0 ||
        setgid(0) == 0)
        return ANSWER_WRONG_IDENTITY;
    return ANSWER_DROPPED;
}

static enum answer in_child(const struct attempt *attempt, gid_t group)
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0)
        _exit((int)try_to_drop(attempt, group));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return (enum answer)WEXITSTATUS(status);
}

static void test_drop(void **state)
{
    const struct passwd *nobody = getpwnam("nobody");
    char number[32], group_number[32];
    gid_t group;
    struct attempt attempts[] = {
        {"nobody given", NULL, NULL, ANSWER_STILL_ROOT, NULL},
        {"empty", "", "", ANSWER_STILL_ROOT, NULL},
        {"user", "nobody", NULL, ANSWER_DROPPED, NULL},
        {"user, empty group", "nobody", "", ANSWER_DROPPED, NULL},
        {"user by number", number, NULL, ANSWER_DROPPED, NULL},
        {"user and group", "nobody", group_number, ANSWER_DROPPED, NULL},
        {"no such user", "no-such-user", NULL, ANSWER_REFUSED,
         "user = no-such-user: there is no such user"},
        {"no such group", "nobody", "no-such-group", ANSWER_REFUSED,
         "group = no-such-group: there is no such group"},
        {"root", "root", NULL, ANSWER_REFUSED, "root"},
        {"root by number", "0", NULL, ANSWER_REFUSED, "root"},
        {"highest number", "4294967295", NULL, ANSWER_REFUSED, "no such user"},
        {"number and more", "0x", NULL, ANSWER_REFUSED, "no such user"},
    };

    (void)state;
    if (geteuid() != 0 || nobody == NULL)
        skip();
    group = nobody->pw_gid;
    (void)snprintf(number, sizeof(number), "%u", (unsigned)nobody->pw_uid);
    (void)snprintf(group_number, sizeof(group_number), "%u", (unsigned)nobody->pw_gid);
    for (size_t i = 0; i < COUNT_OF(attempts); i++) {
        enum answer got = in_child(&attempts[i], group);

        if (got != attempts[i].want)
            fail_msg("%s: got %d, want %d", attempts[i].name, (int)got, (int)attempts[i].want);
    }
}

static void test_drop_without_being_root(void **state)
{
    char *problem = NULL;

    (void)state;
    if (geteuid() == 0)
        skip();
    assert_true(privileges_drop("no-such-user", NULL, &problem));
    assert_null(problem);
}

static void test_find_group(void **state)
{
    const struct group *first = getgrgid(0);
    gid_t group = 99;

    (void)state;
    if (first != NULL) {
        char *name = mem_copy(first->gr_name);

        assert_true(privileges_find_group(name, &group));
        assert_int_equal(group, 0);
        free(name);
    }
    assert_true(privileges_find_group("54321", &group));
    assert_int_equal(group, 54321);
    assert_false(privileges_find_group("no-such-group", &group));
    assert_false(privileges_find_group("-1", &group));
    assert_false(privileges_find_group("4294967295", &group));
    assert_false(privileges_find_group("", &group));
    assert_int_equal(group, 54321);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_drop_without_being_root),
        cmocka_unit_test(test_find_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
