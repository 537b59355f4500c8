/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/message/habits.h"

#include <stdlib.h>

void habits_free(struct habits **habits)
{
    if (!*habits)
        return;
    free((*habits)->subject);
    free((*habits)->certificate);
    free((*habits)->client);
    free(*habits);
    *habits = NULL;
}
