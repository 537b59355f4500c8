/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/unsubscribe.h"

#include "lib/base/count.h"
#include "lib/base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define FIELD "List-Unsubscribe"
#define POST "List-Unsubscribe-Post"
#define ONE_CLICK "List-Unsubscribe=One-Click" /* RFC 8058 section 3.1 */

static const char *value_of(const struct message *message, const char *name)
{
    const struct header *header = message_header(message, name, 0);

    return header != NULL ? header->value + strspn(header->value, " \t\r\n") : NULL;
}

static size_t trimmed_length(const char *value)
{
    size_t length = strlen(value);

    while (length > 0 && isspace((unsigned char)value[length - 1]))
        length--;
    return length;
}

static bool equals(const char *value, const char *wanted)
{
    return value != NULL && trimmed_length(value) == strlen(wanted) &&
           strncasecmp(value, wanted, strlen(wanted)) == 0;
}

/* "<mailto:leave@example.com>, <https://example.com/leave?u=1>" */
static bool has_https(const char *value)
{
    while ((value = strchr(value, '<')) != NULL) {
        value++;
        value += strspn(value, " \t\r\n");
        if (strncasecmp(value, "https://", 8) == 0)
            return true;
    }
    return false;
}

/* Whether h= of a DKIM signature has the name: "h=from : to:list-unsubscribe;" */
static bool signature_covers(const char *value, const char *name)
{
    const char *at = value;

    while (at != NULL) {
        at += strspn(at, " \t\r\n;");
        if (tolower((unsigned char)*at) == 'h' && at[1 + strspn(at + 1, " \t\r\n")] == '=')
            break;
        at = strchr(at, ';');
    }
    if (at == NULL)
        return false;
    for (at = strchr(at, '=') + 1; *at != '\0' && *at != ';';) {
        size_t length;

        at += strspn(at, " \t\r\n:");
        length = strcspn(at, " \t\r\n:;");
        if (length == strlen(name) && strncasecmp(at, name, length) == 0)
            return true;
        at += length;
    }
    return false;
}

void unsubscribe_read(const struct message *message, struct unsubscribe *unsubscribe_r)
{
    const char *field = value_of(message, FIELD);

    *unsubscribe_r = (struct unsubscribe){
        .has_field = field != NULL,
        .has_https = field != NULL && has_https(field),
        .one_click = equals(value_of(message, POST), ONE_CLICK),
        .is_signed = message->facts.signs_unsubscribe,
        .is_covered = message->facts.signs_unsubscribe,
    };
    for (size_t i = 0; i < message->nheaders; i++) {
        const struct header *header = &message->headers[i];

        if (!text_equal_case(header->name, "DKIM-Signature"))
            continue;
        unsubscribe_r->is_signed = true;
        unsubscribe_r->is_covered =
            unsubscribe_r->is_covered ||
            (signature_covers(header->value, FIELD) && signature_covers(header->value, POST));
    }
}

const char *unsubscribe_precedence(const struct message *message)
{
    static const char *const words[] = {"bulk", "list", "junk"};
    const char *value = value_of(message, "Precedence");

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (equals(value, words[i]))
            return words[i];
    return NULL;
}

bool unsubscribe_is_answer(const struct message *message)
{
    const char *value = value_of(message, "Auto-Submitted");

    return (value != NULL && strncasecmp(value, "auto-replied", 12) == 0) ||
           message->sender.text == NULL || message->sender.text[0] == '\0';
}

bool unsubscribe_is_discussion(const struct message *message)
{
    const char *post = value_of(message, "List-Post");

    return message_header(message, "List-Id", 0) != NULL && post != NULL &&
           strncasecmp(post, "<mailto:", 8) == 0;
}
