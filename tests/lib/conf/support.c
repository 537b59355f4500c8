/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading configurations in tests. */
#include "tests/lib/conf/support.h"

#include "lib/base/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const causes[] = {"limit.messages", "limit.near", "dns.spf-fail",
                                     "account.suspended"};
static const char *const actions[] = {"ignore", "log", "warn", "hold", "defer", "reject"};

const struct conf_words test_words = {causes, 4, actions, 6};

static char folder[64];
static char path[256];
static struct strings made;

struct conf *load_text(const char *text, char **problems_r)
{
    return conf_load_text("test.conf", text, strlen(text), NULL, 0, &test_words, problems_r);
}

struct conf *load_good(const char *text, const char *override)
{
    char *problems = NULL;
    struct conf *conf = conf_load_text("test.conf", text, strlen(text), &override,
                                       override != NULL ? 1 : 0, &test_words, &problems);

    if (conf == NULL)
        fail_msg("%s", problems);
    return conf;
}

const char *make_folder(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/sluice-conf-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

const char *make_file(const char *name, const char *text)
{
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    strings_add(&made, path);
    return path;
}

void remove_folder(void)
{
    for (size_t i = 0; i < made.count; i++)
        unlink(made.items[i]);
    strings_free(&made);
    rmdir(folder);
}
