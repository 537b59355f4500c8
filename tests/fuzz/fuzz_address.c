/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses from strangers: whatever is accepted reads back as itself, and nothing that is made
 * breaks a line. */
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/message/address.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST 4

static void check_parts(const struct address *address)
{
    must(utf8_is_text(address->text, strlen(address->text)));
    must(utf8_is_text(address->local, strlen(address->local)));
    must(strlen(address->domain) <= 255);
    for (const char *c = address->domain; *c != '\0'; c++)
        must(*c > ' ' && (unsigned char)*c < 0x7f && *c != '@');
    must(address->is_literal == (address->domain[0] == '['));
}

/* Limits count by this: what was cut once is not cut again. */
static void check_counted(const struct address *address)
{
    char *counted = address_counted(address, "+-");
    struct address again;
    char *twice;

    must(address_parse(counted, true, &again) == ADDRESS_FINE);
    twice = address_counted(&again, "+-");
    must(strcmp(counted, twice) == 0);
    free(twice);
    address_clear(&again);
    free(counted);
}

static void check_envelope(const char *string, bool bare)
{
    struct address address;
    struct address again;
    enum address_problem problem = address_parse(string, bare, &address);

    check_parts(&address);
    must(address_problem_text(problem) != NULL);
    if (problem != ADDRESS_FINE) {
        must(address.local[0] == '\0' && address.domain[0] == '\0');
    } else {
        check_counted(&address);
        must(address_parse(address.text, bare, &again) == ADDRESS_FINE);
        must(strcmp(address.text, again.text) == 0 && strcmp(address.local, again.local) == 0);
        address_clear(&again);
    }
    address_clear(&address);
    problem = address_parse_unquoted(string, bare, &address);
    check_parts(&address);
    address_clear(&address);
}

static void check_list(const char *string)
{
    struct address addresses[MOST];
    int count = address_list_parse(string, addresses, MOST);

    must(count >= -1 && count <= MOST);
    for (int i = 0; i < MOST; i++) {
        if (i < count)
            must(addresses[i].text != NULL && addresses[i].domain[0] != '\0');
        if (addresses[i].text != NULL)
            check_parts(&addresses[i]);
        address_clear(&addresses[i]);
    }
}

static void check_domain(const char *string)
{
    char *domain = address_domain(string);
    char *again;

    if (domain == NULL)
        return;
    again = address_domain(domain);
    must(again != NULL && strcmp(domain, again) == 0);
    free(again);
    free(domain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *string = mem_copy_n((const char *)data, size);

    check_envelope(string, false);
    check_envelope(string, true);
    check_list(string);
    check_domain(string);
    free(string);
    return 0;
}
