/* SPDX-License-Identifier: BSD-2-Clause */
/* Types that are stored as words and texts. */
#include "lib/conf/types.h"

#include "lib/base/count.h"
#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/base/strings.h"
#include "lib/base/words.h"
#include "lib/conf/dataset.h"
#include "lib/conf/files.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEMPLATE_MAX ((size_t)16 * 1024) /* octets of a notice */
#define STRING_MAX 512 /* octets of a text that goes into replies */
#define PATH_LENGTH_MAX 4096
#define DATASET_MAX ((size_t)64 * 1024) /* octets of a list, which may hold keys */
#define ACCOUNT_MAX 64
#define DELIMITERS_MAX 8
#define FIELD_MAX 128
#define EXTENSION_MAX 20
#define WORDS_MAX 64

bool type_read_word(struct reading *reading, const char *value)
{
    const char *names[WORDS_MAX];
    size_t count = 0;

    for (const struct option_word *word = reading->option->words; word->word != NULL; word++) {
        if (strcasecmp(word->word, value) == 0) {
            type_store(reading, word->value);
            return true;
        }
        if (count < WORDS_MAX)
            names[count++] = word->word;
    }
    reading->nearest = mem_copy(words_nearest(value, names, count));
    return false;
}

static bool read_action(struct reading *reading, const char *value, size_t first)
{
    const struct conf_words *words = reading->words;

    for (size_t i = first; i < words->nactions; i++) {
        if (strcmp(words->actions[i], value) == 0) {
            type_store(reading, (int64_t)i);
            return true;
        }
    }
    if (words->nactions > first)
        reading->nearest =
            mem_copy(words_nearest(value, words->actions + first, words->nactions - first));
    return false;
}

bool type_read_action(struct reading *reading, const char *value)
{
    return read_action(reading, value, 0);
}

bool type_read_over(struct reading *reading, const char *value)
{
    /* A limit that ignores being over is no limit: "ignore", the weakest action, is left out. */
    return read_action(reading, value, 1);
}

static bool too_long(struct reading *reading, const char *value, size_t max)
{
    if (strlen(value) <= max)
        return false;
    text_print(&reading->why, "it is longer than %zu octets", max);
    return true;
}

bool type_read_string(struct reading *reading, const char *value)
{
    if (too_long(reading, value, STRING_MAX))
        return false;
    type_store_string(reading, mem_copy(value));
    return true;
}

bool type_read_account(struct reading *reading, const char *value)
{
    if (too_long(reading, value, ACCOUNT_MAX) || strpbrk(value, " :/") != NULL)
        return false;
    type_store_string(reading, mem_copy(value));
    return true;
}

bool type_read_delimiters(struct reading *reading, const char *value)
{
    if (too_long(reading, value, DELIMITERS_MAX))
        return false;
    for (const char *p = value; *p != '\0'; p++)
        if (strchr("!#$%&'*+-/=?^_`{|}~.:;,", *p) == NULL)
            return false;
    type_store_string(reading, mem_copy(value));
    return true;
}

bool type_read_hostname(struct reading *reading, const char *value)
{
    char *name = *value != '\0' ? domain_copy(value) : mem_copy("");

    if (name == NULL)
        return false;
    type_store_string(reading, name);
    return true;
}

bool type_read_path(struct reading *reading, const char *value)
{
    if (too_long(reading, value, PATH_LENGTH_MAX))
        return false;
    if (*value == '\0' ? reading->option->mandatory : *value != '/')
        return false;
    type_store_string(reading, mem_copy(value));
    return true;
}

bool type_read_dataset(struct reading *reading, const char *value)
{
    const char *rest;
    const enum dataset_kind kind = dataset_kind(value, &rest);

    if (too_long(reading, value, kind == DATASET_LIST ? DATASET_MAX : PATH_LENGTH_MAX) ||
        (*value != '\0' && kind == DATASET_UNKNOWN))
        return false;
    type_store_string(reading, mem_copy(value));
    return true;
}

bool type_read_files(struct reading *reading, const char *value)
{
    if (too_long(reading, value, PATH_LENGTH_MAX) || *value != '/')
        return false;
    strings_add(type_strings(reading), value);
    return true;
}

bool type_read_mail_log(struct reading *reading, const char *value)
{
    static const char journal[] = "journal:";

    if (too_long(reading, value, PATH_LENGTH_MAX))
        return false;
    if (*value != '/' && strcmp(value, "stdin") != 0 && strcmp(value, "journal") != 0 &&
        (strncmp(value, journal, strlen(journal)) != 0 || value[strlen(journal)] != '/'))
        return false;
    strings_add(type_strings(reading), value);
    return true;
}

bool type_read_secret(struct reading *reading, const char *value)
{
    char *secret = NULL;
    char *problem = NULL;

    if (*value != '\0' && *value != '/')
        return false;
    if (*value == '\0') {
        type_store_string(reading, mem_copy(""));
        return true;
    }
    if (!file_read_secret(value, &secret, &problem)) {
        text_add_string(&reading->why, problem);
        free(reading->expected);
        reading->expected = mem_copy("a file with one line that others cannot read");
        free(problem);
        return false;
    }
    type_store_string(reading, secret);
    return true;
}

bool type_read_selector(struct reading *reading, const char *value)
{
    char *selector = domain_copy(value); /* RFC 6376 §3.1: sub-domains joined by dots */

    if (selector == NULL)
        return false;
    type_store_string(reading, selector);
    return true;
}

bool type_read_log(struct reading *reading, const char *value)
{
    static const char *const words[] = {"syslog", "stderr"};
    size_t count = COUNT_OF(words);
    bool known = (strncmp(value, "file:/", 6) == 0 || strncmp(value, "syslog:/", 8) == 0) &&
                 !too_long(reading, value, PATH_LENGTH_MAX);

    for (size_t i = 0; i < count; i++)
        known = known || strcmp(value, words[i]) == 0;
    if (!known) {
        reading->nearest = mem_copy(words_nearest(value, words, count));
        return false;
    }
    type_store_string(reading, mem_copy(value));
    return true;
}

/* Fields that servers on the way add, change or take away. */
static bool is_of_the_way(const char *name)
{
    static const char *const names[] = {
        "Authentication-Results", "Bcc",         "DKIM-Signature", "Received",
        "Received-SPF",           "Return-Path",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (text_equal_case(names[i], name))
            return true;
    return strncasecmp(name, "ARC-", strlen("ARC-")) == 0;
}

/* A pattern has a whole word before its end; what is oversigned is no pattern. */
static bool is_field(const char *value, bool pattern)
{
    size_t length = strlen(value);

    if (pattern && length > 2 && strcmp(value + length - 2, "-*") == 0)
        length--;
    for (size_t i = 0; i < length; i++)
        if (value[i] <= ' ' || value[i] >= 0x7f || strchr(":*?.\\|()[]{}^$+", value[i]) != NULL)
            return false;
    return length > 0;
}

bool type_read_field(struct reading *reading, const char *value)
{
    const bool pattern = strncmp(reading->option->name, "oversign", strlen("oversign")) != 0;

    if (too_long(reading, value, FIELD_MAX) || !is_field(value, pattern))
        return false;
    if (is_of_the_way(value)) {
        text_add_string(&reading->why, "servers on the way add or change it");
        return false;
    }
    strings_add((struct strings *)(void *)(reading->base + reading->option->offset), value);
    return true;
}

bool type_read_extension(struct reading *reading, const char *value)
{
    size_t length = strlen(value);
    char *lower;

    if (length == 0 || length > EXTENSION_MAX)
        return false;
    if (value[0] == '.') {
        text_add_string(&reading->why, "the dot is not a part of it");
        return false;
    }
    if (strpbrk(value, " ./\\*") != NULL)
        return false;
    lower = text_lower(mem_copy(value));
    strings_add(type_strings(reading), lower);
    free(lower);
    return true;
}

bool type_read_template(struct reading *reading, const char *value)
{
    struct text text = TEXT_EMPTY;
    char *problem = NULL;

    if (*value != '\0' && *value != '/')
        return false;
    if (*value != '\0' && !file_read(value, TEMPLATE_MAX, &text, NULL, &problem)) {
        text_add_string(&reading->why, problem);
        reading->expected = mem_copy("a text of at most 16K");
        text_free(&text);
        free(problem);
        return false;
    }
    type_store_string(reading, mem_copy(text_string(&text)));
    text_free(&text);
    return true;
}
