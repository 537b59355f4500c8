/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses from their pieces. */
#include "lib/message/parts.h"

#include "lib/base/domain.h"
#include "lib/base/mem.h"

#include <string.h>

bool parts_is_atext(char c)
{
    static const bool special[256] = {
        ['('] = true, [')'] = true, ['<'] = true, ['>'] = true,  ['['] = true,
        [']'] = true, [':'] = true, [';'] = true, ['@'] = true,  ['\\'] = true,
        [','] = true, ['.'] = true, ['"'] = true, [0x7f] = true,
    };
    unsigned char octet = (unsigned char)c;

    return octet > ' ' && !special[octet];
}

enum address_problem parts_read_domain(const char *bytes, size_t length, struct parts *parts)
{
    static const enum address_problem problems[] = {
        [DOMAIN_FINE] = ADDRESS_FINE,         [DOMAIN_BAD] = ADDRESS_BAD_DOMAIN,
        [DOMAIN_BAD_IDN] = ADDRESS_BAD_IDN,   [DOMAIN_BAD_ENCODING] = ADDRESS_BAD_ENCODING,
        [DOMAIN_TOO_LONG] = ADDRESS_TOO_LONG,
    };
    bool is_literal = length > 0 && bytes[0] == '[';
    enum address_problem problem;

    if (is_literal)
        problem = literal_normal(bytes, length, parts->domain);
    else
        problem = problems[domain_normal(bytes, length, parts->domain)];
    if (problem == ADDRESS_FINE)
        parts->is_literal = is_literal;
    return problem;
}

/* Whether a local part can be written without quotes: atoms with single dots between. */
static bool is_dot_atom(const char *local, size_t length)
{
    bool dot = true;

    for (size_t i = 0; i < length; i++) {
        if (local[i] == '.' ? dot : !parts_is_atext(local[i]))
            return false;
        dot = local[i] == '.';
    }
    return !dot;
}

static char *quote(const char *local, size_t length, char *at)
{
    *at++ = '"';
    for (size_t i = 0; i < length; i++) {
        if (local[i] == '"' || local[i] == '\\')
            *at++ = '\\';
        *at++ = local[i];
    }
    *at++ = '"';
    return at;
}

void parts_to_address(const struct parts *parts, struct address *address_r)
{
    size_t domain_length = strlen(parts->domain);
    size_t text_room = 2 * parts->local_length + 2 + 1 + domain_length + 1;
    char *block = mem_grow(NULL, text_room + parts->local_length + 1, 1);
    char *at = block;
    bool ascii = true;

    if (is_dot_atom(parts->local, parts->local_length)) {
        memcpy(at, parts->local, parts->local_length);
        at += parts->local_length;
    } else {
        at = quote(parts->local, parts->local_length, at);
    }
    if (domain_length > 0)
        *at++ = '@';
    memcpy(at, parts->domain, domain_length + 1);
    address_r->text = block;
    address_r->domain = at;
    at += domain_length + 1;
    memcpy(at, parts->local, parts->local_length);
    at[parts->local_length] = '\0';
    address_r->local = at;
    for (size_t i = 0; i < parts->local_length; i++)
        ascii = ascii && (unsigned char)parts->local[i] < 0x80;
    address_r->is_literal = parts->is_literal;
    address_r->needs_smtputf8 = !ascii;
}
