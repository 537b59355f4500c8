/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/edit.h"

#include "lib/base/mem.h"

#include <stdlib.h>

/* libmilter's prototypes lack the const; it copies what it is given. */
static char *unconst(const char *string)
{
    return (char *)(uintptr_t)string;
}

/* With SMFIP_HDR_LEADSPC the space after the colon is ours to write. */
static char *padded(const struct session *session, const char *value)
{
    return mem_print("%s%s", session->protocol & SMFIP_HDR_LEADSPC ? " " : "", value);
}

bool edit_insert(SMFICTX *context, const struct session *session, const char *name,
                 const char *value)
{
    char *written = padded(session, value);
    const bool inserted = smfi_insheader(context, 0, unconst(name), written) == MI_SUCCESS;

    free(written);
    return inserted;
}

bool edit_add(SMFICTX *context, const struct session *session, const char *name, const char *value)
{
    char *written = padded(session, value);
    const bool added = smfi_addheader(context, unconst(name), written) == MI_SUCCESS;

    free(written);
    return added;
}

bool edit_remove(SMFICTX *context, const char *name, int number)
{
    return smfi_chgheader(context, unconst(name), number, NULL) == MI_SUCCESS;
}
