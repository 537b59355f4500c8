/* SPDX-License-Identifier: BSD-2-Clause */
/* Where keys come from: sections, a folder, and OpenDKIM's tables. */
#include "lib/auth/signer.h"

#include "lib/base/count.h"
#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/conf/files.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

/* A key's file by what its name ends with. */
static const struct suffix {
    const char *text;
    enum conf_key_state state;
} suffixes[] = {
    {".pem", KEY_STATE_ACTIVE}, {".publish", KEY_STATE_PUBLISH}, {".retire", KEY_STATE_RETIRE}};
#define WILDCARD "*."

/* A reading that is going on. */
struct reading {
    struct signer_keys *keys;
    const struct signer_keys *previous;
    const struct conf *conf;
    char *problem; /* why it is to fail */
};

/* --- one key -------------------------------------------------------------------------- */

/* The key that was read from the same file before. */
static const struct signer_key *find_previous(const struct signer_keys *previous,
                                              const struct signer_key *key)
{
    for (size_t i = 0; previous != NULL && i < previous->count; i++) {
        const struct signer_key *before = &previous->items[i];

        if (before->problem == NULL && strcmp(before->domain, key->domain) == 0 &&
            strcmp(before->selector, key->selector) == 0 && strcmp(before->path, key->path) == 0)
            return before;
    }
    return NULL;
}

static void read_file(const struct signer_keys *previous, struct signer_key *key)
{
    const struct signer_key *before;

    key->trouble = key_read(key->path, &key->key, &key->problem);
    if (key->trouble != KEY_NOT_PERMITTED)
        return;
    before = find_previous(previous, key);
    if (before == NULL)
        return;
    free(key->problem);
    key->problem = NULL;
    key->trouble = KEY_FINE;
    key->kept = true;
    key_share(&before->key, &key->key);
}

/* A key that waited before a reload goes on where it was. */
static void set_state(struct reading *reading, size_t number, enum conf_key_state state)
{
    struct signer_key *key = &reading->keys->items[number];
    const struct signer_key *before = NULL;

    key->state = state;
    if (state != KEY_STATE_PUBLISH || key->problem != NULL)
        return;
    for (size_t i = 0; reading->previous != NULL && i < reading->previous->count; i++) {
        const struct signer_key *each = &reading->previous->items[i];

        if (each->life != NULL && strcmp(each->domain, key->domain) == 0 &&
            strcmp(each->selector, key->selector) == 0 &&
            EVP_PKEY_eq(each->key.private_key, key->key.private_key) == 1)
            before = each;
    }
    key->life = before != NULL ? key_life_hold(before->life) : key_life_new();
}

/* Returns its number.  source: the option's value that led to it; scope: whom it is for, as the
 * source says. */
static size_t add_key(struct reading *reading, const char *domain, const char *selector,
                      const char *path, const char *source, const char *scope)
{
    struct signer_keys *keys = reading->keys;
    struct signer_key *key;

    keys->items = mem_grow(keys->items, keys->count + 1, sizeof(*keys->items));
    key = &keys->items[keys->count];
    *key = (struct signer_key){
        .domain = mem_copy(domain),
        .selector = mem_copy(selector),
        .path = mem_copy(path),
        .source = mem_copy(source),
        .scope = mem_copy(scope),
    };
    read_file(reading->previous, key);
    return keys->count++;
}

/* The n-th key that came from source before the reload, or NULL.  After it gave up root, the daemon
 * may not be allowed to look again. */
static const struct signer_key *nth_kept(const struct reading *reading, const char *source,
                                         size_t n)
{
    const struct signer_keys *previous = reading->previous;

    for (size_t i = 0; previous != NULL && i < previous->count; i++)
        if (strcmp(previous->items[i].source, source) == 0 && n-- == 0)
            return &previous->items[i];
    return NULL;
}

static void fail(struct reading *reading, const char *option, const char *path, const char *problem)
{
    if (reading->problem == NULL)
        reading->problem = mem_print("%s = %s: %s", option, path, problem);
}

/* --- sign sections -------------------------------------------------------------------- */

static void read_section(struct reading *reading, const struct conf_sign *section)
{
    struct signer_rules *rules = reading->keys->rules;
    char *scope = mem_print("%s%s", section->subdomains ? "." : "", section->domain);
    size_t key = add_key(reading, section->domain, section->selector, section->key, "sign", scope);

    set_state(reading, key, section->state);
    reading->keys->items[key].section = (size_t)(section - reading->conf->signs) + 1;
    signer_rules_own(rules, scope, key);
    for (size_t i = 0; i < section->third_parties.count; i++)
        signer_rules_third_party(rules, section->third_parties.items[i], key);
    free(scope);
}

/* --- a folder: DOMAIN/SELECTOR.pem ---------------------------------------------------- */

/* The names in a folder that are not hidden, or -1. */
static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int list(const char *path, struct dirent ***entries_r)
{
    return scandir(path, entries_r, is_visible, alphasort);
}

static void free_list(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

/* What is not named as a key is none. */
static const struct suffix *key_suffix(const char *name)
{
    const size_t length = strlen(name);

    for (size_t i = 0; i < COUNT_OF(suffixes); i++)
        if (length > strlen(suffixes[i].text) &&
            strcmp(name + length - strlen(suffixes[i].text), suffixes[i].text) == 0)
            return &suffixes[i];
    return NULL;
}

static void read_key_file(struct reading *reading, const char *folder, const char *name,
                          const char *file)
{
    const struct suffix *suffix = key_suffix(file);
    const bool subdomains = strncmp(name, WILDCARD, strlen(WILDCARD)) == 0;
    char *domain = domain_copy(name + (subdomains ? strlen(WILDCARD) : 0));
    char *stem = mem_copy_n(file, strlen(file) - strlen(suffix->text));
    char *selector = domain_copy(stem), *path = mem_print("%s/%s/%s", folder, name, file);

    if (domain != NULL && selector != NULL) {
        char *scope = mem_print("%s%s", subdomains ? "." : "", domain);

        size_t key = add_key(reading, domain, selector, path, folder, scope);

        set_state(reading, key, suffix->state);
        signer_rules_own(reading->keys->rules, scope, key);
        free(scope);
    } else {
        fail(reading, "sign-keys", path, "expected DOMAIN/SELECTOR.pem");
    }
    free(domain);
    free(stem);
    free(selector);
    free(path);
}

/* Calls read_key_file() for each key, or only looks whether all folders can be listed; errno says
 * why not. */
static bool walk(struct reading *reading, const char *folder, bool look)
{
    struct dirent **domains = NULL, **files = NULL;
    int ndomains = list(folder, &domains), error = errno;
    bool complete = ndomains >= 0;

    for (int i = 0; i < ndomains && complete; i++) {
        char *path = mem_print("%s/%s", folder, domains[i]->d_name);
        int nfiles = list(path, &files);

        error = errno;
        complete = nfiles >= 0 || error == ENOTDIR;
        for (int j = 0; j < nfiles; j++)
            if (!look && key_suffix(files[j]->d_name) != NULL)
                read_key_file(reading, folder, domains[i]->d_name, files[j]->d_name);
        if (nfiles >= 0)
            free_list(files, nfiles);
        free(path);
    }
    if (ndomains >= 0)
        free_list(domains, ndomains);
    errno = error;
    return complete;
}

static void read_folder(struct reading *reading, const char *folder)
{
    const struct signer_key *before;

    if (walk(reading, folder, true)) {
        (void)walk(reading, folder, false);
        return;
    }
    if (errno != EACCES || nth_kept(reading, folder, 0) == NULL) {
        fail(reading, "sign-keys", folder, strerror(errno));
        return;
    }
    for (size_t n = 0; (before = nth_kept(reading, folder, n)) != NULL; n++) {
        size_t key =
            add_key(reading, before->domain, before->selector, before->path, folder, before->scope);

        set_state(reading, key, before->state);
        signer_rules_own(reading->keys->rules, before->scope, key);
    }
}

/* --- OpenDKIM's tables ---------------------------------------------------------------- */

/* The value of a table's option, without the type of its dataset. */
static const char *table_path(const char *value, bool *patterns_r)
{
    *patterns_r = strncmp(value, "refile:", strlen("refile:")) == 0;
    return *patterns_r
               ? value + strlen("refile:")
               : value + (strncmp(value, "file:", strlen("file:")) == 0 ? strlen("file:") : 0);
}

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

static void add_named(struct reading *reading, const struct key_entry *entry, const char *path,
                      const char *only_for)
{
    const char *domain =
        only_for != NULL && strcmp(entry->domain, "%") == 0 ? only_for : entry->domain;

    signer_rules_name(reading->keys->rules, entry->name, only_for,
                      add_key(reading, domain, entry->selector, path, entry->key, only_for));
}

/* A key for each domain that has a file. */
static void add_for_domains(struct reading *reading, const struct key_entry *entry)
{
    char *pattern = make_glob(entry->key);
    const struct signer_key *before;
    glob_t found = {.gl_pathc = 0};
    int result = glob(pattern, GLOB_ERR, NULL, &found);

    for (size_t i = 0; result == 0 && i < found.gl_pathc; i++) {
        char *domain = take_out(entry->key, found.gl_pathv[i]);

        if (domain != NULL)
            add_named(reading, entry, found.gl_pathv[i], domain);
        free(domain);
    }
    for (size_t n = 0;
         result == GLOB_ABORTED && (before = nth_kept(reading, entry->key, n)) != NULL; n++)
        if (strcmp(before->selector, entry->selector) == 0)
            add_named(reading, entry, before->path, before->scope);
    globfree(&found);
    free(pattern);
}

/* The lines that the items of NAME=VALUE,NAME=VALUE would be. */
static void split_list(const char *list, struct text *text)
{
    while (*list != '\0') {
        size_t length = strcspn(list, ","), name = strcspn(list, "=,");

        text_add(text, list, name);
        if (name < length) {
            text_add_char(text, ' ');
            text_add(text, list + name + 1, length - name - 1);
        }
        text_add_char(text, '\n');
        list += length + (list[length] == ',');
    }
}

static bool read_table(struct reading *reading, const char *option, const char *value,
                       struct text *text, bool *patterns_r)
{
    const char *path = table_path(value, patterns_r);
    char *problem = NULL;

    if (strncmp(value, "csl:", strlen("csl:")) == 0) {
        split_list(value + strlen("csl:"), text);
        return true;
    }
    if (file_read(path, KEY_TABLE_MAX, text, NULL, &problem))
        return true;
    fail(reading, option, value, problem);
    free(problem);
    return false;
}

static void read_key_table(struct reading *reading)
{
    struct text text = TEXT_EMPTY;
    struct key_table table = {0};
    char *problem = NULL;
    bool patterns;

    if (!read_table(reading, "sign-key-table", reading->conf->sign_key_table, &text, &patterns))
        goto done;
    if (!key_table_parse(text_string(&text), &table, &problem)) {
        fail(reading, "sign-key-table", reading->conf->sign_key_table, problem);
        goto done;
    }
    for (size_t i = 0; i < table.count; i++) {
        if (strchr(table.entries[i].key, '%') != NULL)
            add_for_domains(reading, &table.entries[i]);
        else
            add_named(reading, &table.entries[i], table.entries[i].key, NULL);
    }
done:
    key_table_clear(&table);
    text_free(&text);
    free(problem);
}

static void read_signing_table(struct reading *reading)
{
    const char *value = reading->conf->sign_signing_table;
    struct text text = TEXT_EMPTY;
    struct signing_table table = {0};
    char *problem = NULL;
    bool patterns;

    if (!read_table(reading, "sign-signing-table", value, &text, &patterns))
        goto done;
    if (!signing_table_parse(text_string(&text), &table, &problem) ||
        !signer_rules_table(reading->keys->rules, &table, patterns, reading->conf->sign_all_matches,
                            &problem))
        fail(reading, "sign-signing-table", value, problem);
done:
    signing_table_clear(&table);
    text_free(&text);
    free(problem);
}

/* --- all ------------------------------------------------------------------------------ */

static bool is_set(const char *value)
{
    return value != NULL && *value != '\0';
}

bool signer_keys_read(struct signer_keys *keys, const struct conf *conf,
                      const struct signer_keys *previous, char **problem_r)
{
    struct reading reading = {keys, previous, conf, NULL};

    keys->rules = signer_rules_new();
    for (size_t i = 0; i < conf->nsigns; i++)
        read_section(&reading, &conf->signs[i]);
    if (is_set(conf->sign_keys))
        read_folder(&reading, conf->sign_keys);
    if (is_set(conf->sign_key_table))
        read_key_table(&reading);
    if (is_set(conf->sign_signing_table))
        read_signing_table(&reading);
    if (reading.problem != NULL)
        *problem_r = reading.problem;
    return reading.problem == NULL;
}

void signer_keys_clear(struct signer_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        struct signer_key *key = &keys->items[i];

        free(key->domain);
        free(key->selector);
        free(key->path);
        free(key->source);
        free(key->scope);
        free(key->problem);
        key_life_release(&key->life);
        key_clear(&key->key);
    }
    free(keys->items);
    signer_rules_free(&keys->rules);
    *keys = (struct signer_keys){0};
}
