/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands in Redis' protocol. */
#include "lib/store/resp.h"

#include "lib/base/text.h"

#include <stdint.h>
#include <string.h>

#define NUMBER_MAX 12 /* octets of a count or a length */

/* "*3\r\n", "$5\r\n": one number behind its sign. */
static enum resp_parsed parse_number(const char **at, const char *end, char sign, int64_t most,
                                     int64_t *number_r)
{
    const char *line = *at;
    size_t left = (size_t)(end - line);
    const char *cr = memchr(line, '\r', left < NUMBER_MAX ? left : NUMBER_MAX);

    if (left > 0 && *line != sign)
        return RESP_BAD;
    if (cr == NULL || cr + 1 == end)
        return left < NUMBER_MAX ? RESP_PART : RESP_BAD;
    if (cr[1] != '\n' || !text_number(line + 1, (size_t)(cr - line - 1), number_r) ||
        *number_r > most)
        return RESP_BAD;
    *at = cr + 2;
    return RESP_WHOLE;
}

enum resp_parsed resp_parse(const char **at, const char *end,
                            struct script_word words_r[SCRIPT_WORDS_MAX], size_t *count_r)
{
    int64_t count;
    enum resp_parsed parsed = parse_number(at, end, '*', SCRIPT_WORDS_MAX, &count);

    if (parsed == RESP_WHOLE && count == 0)
        return RESP_BAD;
    for (int64_t i = 0; parsed == RESP_WHOLE && i < count; i++) {
        int64_t length;

        parsed = parse_number(at, end, '$', RESP_COMMAND_MAX, &length);
        if (parsed != RESP_WHOLE)
            break;
        if (end - *at < length + 2)
            return RESP_PART;
        words_r[i] = (struct script_word){*at, (size_t)length};
        *at += length + 2;
    }
    *count_r = (size_t)count;
    return parsed;
}
