/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/milter/fake_libmilter.h"

#include "lib/base/text.h"

#include <libmilter/mfapi.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct fake_macro *known;
static struct text asked;
static int is_gone;

void fake_macros(const struct fake_macro *macros)
{
    known = macros;
}

char *fake_taken(void)
{
    if (asked.bytes == NULL)
        text_add_string(&asked, "");
    return text_take(&asked);
}

void fake_gone(int gone)
{
    is_gone = gone;
}

static int answer(void)
{
    return is_gone ? MI_FAILURE : MI_SUCCESS;
}

char *smfi_getsymval(SMFICTX *context, char *name)
{
    (void)context;
    for (const struct fake_macro *macro = known; macro != NULL && macro->name != NULL; macro++)
        if (strcmp(macro->name, name) == 0)
            return (char *)(uintptr_t)macro->value;
    return NULL;
}

int smfi_setreply(SMFICTX *context, char *code, char *enhanced, char *message)
{
    (void)context;
    text_print(&asked, "reply %s %s %s\n", code, enhanced, message);
    return answer();
}

int smfi_addheader(SMFICTX *context, char *name, char *value)
{
    (void)context;
    text_print(&asked, "add %s:%s\n", name, value);
    return answer();
}

int smfi_insheader(SMFICTX *context, int index, char *name, char *value)
{
    (void)context;
    text_print(&asked, "insert %d %s:%.15s\n", index, name, value);
    return answer();
}

int smfi_chgheader(SMFICTX *context, char *name, int number, char *value)
{
    (void)context;
    text_print(&asked, "change %d %s:%s\n", number, name, value != NULL ? value : "");
    return answer();
}

int smfi_quarantine(SMFICTX *context, char *reason)
{
    (void)context;
    text_print(&asked, "quarantine %s\n", reason);
    return answer();
}
