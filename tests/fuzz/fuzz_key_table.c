/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenDKIM's tables as somebody wrote them: a KeyTable, a SigningTable and a From address, parted
 * by lines with a dash.  What is read is whole, and each key matches once. */
#include "lib/auth/signer_rules.h"
#include "lib/base/mem.h"
#include "tests/fuzz/fuzz.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MOST 16384
#define PART "\n-\n"

static char *take_part(char **rest)
{
    char *part = *rest, *end = strstr(part, PART);

    *rest = end != NULL ? end + strlen(PART) : part + strlen(part);
    if (end != NULL)
        *end = '\0';
    return part;
}

static void check_tables(const struct key_table *keys, const struct signing_table *signing)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct key_entry *entry = &keys->entries[i];

        must(entry->name[0] != '\0' && entry->domain[0] != '\0' && entry->selector[0] != '\0');
        must(entry->key[0] != '\0' && entry->number > 0);
        must(key_entry_is_path(entry) ==
             (entry->key[strspn(entry->key, ".")] == '/' && strspn(entry->key, ".") <= 2));
    }
    for (size_t i = 0; i < signing->count; i++)
        must(signing->entries[i].pattern[0] != '\0' && signing->entries[i].name[0] != '\0');
}

static void match(const struct signer_rules *rules, const struct address *from, size_t keys)
{
    struct signer_match matches[CONF_SIGNS_MAX];
    size_t count = signer_rules_match(rules, from, matches);

    must(count <= CONF_SIGNS_MAX);
    for (size_t i = 0; i < count; i++) {
        must(matches[i].key < keys);
        for (size_t j = 0; j < i; j++)
            must(matches[j].key != matches[i].key);
    }
}

static void try_rules(const struct key_table *keys, struct signing_table *signing, bool patterns,
                      bool all, const char *address_text)
{
    struct signer_rules *rules = signer_rules_new();
    struct address address;
    char *problem = NULL;

    if (patterns)
        signer_rules_name_patterns(rules);
    for (size_t i = 0; i < keys->count; i++)
        signer_rules_name(rules, keys->entries[i].name, NULL, i);
    if (signer_rules_table(rules, signing, patterns, all, &problem)) {
        if (address_parse(address_text, false, &address) == ADDRESS_FINE && address.domain[0])
            match(rules, &address, keys->count);
        address_clear(&address);
    } else {
        must(problem != NULL);
    }
    free(problem);
    signer_rules_free(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = size <= SIZE_MOST ? mem_copy_n((const char *)data, size) : NULL;
    char *rest = text, *key_text, *signing_text, *problem = NULL;

    if (text == NULL)
        return 0;
    key_text = take_part(&rest);
    signing_text = take_part(&rest);
    for (unsigned way = 0; way < 8; way++) {
        const enum table_form form = (way & 4) != 0 ? TABLE_LIST : TABLE_LINES;
        struct key_table keys = {0};
        struct signing_table signing = {0};

        if (key_table_parse(key_text, form, &keys, &problem) &&
            signing_table_parse(signing_text, form, &signing, &problem)) {
            must(problem == NULL);
            check_tables(&keys, &signing);
            try_rules(&keys, &signing, (way & 1) != 0, (way & 2) != 0, rest);
        } else {
            must(problem != NULL);
        }
        free(problem);
        problem = NULL;
        key_table_clear(&keys);
        signing_table_clear(&signing);
    }
    free(text);
    return 0;
}
