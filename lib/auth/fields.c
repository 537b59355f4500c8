/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/fields.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const always_signed[] = {"From", "List-Unsubscribe", "List-Unsubscribe-Post"};

/* Servers on the way add and change these, so that a pattern does not mean them. */
static const char *const never_signed[] = {
    "ARC-Authentication-Results",
    "ARC-Message-Signature",
    "ARC-Seal",
    "Authentication-Results",
    "DKIM-Signature",
    "Received",
    "Received-SPF",
    "Return-Path",
};

static bool is_dated(const char *name)
{
    return text_equal_case(name, "Date") || text_equal_case(name, "Message-ID");
}

static const char **copy_list(const struct strings *names, size_t begin, bool dated)
{
    const char **list = mem_new(names->count - begin + 1, sizeof(*list));
    size_t count = 0;

    for (size_t i = begin; i < names->count; i++)
        if (dated || !is_dated(names->items[i]))
            list[count++] = names->items[i];
    list[count] = NULL;
    return list;
}

void fields_make(const struct strings *names, const struct strings *oversigned,
                 struct fields *fields_r)
{
    struct strings *kept = &fields_r->kept;
    size_t begin;

    *fields_r = (struct fields){.names = NULL};
    for (size_t i = 0; i < COUNT_OF(always_signed); i++)
        strings_add(kept, always_signed[i]);
    for (size_t i = 0; i < names->count; i++)
        if (!strings_have_case(kept, names->items[i]))
            strings_add(kept, names->items[i]);
    begin = kept->count;
    for (size_t i = 0; i < oversigned->count; i++)
        strings_add(kept, oversigned->items[i]);
    fields_r->names = copy_list(kept, 0, true);
    fields_r->oversigned = copy_list(kept, begin, true);
    fields_r->oversigned_undated = copy_list(kept, begin, false);
}

void fields_clear(struct fields *fields)
{
    free(fields->names);
    free(fields->oversigned);
    free(fields->oversigned_undated);
    strings_free(&fields->kept);
    *fields = (struct fields){.names = NULL};
}

static bool is_like(const char *name, const char *pattern)
{
    size_t length = strlen(pattern);

    if (length == 0 || pattern[length - 1] != '*')
        return text_equal_case(name, pattern);
    return strncasecmp(name, pattern, length - 1) == 0;
}

bool fields_is_signed(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(never_signed); i++)
        if (text_equal_case(name, never_signed[i]))
            return false;
    for (size_t i = 0; fields->names[i] != NULL; i++)
        if (is_like(name, fields->names[i]))
            return true;
    return false;
}

const char *const *fields_oversigned(const struct fields *fields, const struct message *message)
{
    const bool dated = message_header(message, "Date", 0) != NULL &&
                       message_header(message, "Message-ID", 0) != NULL;

    return dated ? fields->oversigned : fields->oversigned_undated;
}
