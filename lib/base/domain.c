/* SPDX-License-Identifier: BSD-2-Clause */
/* Domain names: label rules, and internationalised names through libidn2. */
#include "lib/base/domain.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>

static bool is_label_octet(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool domain_is_label(const char *label, size_t length)
{
    if (length == 0 || length > DOMAIN_LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_label_octet(label[i]))
            return false;
    return true;
}

static enum domain_problem ascii_normal(const char *bytes, size_t length,
                                        char domain_r[DOMAIN_ROOM])
{
    size_t start = 0;

    for (size_t i = 0; i <= length; i++) {
        if (i < length && bytes[i] != '.')
            continue;
        if (!domain_is_label(bytes + start, i - start))
            return DOMAIN_BAD;
        start = i + 1;
    }
    if (length > DOMAIN_MAX)
        return DOMAIN_TOO_LONG;
    memcpy(domain_r, bytes, length);
    domain_r[length] = '\0';
    (void)text_lower(domain_r);
    return DOMAIN_FINE;
}

static enum domain_problem idn_problem(int code)
{
    static const struct {
        int code;
        enum domain_problem problem;
    } table[] = {
        {IDN2_ENCODING_ERROR, DOMAIN_BAD_ENCODING},
        {IDN2_TOO_BIG_DOMAIN, DOMAIN_TOO_LONG},
        {IDN2_PUNYCODE_BIG_OUTPUT, DOMAIN_BAD},
        {IDN2_TOO_BIG_LABEL, DOMAIN_BAD},
    };

    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (table[i].code == code)
            return table[i].problem;
    return DOMAIN_BAD_IDN;
}

static enum domain_problem idn_normal(const char *bytes, size_t length, char domain_r[DOMAIN_ROOM])
{
    enum domain_problem problem;
    char *input = NULL;
    char *output = NULL;
    int code;

    if (length > DOMAIN_INPUT_MAX)
        return DOMAIN_TOO_LONG;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)bytes[i] < 0x80 && bytes[i] != '.' && !is_label_octet(bytes[i]))
            return DOMAIN_BAD;
    input = mem_copy_n(bytes, length);
    code = idn2_to_ascii_8z(input, &output, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (code != IDN2_OK) {
        problem = idn_problem(code);
        goto done;
    }
    /* UTS #46 maps characters to others that no host name has ('/', '@', a space, nothing at all):
     * what comes out is looked at as if it had been written so. */
    problem = ascii_normal(output, strlen(output), domain_r);
    if (problem == DOMAIN_BAD &&
        strspn(output, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != strlen(output))
        problem = DOMAIN_BAD_IDN;
done:
    idn2_free(output);
    free(input);
    return problem;
}

enum domain_problem domain_normal(const char *bytes, size_t length, char domain_r[DOMAIN_ROOM])
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)bytes[i] >= 0x80)
            return idn_normal(bytes, length, domain_r);
    return ascii_normal(bytes, length, domain_r);
}

char *domain_copy(const char *domain)
{
    char normal[DOMAIN_ROOM];
    size_t length = strlen(domain);

    if (length > 1 && domain[length - 1] == '.')
        length--;
    return domain_normal(domain, length, normal) == DOMAIN_FINE ? mem_copy(normal) : NULL;
}
