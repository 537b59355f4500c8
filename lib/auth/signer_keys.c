/* SPDX-License-Identifier: BSD-2-Clause */
/* Where keys come from: sections and a folder; OpenDKIM's tables are in signer_tables.c. */
#include "lib/auth/signer_reading.h"

#include "lib/base/count.h"
#include "lib/base/domain.h"
#include "lib/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A key's file by what its name ends with. */
static const struct suffix {
    const char *text;
    enum conf_key_state state;
} suffixes[] = {
    {".pem", KEY_STATE_ACTIVE}, {".publish", KEY_STATE_PUBLISH}, {".retire", KEY_STATE_RETIRE}};
#define WILDCARD "*."

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
static void set_state(struct signer_reading *reading, size_t number, enum conf_key_state state)
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

/* Whoever can read the table can sign as us too; but OpenDKIM lets it be so. */
static char *exposure_of(const char *path)
{
    struct stat status;

    if (path[0] != '/' || stat(path, &status) != 0 || (status.st_mode & (S_IROTH | S_IWOTH)) == 0)
        return NULL;
    return mem_print("holds the key and can be read or changed by everybody (mode %04o)",
                     (unsigned)status.st_mode & 07777);
}

size_t signer_reading_add(struct signer_reading *reading, const struct signer_place *place)
{
    struct signer_keys *keys = reading->keys;
    struct signer_key *key;

    keys->items = mem_grow(keys->items, keys->count + 1, sizeof(*keys->items));
    key = &keys->items[keys->count];
    *key = (struct signer_key){
        .domain = mem_copy(place->domain),
        .selector = mem_copy(place->selector),
        .path = mem_copy(place->path),
        .source = mem_copy(place->source),
        .scope = mem_copy(place->scope),
    };
    if (place->text == NULL) {
        read_file(reading->previous, key);
    } else {
        key->trouble = key_parse(place->text, strlen(place->text), &key->key, &key->problem);
        if (key->trouble == KEY_FINE)
            key->exposure = exposure_of(key->path);
    }
    return keys->count++;
}

const struct signer_key *signer_reading_kept(const struct signer_reading *reading,
                                             const char *source, size_t n)
{
    const struct signer_keys *previous = reading->previous;

    for (size_t i = 0; previous != NULL && i < previous->count; i++)
        if (strcmp(previous->items[i].source, source) == 0 && n-- == 0)
            return &previous->items[i];
    return NULL;
}

void signer_reading_fail(struct signer_reading *reading, const char *option, const char *value,
                         const char *problem)
{
    if (reading->problem == NULL)
        reading->problem = mem_print("%s = %s: %s", option, value, problem);
}

/* --- sign sections -------------------------------------------------------------------- */

static void read_section(struct signer_reading *reading, const struct conf_sign *section)
{
    struct signer_rules *rules = reading->keys->rules;
    char *scope = mem_print("%s%s", section->subdomains ? "." : "", section->domain);
    size_t key = signer_reading_add(reading, &(struct signer_place){.domain = section->domain,
                                                                    .selector = section->selector,
                                                                    .path = section->key,
                                                                    .source = "sign",
                                                                    .scope = scope});

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

static void read_key_file(struct signer_reading *reading, const char *folder, const char *name,
                          const char *file)
{
    const struct suffix *suffix = key_suffix(file);
    const bool subdomains = strncmp(name, WILDCARD, strlen(WILDCARD)) == 0;
    char *domain = domain_copy(name + (subdomains ? strlen(WILDCARD) : 0));
    char *stem = mem_copy_n(file, strlen(file) - strlen(suffix->text));
    char *selector = domain_copy(stem), *path = mem_print("%s/%s/%s", folder, name, file);

    if (domain != NULL && selector != NULL) {
        char *scope = mem_print("%s%s", subdomains ? "." : "", domain);
        size_t key = signer_reading_add(
            reading, &(struct signer_place){domain, selector, path, folder, scope, NULL});

        set_state(reading, key, suffix->state);
        signer_rules_own(reading->keys->rules, scope, key);
        free(scope);
    } else {
        signer_reading_fail(reading, "sign-keys", path, "expected DOMAIN/SELECTOR.pem");
    }
    free(domain);
    free(stem);
    free(selector);
    free(path);
}

/* Calls read_key_file() for each key, or only looks whether all folders can be listed; errno says
 * why not. */
static bool walk(struct signer_reading *reading, const char *folder, bool look)
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

static void read_folder(struct signer_reading *reading, const char *folder)
{
    const struct signer_key *before;

    if (walk(reading, folder, true)) {
        (void)walk(reading, folder, false);
        return;
    }
    if (errno != EACCES || signer_reading_kept(reading, folder, 0) == NULL) {
        signer_reading_fail(reading, "sign-keys", folder, strerror(errno));
        return;
    }
    for (size_t n = 0; (before = signer_reading_kept(reading, folder, n)) != NULL; n++) {
        size_t key = signer_reading_add(
            reading, &(struct signer_place){before->domain, before->selector, before->path, folder,
                                            before->scope, NULL});

        set_state(reading, key, before->state);
        signer_rules_own(reading->keys->rules, before->scope, key);
    }
}

/* --- all ------------------------------------------------------------------------------ */

static bool is_set(const char *value)
{
    return value != NULL && *value != '\0';
}

bool signer_keys_read(struct signer_keys *keys, const struct conf *conf,
                      const struct signer_keys *previous, char **problem_r)
{
    struct signer_reading reading = {keys, previous, conf, NULL};

    keys->rules = signer_rules_new();
    for (size_t i = 0; i < conf->nsigns; i++)
        read_section(&reading, &conf->signs[i]);
    if (is_set(conf->sign_keys))
        read_folder(&reading, conf->sign_keys);
    if (is_set(conf->sign_key_table))
        signer_reading_key_table(&reading);
    if (is_set(conf->sign_signing_table))
        signer_reading_signing_table(&reading);
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
        free(key->exposure);
        key_life_release(&key->life);
        key_clear(&key->key);
    }
    free(keys->items);
    signer_rules_free(&keys->rules);
    *keys = (struct signer_keys){0};
}
