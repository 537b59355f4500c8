/* SPDX-License-Identifier: BSD-2-Clause */
/* Authentication-Results from strangers, and what strangers say that stands in ours: a sender and a
 * HELO name in the first two lines, a value in the rest. */
#include "lib/auth/results.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/fuzz/fuzz.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MOST 8192

/* Semicolons, quotes and comments of values stay within quotes; so the number of results is that of
 * the methods. */
static void check_ours(const char *value, unsigned results)
{
    bool quoted = false;
    unsigned found = 0;

    for (const char *c = value; *c != '\0'; c++) {
        must(((unsigned char)*c >= 0x20 && *c != 0x7f) || (*c == '\n' && c[1] == '\t') ||
             (*c == '\t' && c[-1] == '\n'));
        if (quoted && *c == '\\' && c[1] != '\0')
            c++;
        else if (*c == '"')
            quoted = !quoted;
        else if (!quoted)
            found += *c == ';';
    }
    must(!quoted && found == results);
}

static void check_claims(const char *value)
{
    char *ours = mem_print("mx.test;%s", value);
    char *commented = mem_print("(x;y) \"mx.test\" 1 (;) ;%s", value);
    char *upper = mem_copy(value);

    for (char *c = upper; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    must(results_claim(ours, "mx.test") && results_claim(commented, "mx.test"));
    must(!results_claim(ours, "other.test") && !results_claim(commented, "other.test"));
    must(results_claim(value, "mx.test") == results_claim(upper, "mx.test"));
    free(upper);
    free(commented);
    free(ours);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = size <= SIZE_MOST ? mem_copy_n((const char *)data, size) : NULL;
    char *rest = text;
    const char *sender, *helo;
    struct message *message;
    struct incoming incoming;
    char *value;

    if (text == NULL)
        return 0;
    sender = strsep(&rest, "\n");
    helo = rest != NULL ? strsep(&rest, "\n") : "";
    message = message_new(PROGRAM_MILTER, "mx.test");
    incoming = (struct incoming){
        .message = message,
        .client = {.family = 4, .bytes = {192, 0, 2, 1}},
        .helo = helo,
        .sender = sender,
        .receiver = "mx.test",
        .verify = verify_new(message, false, 0),
    };
    value = results_format(&incoming, "mx.test", "\n\t");
    check_ours(value, *sender != '\0' ? 6 : 5);
    must(results_claim(value, "mx.test"));
    free(value);
    value = results_received_spf(&incoming, *sender == '\0', " ");
    free(value);
    check_claims(rest != NULL ? rest : "");
    verify_free(&incoming.verify);
    message_free(&message);
    free(text);
    return 0;
}
