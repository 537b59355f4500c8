/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration as text: in force, by default, as a manual page. */
#include "lib/base/count.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/conf/schema.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] =
    "mode = enforce\n"
    "contact = \"say \\\"hi\\\" \\\\ '\\${x}' # no comment\"\n"
    "local-domains = {bücher.example, .example.com}\n"
    "sender-login = {equal, \"inline:{ a@b=c, { d@e = f g } }\"}\n"
    "policy-listen = {\"unix:/a b\", \"inet:[::1]:25\"}\n"
    "limit l { count = bytes max = 5M per = 7d over = hold near = 0 }\n"
    "class c { members = {\"a@b\", 10.0.0.0/8} limit l { max = 6M } }\n"
    "warmup example.com { start = 2026-01-02 first = 5 ceiling = 50 growth = 1.25 }\n"
    "sign example.com { selector = s key = \"/a b\" }\n"
    "cause dns.spf-fail { action = reject }\n"
    "verify \"*\" { dmarc-reject = reject dkim-fail = ignore }\n"
    "verify .example.com { spf-fail = warn }\n";

/* Without what stands behind "  # ": where each value came from differs. */
static void drop_places(char *string)
{
    char *to = string;

    for (const char *from = string; *from != '\0';) {
        if (strncmp(from, "  # ", 4) == 0)
            from += strcspn(from, "\n");
        else
            *to++ = *from++;
    }
    *to = '\0';
}

static void test_effective(void **state)
{
    struct conf *conf = load_good(text, "mode=observe");
    char *first = conf_effective(conf);
    struct conf *again = load_good(first, NULL);
    char *second = conf_effective(again);

    (void)state;
    assert_non_null(strstr(first, "mode = observe  # command line\n"));
    assert_non_null(strstr(first, "per = 7d"));
    assert_non_null(strstr(first, "limit l {  # test.conf:6\n"));
    assert_non_null(strstr(first, "dns-timeout = 2s\n"));
    drop_places(first);
    drop_places(second);
    assert_string_equal(first, second);
    assert_string_equal(again->contact, conf->contact);
    assert_string_equal(again->contact, "say \"hi\" \\ '${x}' # no comment");
    assert_int_equal(again->mode, conf->mode);
    assert_int_equal(again->limits[0].max, conf->limits[0].max);
    assert_int_equal(again->nlogin_rules, 2);
    assert_string_equal(again->policy_listen[0].path, "/a b");
    free(first);
    free(second);
    conf_release(&conf);
    conf_release(&again);
}

static void test_effective_defaults(void **state)
{
    struct conf *conf = load_good("", NULL);
    char *first = conf_effective(conf);
    struct conf *again = load_good(first, NULL);

    (void)state;
    assert_int_equal(again->nlimits, 3);
    for (size_t i = 0; i < schema_option_count; i++)
        if (schema_options[i].section == SECTION_ROOT &&
            strstr(first, schema_options[i].name) == NULL)
            fail_msg("%s is not printed", schema_options[i].name);
    free(first);
    conf_release(&conf);
    conf_release(&again);
}

static void test_no_secrets(void **state)
{
    struct conf *conf = load_good("store = \"redis://user:geheim@h/3\"\n"
                                  "sign-key-table = \"csl:a=a.b:s:geheim=,b=%:t:/k, c=c.d:u:"
                                  "geheim\"\nsign-signing-table = \"a@b=a\"\n",
                                  NULL);
    char *printed = conf_effective(conf);

    (void)state;
    assert_string_equal(conf->store_password, "geheim");
    assert_null(strstr(printed, "geheim"));
    assert_non_null(strstr(printed, "redis://user:***@h/3"));
    assert_non_null(strstr(printed, "\"csl:a=a.b:s:***,b=%:t:/k, c=c.d:u:***\""));
    free(printed);
    conf_release(&conf);
}

/* As it is, and with every comment sign before an option or section taken away. */
static void test_defaults(void **state)
{
    char *printed = conf_defaults();
    struct conf *conf = load_good(printed, NULL);
    struct text bare = TEXT_EMPTY;

    (void)state;
    conf_release(&conf);
    for (const char *line = printed; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        size_t skip = line[0] == '#' && line[1] != ' ' ? 1 : 0;

        /* The inside of an example's section begins with blanks too. */
        if (strncmp(line, "#    ", 5) == 0)
            skip = 1;
        text_add(&bare, line + skip, length - skip);
        text_add_char(&bare, '\n');
        line += length + 1;
    }
    conf = load_good(text_string(&bare), NULL);
    assert_int_equal(conf->nclasses, 1);
    assert_int_equal(conf->nsigns, 1);
    assert_int_equal(conf->ncauses, 1);
    assert_int_equal(conf->dns_timeout_ms, 2000);
    for (size_t i = 0; i < schema_option_count; i++)
        if (strstr(printed, schema_options[i].name) == NULL)
            fail_msg("%s is not mentioned", schema_options[i].name);
    conf_release(&conf);
    text_free(&bare);
    free(printed);
}

/* The file that is installed: it loads, and is what the schema says. */
static void test_shipped(void **state)
{
    static const char folders[] = SLUICE_SYSCONFDIR " " SLUICE_LOCALSTATEDIR " " SLUICE_RUNSTATEDIR;
    const char *source = getenv("top_srcdir");
    char *printed = conf_defaults();
    char path[512];
    char *problems = NULL;
    char shipped[65536];
    struct conf *conf;
    FILE *file;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/conf/sluice.conf", source != NULL ? source : ".");
    conf = conf_load(path, NULL, 0, &test_words, &problems);
    if (conf == NULL)
        fail_msg("%s", problems);
    assert_int_equal(conf->mode, MODE_OBSERVE);
    conf_release(&conf);
    file = fopen(path, "r");
    assert_non_null(file);
    shipped[fread(shipped, 1, sizeof(shipped) - 1, file)] = '\0';
    (void)fclose(file);
    /* Where this build has folders of its own, the file names them otherwise. */
    if (strcmp(folders, "/etc/sluice /var/lib/sluice /run/sluice") == 0 &&
        strcmp(printed, shipped) != 0)
        fail_msg("conf/sluice.conf is not what the schema says: make it anew with sluicectl config "
                 "--defaults");
    free(printed);
}

/* How long a folder's name is, is the builder's choice, and a name cannot be broken. */
static bool names_a_folder(const char *line, size_t length)
{
    static const char *const folders[] = {SLUICE_SYSCONFDIR, SLUICE_LOCALSTATEDIR,
                                          SLUICE_RUNSTATEDIR};

    for (size_t i = 0; i < COUNT_OF(folders); i++)
        if (memmem(line, length, folders[i], strlen(folders[i])) != NULL)
            return true;
    return false;
}

static void test_manual(void **state)
{
    char *manual = conf_manual();
    size_t length;

    (void)state;
    for (size_t i = 0; i < schema_option_count; i++) {
        char item[128];

        (void)snprintf(item, sizeof(item), ".It Ic %s\n", schema_options[i].name);
        if (strstr(manual, item) == NULL)
            fail_msg("%s is not in the manual", schema_options[i].name);
    }
    for (const char *line = manual; *line != '\0'; line += length + (line[length] == '\n')) {
        length = strcspn(line, "\n");
        if (length > 80 && !names_a_folder(line, length))
            fail_msg("a line of the manual is too long: %.*s", (int)length, line);
    }
    free(manual);
}

/* Every option is explained, has a type that fits and a default or is mandatory; no name twice. */
static void test_schema(void **state)
{
    (void)state;
    for (size_t i = 0; i < schema_option_count; i++) {
        const struct conf_option *option = &schema_options[i];

        if (option->about == NULL || strlen(option->about) < 10)
            fail_msg("%s is not explained", option->name);
        if (option->about[strlen(option->about) - 1] != '.')
            fail_msg("%s: its explanation is no sentence", option->name);
        if (option->section == SECTION_ROOT && option->fallback == NULL)
            fail_msg("%s has no default", option->name);
        if ((option->type == TYPE_WORD) != (option->words != NULL))
            fail_msg("%s: words and type do not fit", option->name);
        for (size_t j = 0; j < i; j++)
            if (schema_options[j].section == option->section &&
                strcmp(schema_options[j].name, option->name) == 0)
                fail_msg("%s is there twice", option->name);
    }
    for (enum section_kind kind = SECTION_ROOT + 1; kind < SECTION_COUNT; kind++)
        assert_non_null(schema_sections[kind].about);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_effective),  cmocka_unit_test(test_effective_defaults),
        cmocka_unit_test(test_no_secrets), cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_shipped),    cmocka_unit_test(test_manual),
        cmocka_unit_test(test_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
