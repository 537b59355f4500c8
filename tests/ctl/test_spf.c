/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl spf: the line that it prints, and wrong usage. */
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/support/nsd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 14

extern char **environ;

static const char conf_template[] = "/tmp/sluice-spf-XXXXXX";
static char conf_path[sizeof(conf_template)]; /* an empty configuration */
static struct nsd *nsd; /* NULL: there is none */

static const struct nsd_zone zones[] = {
    {.name = "", .records = "nothing TXT x\n"},
    {.name = "example.test",
     .records = "@ TXT \"v=spf1 a mx:gone.example.test -all exp=why.example.test\"\n"
                "@ A 192.0.2.1\n"
                "why TXT \"%{i} is \" \"not = \\\"ours\\\", %{t}\"\n"
                "broken TXT \"v=spf1 foo\"\n"
                "mail TXT \"v=spf1 +all\"\n"},
    {0},
};

static int start(void **state)
{
    int file;

    (void)state;
    memcpy(conf_path, conf_template, sizeof(conf_template));
    file = mkostemp(conf_path, O_CLOEXEC);
    assert_true(file >= 0);
    close(file);
    if (!nsd_is_installed())
        return 0;
    nsd = nsd_start(zones, 0);
    return nsd != NULL ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    if (nsd != NULL)
        nsd_stop(&nsd);
    return unlink(conf_path);
}

/* Runs sluicectl with words, the last one NULL, and reads all that it writes; returns its status.
 */
static int run(const char *const *words, struct text *output)
{
    const char *build = getenv("top_builddir");
    char *argv[WORDS_MAX + 2] = {mem_print("%s/sluicectl", build != NULL ? build : ".")};
    posix_spawn_file_actions_t actions;
    char bytes[1024];
    int ends[2];
    ssize_t length;
    pid_t child;
    int status;

    for (size_t i = 0; words[i] != NULL; i++)
        argv[i + 1] = mem_copy(words[i]);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    assert_int_equal(posix_spawn(&child, argv[0], &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while ((length = read(ends[0], bytes, sizeof(bytes))) > 0)
        text_add(output, bytes, (size_t)length);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_usage(void **state)
{
    static const struct {
        const char *words[WORDS_MAX]; /* after "spf" */
        int status;
        const char *want;
    } cases[] = {
        {{NULL}, 64, "expected --ip and --helo"},
        {{"--ip", "192.0.2.1", NULL}, 64, "expected --ip and --helo"},
        {{"--ip", "192.0.2", "--helo", "a.b", NULL}, 64, "expected an IP address, not \"192.0.2\""},
        {{"--ip", "192.0.2.1", "--helo", "a.b", "c", NULL}, 64, "unexpected argument \"c\""},
        {{"--ip", "::1", "--helo", "a.b", "--at", "noon", NULL}, 64, "not \"noon\""},
        {{"--ip", "::1", "--helo", "a.b", "--at", "-1", NULL}, 64, "not \"-1\""},
        {{"--nonsense", NULL}, 64, "try sluicectl spf --help"},
        {{"--ip", "::1", "--helo", "a.b", "-o", "nonsense=1", NULL}, 78, "nonsense"},
        {{"--help", NULL}, 0, "usage: sluicectl spf"},
        /* without a domain there is nothing to ask */
        {{"--ip", "::1", "--helo", "[::1]", NULL}, 0, "result=none domain=[::1] mechanism=\"\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *words[WORDS_MAX + 4] = {"-c", conf_path, "spf"};
        struct text output = TEXT_EMPTY;
        int status;

        memcpy(words + 3, cases[i].words, sizeof(cases[i].words));
        status = run(words, &output);
        if (status != cases[i].status || strstr(text_string(&output), cases[i].want) == NULL)
            fail_msg("case %zu: %d, %s", i, status, text_string(&output));
        text_free(&output);
    }
}

static void test_lines(void **state)
{
    static const struct {
        const char *ip, *helo, *sender;
        const char *want;
    } cases[] = {
        {"192.0.2.1", "mail.example.test", "joe@example.test",
         "result=pass domain=example.test mechanism=a lookups=1 void=0 explanation=\"\"\n"},
        {"::ffff:192.0.2.1", "mail.example.test", "<joe@Example.TEST>",
         "result=pass domain=example.test mechanism=a lookups=1 void=0 explanation=\"\"\n"},
        {"192.0.2.2", "mail.example.test", "joe@example.test",
         "result=fail domain=example.test mechanism=-all lookups=2 void=1 "
         "explanation=\"192.0.2.2 is not = \\\"ours\\\", 1700000000\"\n"},
        {"192.0.2.2", "mail.example.test", "",
         "result=pass domain=mail.example.test mechanism=all lookups=0 void=0 explanation=\"\"\n"},
        {"192.0.2.2", "mail.example.test", "<>",
         "result=pass domain=mail.example.test mechanism=all lookups=0 void=0 explanation=\"\"\n"},
        {"192.0.2.2", "mail.example.test", "joe@broken.example.test",
         "result=permerror domain=broken.example.test mechanism=\"\" lookups=0 void=0 "
         "explanation=\"\" problem=\"broken.example.test: \\\"foo\\\": no such mechanism\"\n"},
        {"192.0.2.2", "mail.example.test", "joe@none.example.test",
         "result=none domain=none.example.test mechanism=\"\" lookups=0 void=0 explanation=\"\" "
         "problem=\"none.example.test does not exist\"\n"},
    };
    char *resolver;

    (void)state;
    if (nsd == NULL)
        skip();
    resolver = mem_print("resolver=127.0.0.1@%u", (unsigned)nsd_port(nsd));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *words[] = {
            "-c",          conf_path,     "spf",           "--ip", cases[i].ip,  "--helo",
            cases[i].helo, "--mail-from", cases[i].sender, "--at", "1700000000", "-o",
            resolver,      NULL};
        struct text output = TEXT_EMPTY;
        int status = run(words, &output);

        if (status != 0 || strcmp(text_string(&output), cases[i].want) != 0)
            fail_msg("%s %s: %d, %s", cases[i].ip, cases[i].sender, status, text_string(&output));
        text_free(&output);
    }
    free(resolver);
}

/* libspf2 is asked where there is something to evaluate, and says so. */
static void test_engines(void **state)
{
    static const struct {
        const char *engine, *ip, *sender, *result, *libspf2;
    } cases[] = {
        {"spf-engine=own", "192.0.2.1", "joe@example.test", "result=pass", NULL},
        {"spf-engine=both", "192.0.2.1", "joe@example.test", "result=pass", " libspf2=pass\n"},
        {"spf-engine=libspf2", "192.0.2.1", "joe@example.test", "result=pass", " libspf2=pass\n"},
        {"spf-engine=libspf2", "192.0.2.2", "joe@example.test", "result=fail", " libspf2=fail\n"},
        {"spf-engine=libspf2", "192.0.2.2", "joe@broken.example.test", "result=permerror",
         " libspf2=\"not asked\"\n"},
    };
    char *resolver;

    (void)state;
    if (nsd == NULL)
        skip();
    resolver = mem_print("resolver=127.0.0.1@%u", (unsigned)nsd_port(nsd));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *words[] = {"-c",
                               conf_path,
                               "-o",
                               resolver,
                               "-o",
                               cases[i].engine,
                               "spf",
                               "--ip",
                               cases[i].ip,
                               "--helo",
                               "mail.example.test",
                               "--mail-from",
                               cases[i].sender,
                               NULL};
        struct text output = TEXT_EMPTY;
        int status = run(words, &output);
        const char *libspf2 = strstr(text_string(&output), " libspf2=");

        if (status != 0 || strncmp(text_string(&output), cases[i].result, 11) != 0 ||
            (libspf2 == NULL) != (cases[i].libspf2 == NULL) ||
            (libspf2 != NULL && strcmp(libspf2, cases[i].libspf2) != 0))
            fail_msg("%s %s: %d, %s", cases[i].engine, cases[i].sender, status,
                     text_string(&output));
        text_free(&output);
    }
    free(resolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_engines),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
