/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/tag_list.h"

#include "lib/base/ascii.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WHITE_SPACE " \t\r\n"

static bool is_name(const char *name)
{
    if (!ascii_is_alpha(*name))
        return false;
    while (ascii_is_alpha(*name) || ascii_is_digit(*name) || *name == '_')
        name++;
    return *name == '\0';
}

/* Values may hold any visible octet; those that are not ASCII are of RFC 8616. */
static bool is_value(const char *value)
{
    for (; *value != '\0'; value++)
        if (((unsigned char)*value < 0x20 && strchr(WHITE_SPACE, *value) == NULL) || *value == 0x7f)
            return false;
    return true;
}

/* Cuts the white space off both ends, in place. */
static char *trim(char *string)
{
    size_t length;

    string += strspn(string, WHITE_SPACE);
    length = strlen(string);
    while (length > 0 && strchr(WHITE_SPACE, string[length - 1]) != NULL)
        length--;
    string[length] = '\0';
    return string;
}

static bool add_tag(struct tag_list *list, char *spec)
{
    char *equals = strchr(spec, '=');
    struct tag tag;

    if (equals == NULL || list->count == TAG_LIST_MAX)
        return false;
    *equals = '\0';
    tag.name = trim(spec);
    tag.value = trim(equals + 1);
    if (!is_name(tag.name) || !is_value(tag.value) || tag_list_get(list, tag.name) != NULL)
        return false;
    list->tags[list->count++] = tag;
    return true;
}

bool tag_list_parse(const char *bytes, size_t length, struct tag_list *list_r)
{
    struct tag_list list = {.count = 0};
    bool good;

    if (length > TAG_LIST_BYTES_MAX || memchr(bytes, '\0', length) != NULL)
        return false;
    list.text = mem_copy_n(bytes, length);
    good = true;
    for (char *spec = list.text, *next; good && spec != NULL; spec = next) {
        next = strchr(spec, ';');
        if (next != NULL)
            *next++ = '\0';
        if (next == NULL && spec[strspn(spec, WHITE_SPACE)] == '\0' && list.count > 0)
            break; /* behind the last semicolon */
        good = add_tag(&list, spec);
    }
    if (good)
        *list_r = list;
    else
        free(list.text);
    return good;
}

void tag_list_clear(struct tag_list *list)
{
    free(list->text);
    *list = (struct tag_list){.count = 0};
}

const char *tag_list_get(const struct tag_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->tags[i].name, name) == 0)
            return list->tags[i].value;
    return NULL;
}

char *tag_list_get_compact(const struct tag_list *list, const char *name)
{
    const char *value = tag_list_get(list, name);
    char *compact = mem_copy(value);
    char *to = compact;

    if (value == NULL)
        return NULL;
    for (; *value != '\0'; value++)
        if (strchr(WHITE_SPACE, *value) == NULL)
            *to++ = *value;
    *to = '\0';
    return compact;
}

bool tag_words_have(const char *words, const char *word)
{
    size_t length = strlen(word);

    for (;;) {
        const char *after;

        words += strspn(words, WHITE_SPACE);
        after = words + strcspn(words, ":" WHITE_SPACE);
        if ((size_t)(after - words) == length && strncasecmp(words, word, length) == 0)
            return true;
        words = strchr(after, ':');
        if (words == NULL)
            return false;
        words++;
    }
}
