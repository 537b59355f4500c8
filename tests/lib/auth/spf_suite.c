/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/auth/spf_suite.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/support/corpora.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The suite writes octets as the characters of the same numbers. */
static void add_octets(struct text *text, json_t *string)
{
    const char *bytes = json_string_value(string);
    size_t length = json_string_length(string);

    for (size_t i = 0; i < length; i++) {
        unsigned char octet = (unsigned char)bytes[i];

        if (octet >= 0xc0 && i + 1 < length) {
            unsigned char next = (unsigned char)bytes[++i];

            text_add_char(text, (char)(((octet & 3) << 6) | (next & 0x3f)));
        } else {
            text_add_char(text, bytes[i]);
        }
    }
}

static void add_txt(struct zone *zone, const char *name, json_t *value)
{
    struct text text = TEXT_EMPTY;
    json_t *part;
    size_t i;

    if (json_is_array(value))
        json_array_foreach(value, i, part) add_octets(&text, part);
    else
        add_octets(&text, value);
    zone_add_txt(zone, name, text_string(&text), text.length);
    text_free(&text);
}

static bool has_txt(json_t *entries)
{
    json_t *entry;
    size_t i;

    json_array_foreach(entries, i, entry) if (json_is_object(entry) &&
                                              json_object_get(entry, "TXT") != NULL) return true;
    return false;
}

/* A record of type SPF is a TXT record, too, unless the name has TXT records of its own. */
static void add_entry(struct zone *zone, const char *name, json_t *entry, bool own_txt)
{
    const char *type;
    json_t *value;

    if (json_is_string(entry)) {
        zone_add(zone, name, "FAIL", "any");
        return;
    }
    json_object_foreach(entry, type, value)
    {
        if (strcmp(type, "SPF") == 0) {
            if (!own_txt)
                add_txt(zone, name, value);
        } else if (strcmp(type, "TXT") == 0) {
            if (!json_is_string(value) || strcmp(json_string_value(value), "NONE") != 0)
                add_txt(zone, name, value);
        } else if (strcmp(type, "MX") == 0) {
            char *line = mem_print("%d %s", (int)json_integer_value(json_array_get(value, 0)),
                                   json_string_value(json_array_get(value, 1)));

            zone_add(zone, name, "MX", line);
            free(line);
        } else {
            zone_add(zone, name, type, json_string_value(value));
        }
    }
}

static struct zone *read_zone(json_t *row)
{
    struct zone *zone = zone_new();
    const char *name;
    json_t *entries, *entry;
    size_t i;

    json_object_foreach(json_object_get(row, "zone"), name, entries)
        json_array_foreach(entries, i, entry) add_entry(zone, name, entry, has_txt(entries));
    return zone;
}

static bool is_wanted(json_t *row, const struct spf_result *result)
{
    const char *explanation = json_string_value(json_object_get(row, "explanation"));
    bool wanted = false;
    json_t *word;
    size_t i;

    json_array_foreach(json_object_get(row, "result"), i, word) wanted =
        wanted || strcmp(json_string_value(word), spf_status_name(result->status)) == 0;
    if (explanation == NULL)
        return wanted;
    if (strcmp(explanation, "DEFAULT") == 0)
        return wanted && result->explanation == NULL;
    return wanted && result->explanation != NULL && strcmp(result->explanation, explanation) == 0;
}

static void print_unwanted(const struct spf_suite_case *one, const struct spf_result *result)
{
    fprintf(stderr, "%s: %s, explanation %s, problem %s\n", one->name,
            spf_status_name(result->status),
            result->explanation != NULL ? result->explanation : "none",
            result->problem != NULL ? result->problem : "none");
}

static bool run_row(json_t *row, spf_suite_runner *run, void *context)
{
    struct spf_suite_case one = {
        .name = json_string_value(json_object_get(row, "name")),
        .query = {.helo = json_string_value(json_object_get(row, "helo")),
                  .sender = json_string_value(json_object_get(row, "mailfrom"))},
        .zone = read_zone(row),
    };
    struct spf_result result = {.status = SPF_NONE};
    bool good = ip_parse(json_string_value(json_object_get(row, "host")), &one.query.client);

    if (good)
        run(&one, &result, context);
    good = good && is_wanted(row, &result);
    if (!good)
        print_unwanted(&one, &result);
    spf_result_clear(&result);
    zone_free(&one.zone);
    return good;
}

bool spf_suite_run(spf_suite_runner *run, void *context, unsigned *all_r, unsigned *good_r)
{
    FILE *file = corpora_open("spf/rfc7208-tests.jsonl");
    char *line = NULL;
    size_t room = 0;

    *all_r = *good_r = 0;
    if (file == NULL)
        return false;
    while (getline(&line, &room, file) > 0) {
        json_t *row = json_loads(line, JSON_ALLOW_NUL, NULL);

        ++*all_r;
        *good_r += row != NULL && run_row(row, run, context);
        json_decref(row);
    }
    free(line);
    (void)fclose(file);
    return true;
}
