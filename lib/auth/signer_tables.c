/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of OpenDKIM's KeyTable, and who signs with them: its SigningTable. */
#include "lib/auth/signer_reading.h"

#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/conf/dataset.h"
#include "lib/conf/files.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One of the two tables while it is read. */
struct table {
    const char *option, *value;
    enum dataset_kind kind;
    char *path; /* of its file; the option's name where it is a list */
    struct text text;
};

static enum table_form form_of(const struct table *table)
{
    return table->kind == DATASET_LIST ? TABLE_LIST : TABLE_LINES;
}

/* A list may hold keys: it is not for messages. */
static void fail(struct signer_reading *reading, const struct table *table, const char *problem)
{
    signer_reading_fail(reading, table->option,
                        table->kind == DATASET_LIST ? "csl:..." : table->value, problem);
}

/* --- paths ---------------------------------------------------------------------------- */

/* path, or template where every % is domain. */
static char *fill_in(const char *template, const char *domain)
{
    struct text path = TEXT_EMPTY;

    for (; *template != '\0'; template ++)
        if (*template == '%')
            text_add_string(&path, domain);
        else
            text_add_char(&path, *template);
    return text_take(&path);
}

/* What the % in template stands for in path, or NULL.  The caller frees it. */
static char *take_out(const char *template, const char *path)
{
    size_t before = strcspn(template, "%");

    for (size_t length = 1; before + length <= strlen(path); length++) {
        char *text = mem_copy_n(path + before, length), *filled = fill_in(template, text);
        char *domain = strcmp(filled, path) == 0 ? domain_copy(text) : NULL;

        free(text);
        free(filled);
        if (domain != NULL)
            return domain;
    }
    return NULL;
}

static char *make_glob(const char *template)
{
    struct text pattern = TEXT_EMPTY;

    for (; *template != '\0'; template ++) {
        if (strchr("*?[]\\", *template) != NULL)
            text_add_char(&pattern, '\\');
        text_add_char(&pattern, *template == '%' ? '*' : *template);
    }
    return text_take(&pattern);
}

static char *join(const char *folder, const char *path)
{
    return mem_print("%s/%s", folder, strncmp(path, "./", 2) == 0 ? path + 2 : path);
}

/* Whether the file is there, for one domain at least. */
static bool is_there(const char *template)
{
    char *pattern = make_glob(template);
    glob_t found = {.gl_pathc = 0};
    const bool there = glob(pattern, 0, NULL, &found) == 0;

    globfree(&found);
    free(pattern);
    return there;
}

/* The path from the root.  beside: a table's file in whose folder it may be too, or NULL.  The
 * caller frees it. */
static char *resolve(const struct signer_reading *reading, const char *path, const char *beside)
{
    const char *base = reading->conf->sign_base_directory;
    char here[PATH_MAX], *found, *folder, *other;

    if (path[0] == '/')
        return mem_copy(path);
    if (base != NULL && *base != '\0')
        return join(base, path);
    found = getcwd(here, sizeof(here)) != NULL ? join(here, path) : mem_copy(path);
    if (beside == NULL || is_there(found))
        return found;
    folder = mem_copy_n(beside, (size_t)(strrchr(beside, '/') - beside));
    other = join(folder, path);
    free(folder);
    if (!is_there(other)) {
        free(other);
        return found;
    }
    free(found);
    return other;
}

/* --- KeyTable ------------------------------------------------------------------------- */

/* Under the entry's name, for all From domains or for one only. */
static void add_named(struct signer_reading *reading, const struct key_entry *entry,
                      const struct signer_place *place)
{
    struct signer_place own = *place;

    own.selector = entry->selector;
    own.domain =
        place->scope != NULL && strcmp(entry->domain, "%") == 0 ? place->scope : entry->domain;
    signer_rules_name(reading->keys->rules, entry->name, place->scope,
                      signer_reading_add(reading, &own));
}

/* A key for each From domain that has a file. */
static void add_for_domains(struct signer_reading *reading, const struct key_entry *entry,
                            const char *template)
{
    char *pattern = make_glob(template);
    const struct signer_key *before;
    glob_t found = {.gl_pathc = 0};
    int result = glob(pattern, GLOB_ERR, NULL, &found);

    signer_rules_declare(reading->keys->rules, entry->name);
    for (size_t i = 0; result == 0 && i < found.gl_pathc; i++) {
        char *domain = take_out(template, found.gl_pathv[i]);

        if (domain != NULL)
            add_named(reading, entry,
                      &(struct signer_place){
                          .path = found.gl_pathv[i], .source = template, .scope = domain});
        free(domain);
    }
    for (size_t n = 0;
         result == GLOB_ABORTED && (before = signer_reading_kept(reading, template, n)) != NULL;
         n++)
        if (strcmp(before->selector, entry->selector) == 0)
            add_named(reading, entry,
                      &(struct signer_place){
                          .path = before->path, .source = template, .scope = before->scope});
    globfree(&found);
    free(pattern);
}

/* opendkim.conf(5) has % in a path stand for the From domain, and the program for the domain that
 * the table names, where it names one. */
static void add_file(struct signer_reading *reading, const struct key_entry *entry,
                     const char *table_path)
{
    char *path = resolve(reading, entry->key, table_path[0] == '/' ? table_path : NULL);
    char *fixed = fill_in(path, strcmp(entry->domain, "%") != 0 ? entry->domain : "%");

    if (strchr(fixed, '%') == NULL && (strchr(path, '%') == NULL || access(fixed, F_OK) == 0))
        add_named(reading, entry, &(struct signer_place){.path = fixed, .source = path});
    else
        add_for_domains(reading, entry, path);
    free(fixed);
    free(path);
}

static void add_entry(struct signer_reading *reading, const struct key_entry *entry,
                      const struct table *table)
{
    struct signer_key *key;
    char *problem;

    if (signer_rules_has_name(reading->keys->rules, entry->name))
        return;
    if (key_entry_is_path(entry)) {
        add_file(reading, entry, table->path);
        return;
    }
    add_named(
        reading, entry,
        &(struct signer_place){.path = table->path, .source = table->path, .text = entry->key});
    key = &reading->keys->items[reading->keys->count - 1];
    if (key->problem == NULL)
        return;
    problem = mem_print("%s (%s %u)", key->problem, table_form_unit(form_of(table)), entry->number);
    free(key->problem);
    key->problem = problem;
}

/* --- both ----------------------------------------------------------------------------- */

/* Ends with close_table() either way. */
static bool open_table(struct signer_reading *reading, const char *option, const char *value,
                       struct table *table_r)
{
    const char *rest;
    char *problem = NULL;

    *table_r = (struct table){.option = option, .value = value};
    table_r->kind = dataset_kind(value, &rest);
    if (table_r->kind == DATASET_LIST) {
        table_r->path = mem_copy(option);
        text_add_string(&table_r->text, rest);
        return true;
    }
    table_r->path = resolve(reading, rest, NULL);
    if (file_read(table_r->path, KEY_TABLE_MAX, &table_r->text, NULL, &problem))
        return true;
    fail(reading, table_r, problem);
    free(problem);
    return false;
}

static void close_table(struct table *table)
{
    if (table->text.bytes != NULL)
        explicit_bzero(table->text.bytes, table->text.length);
    text_free(&table->text);
    free(table->path);
}

void signer_reading_key_table(struct signer_reading *reading)
{
    struct table table;
    struct key_table keys = {0};
    char *problem = NULL;

    if (!open_table(reading, "sign-key-table", reading->conf->sign_key_table, &table))
        goto done;
    if (!key_table_parse(text_string(&table.text), form_of(&table), &keys, &problem)) {
        fail(reading, &table, problem);
        goto done;
    }
    if (table.kind == DATASET_PATTERNS)
        signer_rules_name_patterns(reading->keys->rules);
    for (size_t i = 0; i < keys.count; i++)
        add_entry(reading, &keys.entries[i], &table);
done:
    key_table_clear(&keys);
    close_table(&table);
    free(problem);
}

void signer_reading_signing_table(struct signer_reading *reading)
{
    struct table table;
    struct signing_table lines = {0};
    char *problem = NULL;

    if (open_table(reading, "sign-signing-table", reading->conf->sign_signing_table, &table) &&
        (!signing_table_parse(text_string(&table.text), form_of(&table), &lines, &problem) ||
         !signer_rules_table(reading->keys->rules, &lines, table.kind == DATASET_PATTERNS,
                             reading->conf->sign_all_matches, &problem)))
        fail(reading, &table, problem);
    signing_table_clear(&lines);
    close_table(&table);
    free(problem);
}
