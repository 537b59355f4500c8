/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that include others. */
#include "lib/base/count.h"
#include "lib/conf/conf.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char main_file[256];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(main_file, sizeof(main_file), "%s/main.conf", make_folder());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder();
    return 0;
}

static struct conf *load_main(char **problems_r)
{
    return conf_load(main_file, NULL, 0, &test_words, problems_r);
}

static void test_tree(void **state)
{
    static const char *const forms[] = {"include \"a.conf\"", "include a.conf",
                                        "include(\"a.conf\")", "include ( 'a.conf' )"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        char text[512];
        char *problems = NULL;
        struct conf *conf;

        (void)snprintf(text, sizeof(text),
                       "mode = observe\n%s contact = late\nlocal-domains += {c.example}\n"
                       "class c { members = x limit l { max = 2 } }\n",
                       forms[i]);
        make_file("main.conf", text);
        make_file("a.conf", "mode = enforce contact = early\nlocal-domains = {a.example}\n"
                            "include b.conf\n");
        make_file("b.conf", "local-domains += {b.example}\n"
                            "\nlimit l { count = messages max = 1 per = 1h }\n");
        conf = load_main(&problems);
        if (conf == NULL)
            fail_msg("%s: %s", forms[i], problems);
        assert_int_equal(conf->mode, MODE_ENFORCE);
        assert_string_equal(conf->contact, "late");
        assert_int_equal(conf->local_domains.count, 3);
        assert_int_equal(conf->limits[0].place.line, 3);
        assert_non_null(strstr(conf->limits[0].place.file, "/b.conf"));
        assert_non_null(strstr(conf->classes[0].place.file, "/main.conf"));
        assert_int_equal(conf->classes[0].place.line, 4);
        conf_release(&conf);
    }
}

static void assert_problem(const char *want)
{
    char *problems = NULL;

    assert_null(load_main(&problems));
    if (strstr(problems, want) == NULL)
        fail_msg("\"%s\" in place of \"%s\"", problems, want);
    free(problems);
}

static void test_problem_in_included(void **state)
{
    (void)state;
    make_file("main.conf", "\ninclude a.conf");
    make_file("a.conf", "\n\nmode = x");
    assert_problem("/a.conf:3: mode = \"x\"");
    make_file("a.conf", "limit l {\n");
    assert_problem("/a.conf:1: the limit section that begins here has no end");
    make_file("a.conf", "mode =");
    assert_problem("/a.conf:1: the file ends in the middle of a statement");
    make_file("a.conf", "}");
    assert_problem("/a.conf:1: this } closes nothing");
}

static void test_cycle(void **state)
{
    (void)state;
    make_file("main.conf", "include a.conf");
    make_file("a.conf", "\ninclude ../main.conf\n");
    make_file("a.conf", "\ninclude \"./main.conf\"\n");
    assert_problem("/a.conf:2: ");
    assert_problem("/main.conf includes itself");
}

static void test_depth(void **state)
{
    (void)state;
    make_file("main.conf", "include f0");
    for (int i = 0; i < 12; i++) {
        char name[16];
        char text[32];

        (void)snprintf(name, sizeof(name), "f%d", i);
        (void)snprintf(text, sizeof(text), "include f%d", i + 1);
        make_file(name, text);
    }
    assert_problem("files include each other more than 10 deep");
}

static void test_pattern(void **state)
{
    char *problems = NULL;
    struct conf *conf;

    (void)state;
    make_file("main.conf", "include \"part-[0-9]*.inc\" include \"none-*.inc\"");
    make_file("part-20.inc", "contact = second\n");
    make_file("part-10.inc", "contact = first\n");
    make_file("part-x.inc", "contact = other\n");
    conf = load_main(&problems);
    if (conf == NULL)
        fail_msg("%s", problems);
    assert_string_equal(conf->contact, "second");
    conf_release(&conf);
    make_file("part-10.inc", "\nmod = x\n");
    assert_problem("/part-10.inc:2: unknown option \"mod\"");
    make_file("main.conf", "\ninclude \"away/*.inc\"");
    assert_problem("/main.conf:2: cannot read ");
    /* A name is no pattern where a file has it. */
    make_file("part-[0-9]*.inc", "contact = literal\n");
    make_file("main.conf", "include \"part-[0-9]*.inc\"");
    conf = load_main(&problems);
    if (conf == NULL)
        fail_msg("%s", problems);
    assert_string_equal(conf->contact, "literal");
    conf_release(&conf);
}

/* One file twice is no cycle. */
static void test_twice(void **state)
{
    char *problems = NULL;
    struct conf *conf;

    (void)state;
    make_file("main.conf", "include a.conf include a.conf");
    make_file("a.conf", "mode = enforce\n");
    conf = load_main(&problems);
    assert_non_null(conf);
    conf_release(&conf);
}

static void test_fifo(void **state)
{
    (void)state;
    make_file("main.conf", "include fifo");
    make_file("fifo", "");
    {
        char path[256];

        (void)snprintf(path, sizeof(path), "%.*s/fifo", (int)(strrchr(main_file, '/') - main_file),
                       main_file);
        unlink(path);
        assert_int_equal(mkfifo(path, 0600), 0);
    }
    assert_problem("/fifo: it is not a file");
}

/* Files that are named, and read by others. */
static void test_files(void **state)
{
    struct conf *conf = load_good("classify-rules = {\"/a\", \"/etc/b c\"}\n", NULL);

    (void)state;
    assert_int_equal(conf->classify_rules.count, 2);
    assert_string_equal(conf->classify_rules.items[0], "/a");
    assert_string_equal(conf->classify_rules.items[1], "/etc/b c");
    conf_release(&conf);
}

static void test_presets(void **state)
{
    static const struct {
        const char *name, *limit;
        int64_t max;
    } cases[] = {
        {"google-workspace", "google-workspace-messages", 2000},
        {"gmail", "gmail-messages", 500},
        {"exchange-online", "exchange-online-recipients", 10000},
        {"hosting", "hosting-hourly", 200},
        {"campus", "campus-external", 500},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[64];
        char *problems = NULL;
        struct conf *conf;

        (void)snprintf(text, sizeof(text), "include preset/%s\n", cases[i].name);
        make_file("main.conf", text);
        conf = load_main(&problems);
        if (conf == NULL)
            fail_msg("%s: %s", cases[i].name, problems);
        assert_string_equal(conf->limits[0].name, cases[i].limit);
        assert_int_equal(conf->limits[0].max, cases[i].max);
        /* The built-in limits have made way. */
        for (size_t j = 0; j < conf->nlimits; j++)
            assert_non_null(strstr(conf->limits[j].place.file, "preset/"));
        conf_release(&conf);
    }
}

static void test_unknown_preset(void **state)
{
    char *problems = NULL;

    (void)state;
    make_file("main.conf", "\ninclude preset/gmial\n");
    assert_null(load_main(&problems));
    assert_non_null(strstr(problems, "main.conf:2: \"preset/gmial\" is no preset"));
    assert_non_null(strstr(problems, "did you mean \"preset/gmail\"?"));
    free(problems);
}

/* All of them at once: no name is there twice. */
static void test_presets_together(void **state)
{
    char *problems = NULL;
    struct conf *conf;

    (void)state;
    make_file("main.conf", "include preset/google-workspace include preset/gmail\n"
                           "include preset/exchange-online include preset/hosting\n"
                           "include preset/campus\n"
                           "class s { members = a@b inherits = campus-students }\n");
    conf = load_main(&problems);
    if (conf == NULL)
        fail_msg("%s", problems);
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_problem_in_included, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pattern, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cycle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_depth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fifo, set_up, tear_down),
        cmocka_unit_test(test_files),
        cmocka_unit_test_setup_teardown(test_presets_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_preset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_presets, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
