/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses as the configuration compares them. */
#include "lib/conf/names.h"

#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

const char *names_at(const char *address)
{
    return strrchr(address, '@');
}

char *names_address(const char *address)
{
    const char *at = names_at(address);
    char *local;
    char *domain;
    char *normal;

    if (at == NULL)
        return text_lower(mem_copy(address));
    domain = domain_copy(at + 1);
    if (domain == NULL)
        return NULL;
    local = text_lower(mem_copy_n(address, (size_t)(at - address)));
    normal = mem_print("%s@%s", local, domain);
    free(local);
    free(domain);
    return normal;
}
