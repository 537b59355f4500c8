/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/corpora.h"

#include "lib/base/mem.h"

#include <stdlib.h>

char *corpora_path(const char *name)
{
    const char *corpora = getenv("SLUICE_CORPORA");
    const char *sources = getenv("top_srcdir");

    if (corpora != NULL)
        return mem_print("%s/%s", corpora, name);
    return mem_print("%s/../shared/corpora/%s", sources != NULL ? sources : ".", name);
}

FILE *corpora_open(const char *name)
{
    char *path = corpora_path(name);
    FILE *file = fopen(path, "r");

    free(path);
    return file;
}
