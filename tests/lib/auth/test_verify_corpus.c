/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verification against messages that others collected, where they are there: index.tsv in the
 * folder dkim of $SLUICE_CORPORA or of ../shared/corpora beside the sources.  Elsewhere nothing is
 * tested.
 */
#include "ctl/mail.h"
#include "lib/auth/verify.h"
#include "lib/base/mem.h"
#include "tests/lib/auth/zone.h"
#include "tests/support/corpora.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_LEAST 80
#define NOW_SEC INT64_C(1764000000)

enum column { FILE_NAME, EXPECTED = 2, ZONE_FILE = 5, COLUMNS = 6 };

static FILE *open_in(const char *folder, const char *name)
{
    char *path = mem_print("%s/%s", folder, name);
    FILE *file = fopen(path, "r");

    free(path);
    return file;
}

/* name<TAB>TXT, or a word for an answer that is none. */
static struct zone *read_zone(const char *folder, const char *name)
{
    struct zone *zone = zone_new();
    FILE *file = open_in(folder, name);
    char *line = NULL;
    size_t room = 0;

    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        char *value = strchr(line, '\t');

        line[strcspn(line, "\r\n")] = '\0';
        if (*line == '#' || value == NULL)
            continue;
        *value++ = '\0';
        if (strcmp(value, "TIMEOUT") == 0 || strcmp(value, "SERVFAIL") == 0)
            zone_add(zone, line, "FAIL", "TXT");
        else if (strcmp(value, "\"\"") == 0)
            zone_add_txt(zone, line, "", 0);
        else if (strcmp(value, "NXDOMAIN") != 0)
            zone_add_txt(zone, line, value, strlen(value));
    }
    free(line);
    (void)fclose(file);
    return zone;
}

static bool learn(const struct lookup *lookup, void *context)
{
    return verify_learn_keys(context, lookup);
}

/* What the message as a whole gets: a pass of one signature, else the first one's result. */
static const char *result_of(const struct verify *verify)
{
    if (verify->count == 0)
        return "none";
    for (size_t i = 0; i < verify->count; i++)
        if (verify->signatures[i].status == VERIFY_PASS)
            return "pass";
    return verify_status_name(verify->signatures[0].status);
}

/* "pass", "!pass", or words with '|' between them. */
static bool is_wanted(const char *wanted, const char *result)
{
    if (*wanted == '!')
        return strcmp(wanted + 1, result) != 0;
    for (;;) {
        size_t length = strcspn(wanted, "|");

        if (strlen(result) == length && strncmp(wanted, result, length) == 0)
            return true;
        if (wanted[length] == '\0')
            return false;
        wanted += length + 1;
    }
}

/* The index calls it unsigned, since it is an input for signing there; it carries its first
 * sender's signature all the same, whose key is long gone. */
static const char misread[] = "dkimpy/unsigned-message.mbox.eml";

static const char *expected_of(char *const columns[COLUMNS])
{
    return strcmp(columns[FILE_NAME], misread) == 0 ? "permerror|neutral" : columns[EXPECTED];
}

static bool check_row(const char *folder, char *const columns[COLUMNS])
{
    char *path = mem_print("%s/%s", folder, columns[FILE_NAME]);
    struct zone *zone = read_zone(folder, columns[ZONE_FILE]);
    struct mail mail;
    struct verify *verify;
    char *problem = NULL;
    bool good;

    assert_true(mail_read(path, &mail, &problem));
    verify = verify_new(mail.message, false, NOW_SEC);
    verify_body(verify, mail.body, mail.body_length);
    verify_body_end(verify);
    assert_true(zone_run(zone, true, learn, verify) > 0);
    verify_judge(verify);
    good = is_wanted(expected_of(columns), result_of(verify));
    if (!good)
        print_error("%s: %s (%s), not %s\n", columns[FILE_NAME], result_of(verify),
                    verify->count > 0 && verify->signatures[0].problem != NULL
                        ? verify->signatures[0].problem
                        : "-",
                    expected_of(columns));
    verify_free(&verify);
    mail_free(&mail);
    zone_free(&zone);
    free(path);
    return good;
}

static bool check_line(const char *folder, char *line)
{
    char *columns[COLUMNS];

    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = strsep(&line, "\t");
    assert_non_null(columns[COLUMNS - 1]);
    return check_row(folder, columns);
}

static void test_corpus(void **state)
{
    char *folder = corpora_path("dkim");
    FILE *file = open_in(folder, "index.tsv");
    char *line = NULL;
    size_t room = 0;
    unsigned rows = 0, good = 0;

    (void)state;
    if (file == NULL) {
        free(folder);
        skip();
    }
    assert_true(getline(&line, &room, file) > 0);
    while (getline(&line, &room, file) > 0) {
        rows++;
        good += check_line(folder, line);
    }
    free(line);
    free(folder);
    (void)fclose(file);
    assert_true(rows >= ROWS_LEAST);
    assert_int_equal(good, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
