/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/daemon/state_directory.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sluice-state-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

static uid_t owner_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status.st_uid;
}

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void make(const char *path, const char *user)
{
    struct conf conf = {.group = mem_copy("")};

    conf.state_directory = mem_copy(path);
    conf.user = mem_copy(user);
    state_directory_make(&conf);
    free(conf.state_directory);
    free(conf.user);
    free(conf.group);
}

static void test_who_gets_it(void **state)
{
    const struct passwd *nobody = getpwnam("nobody");
    char number[32];
    const struct {
        const char *name, *user;
        mode_t mode; /* 0: it is not there */
        const char *file; /* what is in it */
        bool given, file_given;
    } cases[] = {
        {"missing", "nobody", 0, NULL, true, false},
        {"no user", "", 0, NULL, false, false},
        {"no such user", "no-such-user", 0755, NULL, false, false},
        {"systemd's", "nobody", 0755, NULL, true, false},
        {"by number", number, 0755, NULL, true, false},
        {"started as root before", "nobody", 0750, "it.journal", true, true},
        {"another's journal", "nobody", 0750, "other.journal", true, true},
        {"a journal half written", "nobody", 0750, "it.journal.new", true, true},
        {"the local store", "nobody", 0750, "store.lmdb", true, true},
        {"a place in a log", "nobody", 0750, "it.0123456789abcdef.place", true, true},
        {"since when keys are seen", "nobody", 0750, "it.keys", true, true},
        {"keys half written", "nobody", 0750, "it.keys.new", true, true},
        {"a file of no name", "nobody", 0750, ".journal", false, false},
        {"needed by others", "nobody", 0755, "dpkg", false, false},
        {"hidden file", "nobody", 0755, ".journals", false, false},
        {"for everybody", "nobody", 01777, NULL, false, false},
        {"for a group", "nobody", 0770, NULL, false, false},
    };

    (void)state;
    if (geteuid() != 0 || nobody == NULL)
        skip();
    (void)snprintf(number, sizeof(number), "%u", (unsigned)nobody->pw_uid);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *path = mem_print("%s/state", folder);
        char *file = mem_print("%s/%s", path, cases[i].file ? cases[i].file : "");

        if (cases[i].mode != 0)
            assert_int_equal(mkdir(path, 0700) + chmod(path, cases[i].mode), 0);
        if (cases[i].file != NULL)
            touch(file);
        make(path, cases[i].user);
        if ((owner_of(path) == nobody->pw_uid) != cases[i].given)
            fail_msg("%s: the directory is of %u", cases[i].name, (unsigned)owner_of(path));
        if (cases[i].file != NULL && (owner_of(file) == nobody->pw_uid) != cases[i].file_given)
            fail_msg("%s: the file is of %u", cases[i].name, (unsigned)owner_of(file));
        if (cases[i].file != NULL)
            (void)unlink(file);
        assert_int_equal(rmdir(path), 0);
        free(file);
        free(path);
    }
}

static void test_nothing_to_make(void **state)
{
    (void)state;
    make("", "nobody");
    make("/dev/null/a/b", "nobody");
    assert_int_not_equal(access("/dev/null/a/b", F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_gets_it, set_up, tear_down),
        cmocka_unit_test(test_nothing_to_make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
