/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy delegation protocol's parser. */
#include "policy/protocol.h"

#include "lib/base/count.h"

#include <string.h>

#define NAME(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct {
    const char *text;
    size_t length;
} names[] = {
    [ATTRIBUTE_REQUEST] = NAME("request"),
    [ATTRIBUTE_PROTOCOL_STATE] = NAME("protocol_state"),
    [ATTRIBUTE_CLIENT_ADDRESS] = NAME("client_address"),
    [ATTRIBUTE_CLIENT_NAME] = NAME("client_name"),
    [ATTRIBUTE_SERVER_PORT] = NAME("server_port"),
    [ATTRIBUTE_HELO_NAME] = NAME("helo_name"),
    [ATTRIBUTE_SENDER] = NAME("sender"),
    [ATTRIBUTE_RECIPIENT] = NAME("recipient"),
    [ATTRIBUTE_RECIPIENT_COUNT] = NAME("recipient_count"),
    [ATTRIBUTE_QUEUE_ID] = NAME("queue_id"),
    [ATTRIBUTE_INSTANCE] = NAME("instance"),
    [ATTRIBUTE_SIZE] = NAME("size"),
    [ATTRIBUTE_SASL_METHOD] = NAME("sasl_method"),
    [ATTRIBUTE_SASL_USERNAME] = NAME("sasl_username"),
    [ATTRIBUTE_CCERT_SUBJECT] = NAME("ccert_subject"),
    [ATTRIBUTE_CCERT_ISSUER] = NAME("ccert_issuer"),
    [ATTRIBUTE_CCERT_FINGERPRINT] = NAME("ccert_fingerprint"),
    [ATTRIBUTE_ENCRYPTION_PROTOCOL] = NAME("encryption_protocol"),
    [ATTRIBUTE_ENCRYPTION_CIPHER] = NAME("encryption_cipher"),
    [ATTRIBUTE_ENCRYPTION_KEYSIZE] = NAME("encryption_keysize"),
};

_Static_assert(COUNT_OF(names) == ATTRIBUTE_COUNT, "every attribute has a name");

static const char policy_request[] = "smtpd_access_policy";

void protocol_begin(struct protocol_parser *parser)
{
    memset(parser, 0, sizeof(*parser));
}

/* The attribute of that name, or ATTRIBUTE_COUNT.  The search begins behind the last one found,
 * since Postfix always keeps the same order. */
static uint32_t find_attribute(uint32_t from, const char *name, size_t length)
{
    uint32_t attribute = from;

    for (uint32_t tried = 0; tried < ATTRIBUTE_COUNT; tried++) {
        if (names[attribute].length == length && memcmp(names[attribute].text, name, length) == 0)
            return attribute;
        attribute = attribute + 1 < ATTRIBUTE_COUNT ? attribute + 1 : 0;
    }
    return ATTRIBUTE_COUNT;
}

/* Takes a line that is not empty; NULL, or what is wrong with it. */
static const char *take_line(struct protocol_parser *parser, const char *bytes, size_t length)
{
    const char *line = bytes + parser->line;
    const char *equals = memchr(line, '=', length);
    uint32_t attribute;

    if (memchr(line, '\0', length) != NULL)
        return "a line holds a NUL";
    if (equals == NULL)
        return "a line is not name=value";
    if (equals == line)
        return "a line has no name before its '='";
    if (++parser->attributes > PROTOCOL_ATTRIBUTES_MAX)
        return "too many attributes";
    attribute = find_attribute(parser->next, line, (size_t)(equals - line));
    if (attribute < ATTRIBUTE_COUNT) {
        parser->values[attribute] = (uint32_t)(equals + 1 - bytes);
        parser->next = attribute + 1 < ATTRIBUTE_COUNT ? attribute + 1 : 0;
    }
    return NULL;
}

static enum protocol_status finish(const struct protocol_parser *parser, const char *bytes,
                                   struct protocol_request *request_r, const char **problem_r)
{
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
        request_r->values[i] = parser->values[i] != 0 ? bytes + parser->values[i] : "";
    if (strcmp(request_r->values[ATTRIBUTE_REQUEST], policy_request) == 0)
        return PROTOCOL_REQUEST;
    *problem_r = "it is not request=smtpd_access_policy";
    return PROTOCOL_BAD;
}

enum protocol_status protocol_parse(struct protocol_parser *parser, char *bytes, size_t length,
                                    size_t max_request, size_t *used_r,
                                    struct protocol_request *request_r, const char **problem_r)
{
    /* Offsets are kept in 32 bits. */
    const size_t cap = max_request < UINT32_MAX ? max_request : UINT32_MAX;

    for (;;) {
        /* Where the newline must be at the latest: the nearer of two limits names the problem,
         * so that it does not depend on how the bytes were split. */
        const size_t line_end = parser->line + PROTOCOL_LINE_MAX;
        const size_t last = line_end < cap ? line_end : cap - 1;
        const char *newline = memchr(bytes + parser->scanned, '\n', length - parser->scanned);
        const size_t end = newline != NULL ? (size_t)(newline - bytes) : length;

        if (end > last) {
            *problem_r = last == line_end ? "a line is too long" : "the request is too large";
            return PROTOCOL_BAD;
        }
        parser->scanned = end;
        if (newline == NULL)
            return PROTOCOL_MORE;
        bytes[end] = '\0';
        if (end == parser->line) {
            *used_r = end + 1;
            return finish(parser, bytes, request_r, problem_r);
        }
        *problem_r = take_line(parser, bytes, end - parser->line);
        if (*problem_r != NULL)
            return PROTOCOL_BAD;
        parser->line = parser->scanned = end + 1;
    }
}
