/* SPDX-License-Identifier: BSD-2-Clause */
/* Domain names as the configuration compares them. */
#include "lib/conf/names.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 63

static bool is_label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool is_domain(const char *domain)
{
    size_t label = 0;

    for (const char *p = domain;; p++) {
        if (*p == '.' || *p == '\0') {
            if (label == 0 || label > LABEL_MAX || p[-1] == '-')
                return false;
            if (*p == '\0')
                return (size_t)(p - domain) < NAMES_DOMAIN_MAX;
            label = 0;
        } else {
            if (!is_label_char(*p) || (label == 0 && *p == '-'))
                return false;
            label++;
        }
    }
}

static bool is_ascii(const char *string)
{
    for (; *string != '\0'; string++)
        if ((unsigned char)*string >= 0x80)
            return false;
    return true;
}

char *names_domain(const char *domain)
{
    char *normal = NULL;
    size_t length;

    if (is_ascii(domain)) {
        normal = text_lower(mem_copy(domain));
    } else {
        uint8_t *ascii = NULL;

        if (idn2_lookup_u8((const uint8_t *)domain, &ascii,
                           IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
            return NULL;
        normal = text_lower(mem_copy((const char *)ascii));
        idn2_free(ascii);
    }
    length = strlen(normal);
    if (length > 1 && normal[length - 1] == '.')
        normal[length - 1] = '\0';
    if (!is_domain(normal)) {
        free(normal);
        return NULL;
    }
    return normal;
}

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
    domain = names_domain(at + 1);
    if (domain == NULL)
        return NULL;
    local = text_lower(mem_copy_n(address, (size_t)(at - address)));
    normal = mem_print("%s@%s", local, domain);
    free(local);
    free(domain);
    return normal;
}
