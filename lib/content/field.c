/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/field.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <gmime/gmime.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX 8192 /* octets of a field that are read */
#define NAME_MAX_OCTETS 1024 /* of a file's name, before it is cut for the log */

#define TOKEN_ENDS                                                                                 \
    " \t\r\n()<>@,;:\\\"/[]?=" /* RFC 2045 section 5.1: tspecials and white space                  \
                                */

static void start(void)
{
    g_mime_init();
    (void)atexit(g_mime_shutdown);
}

void mime_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, start);
}

/* --- the values ----------------------------------------------------------------------- */

/* On one line and not longer than anyone needs. */
static char *unfolded(const char *value)
{
    char *copy = mem_copy_n(value, strnlen(value, VALUE_MAX));

    for (char *c = copy; *c != '\0'; c++)
        if (*c == '\r' || *c == '\n')
            *c = ' ';
    return copy;
}

static char *lower_copy(const char *string)
{
    return text_lower(mem_copy(string != NULL ? string : ""));
}

/* "type/subtype" and then nothing or parameters. */
static bool is_type(const char *value)
{
    size_t length;

    value += strspn(value, " \t");
    length = strcspn(value, TOKEN_ENDS);
    if (length == 0 || value[length] != '/')
        return false;
    value += length + 1;
    length = strcspn(value, TOKEN_ENDS);
    if (length == 0)
        return false;
    value += length;
    value += strspn(value, " \t");
    return *value == '\0' || *value == ';' || *value == '(';
}

static void take_name(struct mime_fields *fields, const char *name)
{
    if (name == NULL || *name == '\0' || strcmp(name, fields->name) == 0)
        return;
    if (fields->name[0] != '\0') {
        free(fields->other_name);
        fields->other_name = mem_copy_n(name, strnlen(name, NAME_MAX_OCTETS));
        return;
    }
    free(fields->name);
    fields->name = mem_copy_n(name, strnlen(name, NAME_MAX_OCTETS));
}

static void parse_type(const char *value, const char *fallback, struct mime_fields *fields)
{
    char *line = unfolded(value);
    GMimeContentType *type;

    if (!is_type(line)) {
        /* RFC 2045 section 5.2: what cannot be read counts as plain text.  "text" alone is older
         * than MIME. */
        if (strcasecmp(line + strspn(line, " \t"), "text") != 0)
            fields->problem = "its Content-Type is not a type";
        fields->type = mem_copy(fallback);
        free(line);
        return;
    }
    type = g_mime_content_type_parse(NULL, line);
    fields->type = mem_print("%s/%s", g_mime_content_type_get_media_type(type),
                             g_mime_content_type_get_media_subtype(type));
    text_lower(fields->type);
    fields->boundary = mem_copy(g_mime_content_type_get_parameter(type, "boundary"));
    fields->charset = lower_copy(g_mime_content_type_get_parameter(type, "charset"));
    take_name(fields, g_mime_content_type_get_parameter(type, "name"));
    g_object_unref(type);
    free(line);
}

static void parse_disposition(const char *value, struct mime_fields *fields)
{
    char *line = unfolded(value);
    GMimeContentDisposition *disposition = g_mime_content_disposition_parse(NULL, line);

    if (disposition != NULL) {
        fields->is_attachment = g_mime_content_disposition_is_attachment(disposition);
        take_name(fields, g_mime_content_disposition_get_parameter(disposition, "filename"));
        g_object_unref(disposition);
    }
    free(line);
}

static void parse_encoding(const char *value, struct mime_fields *fields)
{
    static const struct {
        const char *name;
        enum mime_encoding encoding;
    } known[] = {
        {"7bit", MIME_IDENTITY},           {"8bit", MIME_IDENTITY},
        {"binary", MIME_IDENTITY},         {"base64", MIME_BASE64},
        {"quoted-printable", MIME_QUOTED}, {"x-uuencode", MIME_UUENCODE},
        {"uuencode", MIME_UUENCODE},       {"x-uue", MIME_UUENCODE},
    };
    size_t length;

    value += strspn(value, " \t\r\n");
    length = strcspn(value, " \t\r\n;(");
    if (length == 0)
        return;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strlen(known[i].name) == length && strncasecmp(value, known[i].name, length) == 0) {
            fields->encoding = known[i].encoding;
            return;
        }
    }
    fields->encoding = MIME_ENCODING_UNKNOWN;
    fields->problem = "its Content-Transfer-Encoding is none that exists";
}

void mime_fields_parse(const char *type, const char *disposition, const char *encoding,
                       const char *fallback, struct mime_fields *fields_r)
{
    mime_start();
    *fields_r = (struct mime_fields){.name = mem_copy("")};
    /* the disposition's name is the one that mail programs show (RFC 2183 section 2.3) */
    if (disposition != NULL)
        parse_disposition(disposition, fields_r);
    if (type != NULL)
        parse_type(type, fallback, fields_r);
    if (encoding != NULL)
        parse_encoding(encoding, fields_r);
    if (fields_r->type == NULL)
        fields_r->type = mem_copy(fallback);
    if (fields_r->boundary == NULL)
        fields_r->boundary = mem_copy("");
    if (fields_r->charset == NULL)
        fields_r->charset = mem_copy("");
}

/* --- from a part's header ------------------------------------------------------------- */

/* Behind the end of the line at at. */
static const char *next_line(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    return newline != NULL ? newline + 1 : end;
}

/* A field with the lines that it is folded over; returns where the next one begins. */
static const char *field_end(const char *at, const char *end)
{
    do
        at = next_line(at, end);
    while (at < end && (*at == ' ' || *at == '\t'));
    return at;
}

void mime_fields_read(const char *header, size_t length, const char *fallback,
                      struct mime_fields *fields_r)
{
    static const char *const names[] = {"Content-Type", "Content-Disposition",
                                        "Content-Transfer-Encoding"};
    const char *end = header + length;
    char *values[COUNT_OF(names)] = {NULL};
    bool two_types = false;

    for (const char *at = header, *next; at < end; at = next) {
        const char *colon = memchr(at, ':', (size_t)(end - at));

        next = field_end(at, end);
        if (colon == NULL || colon >= next)
            continue;
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            if ((size_t)(colon - at) != strlen(names[i]) ||
                strncasecmp(at, names[i], strlen(names[i])) != 0)
                continue;
            two_types = two_types || (i == 0 && values[i] != NULL);
            if (values[i] == NULL)
                values[i] = mem_copy_n(colon + 1, (size_t)(next - colon - 1));
        }
    }
    mime_fields_parse(values[0], values[1], values[2], fallback, fields_r);
    if (two_types && fields_r->problem == NULL)
        fields_r->problem = "it has two Content-Type fields";
    for (size_t i = 0; i < COUNT_OF(names); i++)
        free(values[i]);
}

void mime_fields_clear(struct mime_fields *fields)
{
    free(fields->type);
    free(fields->boundary);
    free(fields->charset);
    free(fields->name);
    free(fields->other_name);
    *fields = (struct mime_fields){0};
}
