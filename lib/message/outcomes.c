/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/message/outcomes.h"

#include "lib/base/mem.h"

#include <stdlib.h>

struct outcomes *outcomes_new(void)
{
    return mem_new(1, sizeof(struct outcomes));
}

void outcomes_free(struct outcomes **outcomes)
{
    if (*outcomes == NULL)
        return;
    for (size_t i = 0; i < (*outcomes)->count; i++) {
        free((*outcomes)->facts[i].subject);
        free((*outcomes)->facts[i].text);
    }
    free((*outcomes)->user);
    free(*outcomes);
    *outcomes = NULL;
}
