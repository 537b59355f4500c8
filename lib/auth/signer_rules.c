/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/signer_rules.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

struct named_key {
    size_t key;
    char *only_for;
};

struct key_list {
    struct named_key *keys;
    size_t count;
    size_t place; /* among the lists of its map, in the order in which they came */
};

/* A name of the KeyTable that stands for many. */
struct name_pattern {
    char *pattern;
    const struct key_list *keys;
};

/* The lines of the SigningTable with one pattern. */
struct line_list {
    size_t *lines;
    size_t count;
};

struct signer_rules {
    struct map *own, *third_party; /* by domain: struct key_list */
    struct map *names; /* of the KeyTable: struct key_list */
    struct name_pattern *name_patterns; /* of the KeyTable, where it is a refile; as there */
    size_t nname_patterns;
    struct map *lines; /* by pattern, where the table is no refile: struct line_list */
    struct signing_table table;
    bool patterns, all, names_are_patterns;
};

struct signer_rules *signer_rules_new(void)
{
    struct signer_rules *rules = mem_new(1, sizeof(*rules));

    rules->own = map_new();
    rules->third_party = map_new();
    rules->names = map_new();
    rules->lines = map_new();
    return rules;
}

static void free_keys(void *value)
{
    struct key_list *list = value;

    for (size_t i = 0; i < list->count; i++)
        free(list->keys[i].only_for);
    free(list->keys);
    free(list);
}

static void free_lines(void *value)
{
    struct line_list *list = value;

    free(list->lines);
    free(list);
}

void signer_rules_free(struct signer_rules **rules)
{
    if (*rules == NULL)
        return;
    map_free(&(*rules)->own, free_keys);
    map_free(&(*rules)->third_party, free_keys);
    map_free(&(*rules)->names, free_keys);
    map_free(&(*rules)->lines, free_lines);
    for (size_t i = 0; i < (*rules)->nname_patterns; i++)
        free((*rules)->name_patterns[i].pattern);
    free((*rules)->name_patterns);
    signing_table_clear(&(*rules)->table);
    free(*rules);
    *rules = NULL;
}

/* --- making them ---------------------------------------------------------------------- */

static struct key_list *make_list(struct map *map, const char *name)
{
    struct key_list *list = map_peek(map, name, strlen(name));

    if (list == NULL) {
        list = mem_new(1, sizeof(*list));
        list->place = map_count(map);
        (void)map_put(map, name, strlen(name), list);
    }
    return list;
}

static void add_key(struct map *map, const char *name, const char *only_for, size_t key)
{
    struct key_list *list = make_list(map, name);

    list->keys = mem_grow(list->keys, list->count + 1, sizeof(*list->keys));
    list->keys[list->count++] = (struct named_key){key, mem_copy(only_for)};
}

void signer_rules_own(struct signer_rules *rules, const char *domain, size_t key)
{
    add_key(rules->own, domain, NULL, key);
}

void signer_rules_third_party(struct signer_rules *rules, const char *domain, size_t key)
{
    add_key(rules->third_party, domain, NULL, key);
}

void signer_rules_declare(struct signer_rules *rules, const char *name)
{
    const struct key_list *list;

    if (signer_rules_has_name(rules, name))
        return;
    list = make_list(rules->names, name);
    if (!rules->names_are_patterns || strchr(name, '*') == NULL)
        return;
    rules->name_patterns =
        mem_grow(rules->name_patterns, rules->nname_patterns + 1, sizeof(*rules->name_patterns));
    rules->name_patterns[rules->nname_patterns++] = (struct name_pattern){mem_copy(name), list};
}

void signer_rules_name(struct signer_rules *rules, const char *name, const char *only_for,
                       size_t key)
{
    signer_rules_declare(rules, name);
    add_key(rules->names, name, only_for, key);
}

bool signer_rules_has_name(const struct signer_rules *rules, const char *name)
{
    return map_peek(rules->names, name, strlen(name)) != NULL;
}

void signer_rules_name_patterns(struct signer_rules *rules)
{
    rules->names_are_patterns = true;
}

/* The keys of a name; of several names that mean it the first counts.  NULL: there are none. */
static const struct key_list *find_name(const struct signer_rules *rules, const char *name)
{
    const struct key_list *list = map_peek(rules->names, name, strlen(name));

    for (size_t i = 0; i < rules->nname_patterns; i++) {
        const struct name_pattern *each = &rules->name_patterns[i];

        if (list != NULL && list->place < each->keys->place)
            break;
        if (signer_pattern_matches(each->pattern, name))
            return each->keys;
    }
    return list;
}

static void add_line(struct map *map, const char *pattern, size_t line)
{
    struct line_list *list = map_peek(map, pattern, strlen(pattern));

    if (list == NULL) {
        list = mem_new(1, sizeof(*list));
        (void)map_put(map, pattern, strlen(pattern), list);
    }
    list->lines = mem_grow(list->lines, list->count + 1, sizeof(*list->lines));
    list->lines[list->count++] = line;
}

bool signer_rules_table(struct signer_rules *rules, struct signing_table *table, bool patterns,
                        bool all, char **problem_r)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct signing_entry *entry = &table->entries[i];

        if (strcmp(entry->name, "%") != 0 && find_name(rules, entry->name) == NULL) {
            *problem_r = mem_print("%s %u: sign-key-table has no key %s",
                                   table_form_unit(table->form), entry->number, entry->name);
            return false;
        }
        if (!patterns)
            add_line(rules->lines, entry->pattern, i);
    }
    rules->table = *table;
    *table = (struct signing_table){0};
    rules->patterns = patterns;
    rules->all = all;
    return true;
}

/* --- matching ------------------------------------------------------------------------- */

struct matching {
    const struct signer_rules *rules;
    const char *domain; /* of the From address */
    struct signer_match *matches;
    size_t count;
};

static void add_match(struct matching *matching, size_t key, const char *signer)
{
    for (size_t i = 0; i < matching->count; i++)
        if (matching->matches[i].key == key)
            return;
    if (matching->count < CONF_SIGNS_MAX)
        matching->matches[matching->count++] = (struct signer_match){key, signer};
}

/* Whether there is a list; its keys are added. */
static bool add_list(struct matching *matching, const struct key_list *list, const char *signer)
{
    if (list == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (list->keys[i].only_for == NULL || strcmp(list->keys[i].only_for, matching->domain) == 0)
            add_match(matching, list->keys[i].key, signer);
    return true;
}

static bool add_domain(struct matching *matching, const struct map *map, const char *domain)
{
    return add_list(matching, map_peek(map, domain, strlen(domain)), NULL);
}

/* The domain itself, then what it is below, the nearest first. */
static void add_domains(struct matching *matching, const struct map *map, bool nearest_only)
{
    bool found = add_domain(matching, map, matching->domain);

    for (const char *dot = strchr(matching->domain, '.'); dot != NULL && !(found && nearest_only);
         dot = strchr(dot + 1, '.'))
        found = add_domain(matching, map, dot) || found;
}

bool signer_pattern_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;

    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

/* Whether no more matches are asked for. */
static bool add_entry(struct matching *matching, const struct signing_entry *entry)
{
    const char *name = strcmp(entry->name, "%") == 0 ? matching->domain : entry->name;

    return add_list(matching, find_name(matching->rules, name), entry->signer) &&
           !matching->rules->all;
}

static void match_patterns(struct matching *matching, const char *address)
{
    const struct signing_table *table = &matching->rules->table;

    for (size_t i = 0; i < table->count; i++)
        if (signer_pattern_matches(table->entries[i].pattern, address) &&
            add_entry(matching, &table->entries[i]))
            return;
}

static bool match_line(struct matching *matching, const char *user, const char *host)
{
    char *pattern = mem_print("%s%s", user, host);
    const struct line_list *list = map_peek(matching->rules->lines, pattern, strlen(pattern));
    bool done = false;

    for (size_t i = 0; list != NULL && i < list->count && !done; i++)
        done = add_entry(matching, &matching->rules->table.entries[list->lines[i]]);
    free(pattern);
    return done;
}

/* user, or nobody, at each domain that the From domain is below. */
static bool match_parents(struct matching *matching, const char *user)
{
    bool done = false;

    for (const char *dot = strchr(matching->domain, '.'); dot != NULL && !done;
         dot = strchr(dot + 1, '.'))
        done = match_line(matching, user, dot);
    return done;
}

/* The order of opendkim.conf(5). */
static void match_lines(struct matching *matching, const char *user)
{
    (void)(match_line(matching, user, matching->domain) ||
           match_line(matching, "", matching->domain) || match_parents(matching, user) ||
           match_parents(matching, "") || match_line(matching, user, "*") ||
           match_line(matching, "", "*"));
}

size_t signer_rules_match(const struct signer_rules *rules, const struct address *from,
                          struct signer_match matches_r[CONF_SIGNS_MAX])
{
    struct matching matching = {.rules = rules, .domain = from->domain, .matches = matches_r};

    add_domains(&matching, rules->own, true);
    add_domains(&matching, rules->third_party, false);
    if (rules->table.count > 0) {
        char *user = mem_print("%s@", from->local);
        char *address = text_lower(mem_print("%s%s", user, from->domain));

        if (rules->patterns)
            match_patterns(&matching, address);
        else
            match_lines(&matching, text_lower(user));
        free(user);
        free(address);
    }
    return matching.count;
}
