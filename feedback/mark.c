/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/mark.h"

bool mark_is_set(const struct mark *mark)
{
    return mark->file != 0 || mark->cursor[0] != '\0';
}
