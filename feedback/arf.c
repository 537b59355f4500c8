/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/arf.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX ((size_t)320) /* octets of a value that is kept */
#define PARTS_MAX 10 /* of a report; it has three */

void arf_init(void)
{
    g_mime_init();
}

/* --- fields as text ----------------------------------------------------------------------- */

/* The value of the first field of that name, unfolded; "" when there is none.  The caller frees it.
 */
static char *field(const char *text, const char *name)
{
    const size_t length = strlen(name);
    struct text value = TEXT_EMPTY;
    const char *line = text;

    while (*line != '\0') {
        size_t end = strcspn(line, "\n");

        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            text_add(&value, line + length + 1, end - length - 1);
            while (line[end] == '\n' && (line[end + 1] == ' ' || line[end + 1] == '\t')) {
                line += end + 1;
                end = strcspn(line, "\n");
                text_add(&value, line, end);
            }
            break;
        }
        line += end + (line[end] == '\n');
    }
    text_add_char(&value, '\0');
    for (char *c = value.bytes; *c != '\0'; c++)
        if (*c == '\r' || *c == '\t')
            *c = ' ';
    return text_take(&value);
}

/* The address in "Name <address>", or the first word. */
static char *address_in(char *value)
{
    const char *start = strchr(value, '<');
    size_t length;
    char *address;

    start = start != NULL ? start + 1 : value + strspn(value, " ");
    length = strcspn(start, "> ");
    address = text_lower(mem_copy_n(start, length < WORD_MAX ? length : WORD_MAX));
    free(value);
    return address;
}

static char *word_in(char *value)
{
    const char *start = value + strspn(value, " ");
    size_t length = strlen(start);
    char *word;

    while (length > 0 && start[length - 1] == ' ')
        length--;
    word = mem_copy_n(start, length < WORD_MAX ? length : WORD_MAX);
    free(value);
    return word;
}

/* "(Authenticated sender: alice)", as Postfix writes it with smtpd_sasl_authenticated_header, and
 * "(authenticated as alice)", "(authenticated bits=0)" of others, the last without a name. */
static char *login_in(const char *headers)
{
    static const char *const words[] = {"(Authenticated sender: ", "(authenticated as ",
                                        "authenticated_id=", "X-Authenticated-User: "};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const char *at = strcasestr(headers, words[i]);
        size_t length;

        if (at == NULL)
            continue;
        at += strlen(words[i]);
        length = strcspn(at, ") \r\n;");
        return text_lower(mem_copy_n(at, length < WORD_MAX ? length : WORD_MAX));
    }
    return mem_copy("");
}

/* --- parts -------------------------------------------------------------------------------- */

static char *content_of(GMimeObject *part)
{
    GMimeDataWrapper *wrapper = g_mime_part_get_content(GMIME_PART(part));
    GMimeStream *stream = g_mime_stream_mem_new();
    GByteArray *bytes;
    char *text;

    if (wrapper != NULL)
        (void)g_mime_data_wrapper_write_to_stream(wrapper, stream);
    bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    text = mem_copy_n((const char *)bytes->data, bytes->len);
    g_object_unref(stream);
    return text;
}

/* The header of the mail that is complained about, whole or alone. */
static char *header_of(GMimeObject *part)
{
    char *header, *copy;

    if (!GMIME_IS_MESSAGE_PART(part))
        return GMIME_IS_PART(part) ? content_of(part) : NULL;
    if (g_mime_message_part_get_message(GMIME_MESSAGE_PART(part)) == NULL)
        return NULL;
    header = g_mime_object_get_headers(
        GMIME_OBJECT(g_mime_message_part_get_message(GMIME_MESSAGE_PART(part))), NULL);
    copy = mem_copy(header);
    g_free(header);
    return copy;
}

static bool is_type(GMimeObject *part, const char *type, const char *subtype)
{
    GMimeContentType *content_type = g_mime_object_get_content_type(part);

    return content_type != NULL && g_mime_content_type_is_type(content_type, type, subtype);
}

static void find_parts(GMimeMultipart *report, char **fields_r, char **header_r)
{
    const int count = g_mime_multipart_get_count(report);

    for (int i = 0; i < count && i < PARTS_MAX; i++) {
        GMimeObject *part = g_mime_multipart_get_part(report, i);

        if (*fields_r == NULL && is_type(part, "message", "feedback-report") && GMIME_IS_PART(part))
            *fields_r = content_of(part);
        else if (*header_r == NULL &&
                 (is_type(part, "message", "rfc822") || is_type(part, "text", "rfc822-headers")))
            *header_r = header_of(part);
    }
}

static void take(const char *fields, const char *header, struct arf *arf_r)
{
    *arf_r = (struct arf){
        .type = text_lower(word_in(field(fields, "Feedback-Type"))),
        .user = login_in(header),
        .sender = address_in(field(fields, "Original-Mail-From")),
        .recipient = address_in(field(fields, "Original-Rcpt-To")),
        .message_id = word_in(field(header, "Message-ID")),
        .reporter = word_in(field(fields, "User-Agent")),
    };
    if (arf_r->sender[0] == '\0') {
        free(arf_r->sender);
        arf_r->sender = address_in(field(header, "From"));
    }
}

/* The closing delimiter (RFC 2046 section 5.1.1) says that nothing more is to come. */
static bool is_closed(GMimeObject *body, const char *bytes, size_t length)
{
    const char *boundary = g_mime_multipart_get_boundary(GMIME_MULTIPART(body));
    char *end;
    bool closed;

    if (boundary == NULL)
        return false;
    end = mem_print("\n--%s--", boundary);
    closed = memmem(bytes, length, end, strlen(end)) != NULL;
    free(end);
    return closed;
}

bool arf_read(const char *bytes, size_t length, struct arf *arf_r)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, length);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    GMimeObject *body = message != NULL ? g_mime_message_get_mime_part(message) : NULL;
    char *fields = NULL, *header = NULL;
    bool found;

    if (body != NULL && GMIME_IS_MULTIPART(body))
        find_parts(GMIME_MULTIPART(body), &fields, &header);
    found = fields != NULL;
    if (found) {
        take(fields, header != NULL ? header : "", arf_r);
        arf_r->whole = is_closed(body, bytes, length);
    }
    free(fields);
    free(header);
    if (message != NULL)
        g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
    return found;
}

void arf_clear(struct arf *arf)
{
    free(arf->type);
    free(arf->user);
    free(arf->sender);
    free(arf->recipient);
    free(arf->message_id);
    free(arf->reporter);
    *arf = (struct arf){.type = NULL};
}

bool arf_is_complaint(const struct arf *arf)
{
    return strcmp(arf->type, "not-spam") != 0 && strcmp(arf->type, "auth-failure") != 0;
}
