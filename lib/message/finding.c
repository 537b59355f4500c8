/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of findings. */
#include "lib/message/finding.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FINDINGS_FIRST 4 /* most messages have none or one */

struct finding *findings_add(struct findings *findings, const struct cause *cause)
{
    struct finding *finding;

    if (findings->count == FINDINGS_MAX) {
        findings->dropped++;
        return NULL;
    }
    /* Full at each power of two from FINDINGS_FIRST on. */
    if (findings->count == 0)
        findings->items = mem_grow(findings->items, FINDINGS_FIRST, sizeof(*finding));
    else if (findings->count >= FINDINGS_FIRST && (findings->count & (findings->count - 1)) == 0)
        findings->items = mem_grow(findings->items, findings->count * 2, sizeof(*finding));
    finding = &findings->items[findings->count++];
    *finding =
        (struct finding){.cause = cause, .recipient = -1, .severity = -1, .action_asked = -1};
    return finding;
}

static void finding_clear(struct finding *finding)
{
    for (size_t i = 0; i < finding->nfields; i++)
        free(finding->fields[i].value);
    free(finding->sentence);
    free(finding->enhanced);
    free(finding->hint);
}

void findings_clear(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        finding_clear(&findings->items[i]);
    free(findings->items);
    *findings = (struct findings){0};
}

/* The field of that name, a new one where there is none yet, NULL where there is no room. */
static struct finding_field *field_of(struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->nfields; i++)
        if (strcmp(finding->fields[i].name, name) == 0)
            return &finding->fields[i];
    if (finding->nfields == FINDING_FIELDS_MAX)
        return NULL;
    finding->fields[finding->nfields].name = name;
    finding->fields[finding->nfields].value = NULL;
    return &finding->fields[finding->nfields++];
}

/* Printed first, freed then: an argument may be the value that is replaced. */
static void replace(char **value, const char *format, va_list arguments)
{
    struct text text = TEXT_EMPTY;

    text_vprint(&text, format, arguments);
    free(*value);
    *value = text_take(&text);
}

void finding_field(struct finding *finding, const char *name, const char *format, ...)
{
    struct finding_field *field = finding != NULL ? field_of(finding, name) : NULL;
    va_list arguments;

    if (field == NULL)
        return;
    va_start(arguments, format);
    replace(&field->value, format, arguments);
    va_end(arguments);
}

void finding_sentence(struct finding *finding, const char *format, ...)
{
    va_list arguments;

    if (finding == NULL)
        return;
    va_start(arguments, format);
    replace(&finding->sentence, format, arguments);
    va_end(arguments);
}

void finding_hint(struct finding *finding, const char *format, ...)
{
    va_list arguments;

    if (finding == NULL)
        return;
    va_start(arguments, format);
    replace(&finding->hint, format, arguments);
    va_end(arguments);
}
