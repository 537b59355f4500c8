/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/mark.h"

#include "lib/base/hash.h"

#include <string.h>

bool mark_is_set(const struct mark *mark)
{
    return mark->file != 0 || mark->cursor[0] != '\0';
}

uint64_t mark_part(const char *queue_id, const char *recipient)
{
    const uint64_t hash = hash_stable(queue_id, strlen(queue_id) + 1);

    return hash_stable_more(hash, recipient, strlen(recipient));
}
