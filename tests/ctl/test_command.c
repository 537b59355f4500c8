/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of sluicectl: what each verb prints and exits with, where no server is needed.
 */
#include "lib/base/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define OUTPUT_MAX 131072
#define WORDS_MAX 12

extern char **environ;

static char program[512];
static char folder[64];
static char conf_path[128];
static char output[2][OUTPUT_MAX]; /* standard output and error */

static void write_conf(const char *text)
{
    FILE *file = fopen(conf_path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    const char *build = getenv("top_builddir");

    (void)state;
    (void)snprintf(program, sizeof(program), "%s/sluicectl", build != NULL ? build : ".");
    (void)snprintf(folder, sizeof(folder), "/tmp/sluice-ctl-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(conf_path, sizeof(conf_path), "%s/sluice.conf", folder);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"out", "err", "sluice.conf"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    return 0;
}

static void read_back(const char *path, char *text_r)
{
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    text_r[fread(text_r, 1, OUTPUT_MAX - 1, file)] = '\0';
    (void)fclose(file);
}

/* Runs sluicectl -c CONF with words, which are parted by blanks; returns the exit status. */
static int run(const char *words)
{
    char copy[512];
    char paths[2][128];
    char *argv[WORDS_MAX + 4] = {program, (char[]){"-c"}, conf_path};
    size_t argc = 3;
    posix_spawn_file_actions_t actions;
    char *rest = NULL;
    pid_t child;
    int status;

    (void)snprintf(copy, sizeof(copy), "%s", words);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL && argc < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, i == 0 ? "out" : "err");
        posix_spawn_file_actions_addopen(&actions, i + 1, paths[i], O_WRONLY | O_CREAT | O_TRUNC,
                                         0600);
    }
    assert_int_equal(posix_spawn(&child, program, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(child, &status, 0), child);
    for (int i = 0; i < 2; i++)
        read_back(paths[i], output[i]);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const char good[] = "store = \"memory:\"\nlocal-domains = example.com\n"
                           "cause dns.spf-fail { action = reject }\n";

static void test_words(void **state)
{
    static const struct {
        const char *words;
        int status;
        const char *out, *err; /* what must stand there; NULL: nothing at all */
    } cases[] = {
        {"--help", 0, "usage: sluicectl", NULL},
        {"--version", 0, "sluicectl ", NULL},
        {"", 64, NULL, "expected a verb"},
        {"stats", 64, NULL, "did you mean \"status\"?"},
        {"-x", 64, NULL, "try sluicectl --help"},
        {"config", 0, "The configuration is good: mode observe, 3 limits", NULL},
        {"config check", 0, "The configuration is good", NULL},
        {"-o mode=enforce config", 0, "mode enforce", NULL},
        {"-o mode=x config", 78, NULL, "command line: -o mode: mode = \"x\""},
        {"config --effective", 0, "dns-timeout = 2s", NULL},
        {"-o dns-timeout=3s config --effective", 0, "dns-timeout = 3s  # command line", NULL},
        {"config --defaults", 0, "#mode = observe", NULL},
        {"config --manual", 0, ".Dt SLUICE.CONF 5", NULL},
        {"config --defaults --manual", 64, NULL, "expected one of"},
        {"config nonsense", 64, NULL, "unexpected argument \"nonsense\""},
        {"config --help", 0, "usage: sluicectl config", NULL},
        {"causes", 0, "limit.messages", NULL},
        {"causes dns", 0, "dns.spf-fail", NULL},
        {"causes dns.spf-fail", 0, "warn     reject", NULL},
        {"causes dsn", 64, NULL, "no group or cause is called \"dsn\""},
        {"causes dns.spf-fial", 64, NULL, "did you mean \"dns.spf-fail\"?"},
        {"causes a b", 64, NULL, "unexpected argument \"b\""},
        {"causes --manual", 0, ".Dt SLUICE-CAUSES 7", NULL},
        {"causes --manual limit", 64, NULL, "try sluicectl causes --help"},
        {"causes --json limit", 0, "\"id\": \"limit.messages\"", NULL},
        {"causes --json --group recipient", 0, "\"found\": [\n   \"policy\"\n  ]", NULL},
        {"causes --group dsn", 64, NULL, "no group or cause is called \"dsn\""},
        {"explain dns.spf-fail", 0, "source      RFC 7208", NULL},
        {"explain [dns.spf-fail]", 0, "550 5.7.23 The sender's domain", NULL},
        {"explain --json limit.messages", 0, "\"reply\": \"450 4.7.28\"", NULL},
        {"explain dns.spf-fial", 64, NULL, "did you mean \"dns.spf-fail\"?"},
        {"explain", 64, NULL, "expected a cause"},
        {"limits", 64, NULL, "expected a subject"},
        {"limits usr:x", 64, NULL, "unknown kind of subject"},
        {"limits alice@example.com", 69, NULL, "store = memory:"},
        {"limits --help", 0, "sender-domain:DOMAIN", NULL},
        {"reset", 64, NULL, "expected one subject"},
        {"reset a b", 64, NULL, "expected one subject"},
        {"reset alice@example.com", 69, NULL, "store = memory:"},
        {"reset destination example.net", 69, NULL, "store = memory:"},
        {"reset destination", 69, NULL, "store = memory:"},
        {"reset destination:", 64, NULL, "cannot be a domain"},
        {"reset rcpt:bob@example.net", 69, NULL, "store = memory:"},
        {"status stor", 64, NULL, "did you mean \"store\"?"},
        {"status store", 0, "each daemon counts in its own memory", NULL},
    };

    (void)state;
    write_conf(good);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *wanted[2] = {cases[i].out, cases[i].err};
        int status = run(cases[i].words);

        if (status != cases[i].status)
            fail_msg("%s: exit %d in place of %d: %s%s", cases[i].words, status, cases[i].status,
                     output[0], output[1]);
        for (int j = 0; j < 2; j++)
            if (wanted[j] == NULL ? output[j][0] != '\0' : strstr(output[j], wanted[j]) == NULL)
                fail_msg("%s: \"%s\" in place of \"%s\"", cases[i].words, output[j],
                         wanted[j] != NULL ? wanted[j] : "");
    }
}

/* How long the name of a folder is that the text begins with: what the builder chose. */
static size_t chosen(const char *text)
{
    static const char *const folders[] = {SLUICE_SYSCONFDIR, SLUICE_PKGDATADIR,
                                          SLUICE_LOCALSTATEDIR, SLUICE_RUNSTATEDIR};

    for (size_t i = 0; i < COUNT_OF(folders); i++)
        if (strncmp(text, folders[i], strlen(folders[i])) == 0)
            return strlen(folders[i]);
    return 0;
}

/* How wide the widest line is, where such names take no room. */
static size_t width_of(const char *text)
{
    size_t widest = 0;
    size_t column = 0;

    while (*text != '\0') {
        const size_t length = chosen(text);

        column = *text == '\n' ? 0 : column + (length == 0);
        widest = column > widest ? column : widest;
        text += length > 0 ? length : 1;
    }
    return widest;
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;

    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void check_fits(const char *words)
{
    assert_int_equal(run(words), 0);
    if (width_of(output[0]) > 80 || lines_of(output[0]) > 24)
        fail_msg("%s: %zu lines, the widest of %zu columns", words, lines_of(output[0]),
                 width_of(output[0]));
    if (strstr(output[0], " \n") != NULL)
        fail_msg("%s: a line ends with a blank", words);
}

/* Whoever asks for help sees all of it on a screen of 24 lines of 80 columns. */
static void test_help_fits(void **state)
{
    char verbs[64][16];
    size_t nverbs = 0;

    (void)state;
    check_fits("--help");
    for (char *line = strstr(output[0], "\n\n") + 2; *line == ' '; line = strchr(line, '\n') + 1) {
        char *const columns[2] = {line, line + 39};

        for (size_t i = 0; i < 2 && columns[i] < strchr(line, '\n'); i++) {
            assert_true(nverbs < COUNT_OF(verbs));
            assert_int_equal(sscanf(columns[i], " %15s", verbs[nverbs++]), 1);
        }
    }
    assert_true(nverbs >= 22);
    for (size_t i = 0; i < nverbs; i++) {
        char words[32];

        (void)snprintf(words, sizeof(words), "%s --help", verbs[i]);
        check_fits(words);
    }
}

static void test_bad_configuration(void **state)
{
    static const char *const words[] = {"config", "config --effective", "causes",
                                        "status", "limits a",           "reset a"};

    (void)state;
    write_conf("mod = observe\nmode = x\n");
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        int status = run(words[i]);

        if (status != 78 || output[0][0] != '\0' ||
            strstr(output[1], "sluice.conf:1: unknown option \"mod\"; did you mean \"mode\"?") ==
                NULL ||
            strstr(output[1], "sluice.conf:2: mode = \"x\"") == NULL)
            fail_msg("%s: exit %d: %s%s", words[i], status, output[0], output[1]);
    }
}

/* Nobody is there: each part says so, and what to do. */
static void test_status_of_nothing(void **state)
{
    char text[1024];

    (void)state;
    (void)snprintf(text, sizeof(text),
                   "store = \"unix:%s/redis\"\npolicy-listen = \"unix:%s/p\"\n"
                   "milter-listen = \"unix:%s/m\"\n",
                   folder, folder, folder);
    write_conf(text);
    assert_int_equal(run("status store policyd milter"), 1);
    assert_non_null(strstr(output[0], "store    FAILED"));
    assert_non_null(strstr(output[0], "policyd  FAILED"));
    assert_non_null(strstr(output[0], "No such file or directory: start sluice-milter"));
    assert_int_equal(run("status --json policyd"), 1);
    assert_non_null(strstr(output[0], "\"ok\": false"));
    assert_int_equal(run("limits alice@example.com"), 69);
    assert_non_null(strstr(output[1], "does not answer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_help_fits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_configuration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_status_of_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
