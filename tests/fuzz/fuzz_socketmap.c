/* SPDX-License-Identifier: BSD-2-Clause */
/* What a socketmap server sends: netstrings, one after the other, and what they say. */
#include "lib/base/mem.h"
#include "lib/socketmap/netstring.h"
#include "lib/socketmap/reply.h"
#include "tests/fuzz/fuzz.h"

static void take_reply(const char *string, size_t length)
{
    char *text = mem_copy_n(string, length);
    const struct socketmap_answer answer = socketmap_reply(text);

    must((answer.status == SOCKETMAP_FOUND) <= (answer.value != NULL));
    must((answer.status == SOCKETMAP_TROUBLE) == (answer.problem != NULL));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    const char *string;
    size_t length, taken;

    while (netstring_read(bytes, size, &string, &length, &taken) == NETSTRING_WHOLE) {
        must(taken <= size && length <= NETSTRING_MAX && string + length < bytes + taken);
        /* Nothing less than all of it is whole. */
        must(netstring_read(bytes, taken - 1, &string, &length, &taken) == NETSTRING_MORE);
        take_reply(string, length);
        bytes += taken;
        size -= taken;
    }
    return 0;
}
