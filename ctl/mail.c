/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/mail.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES 65536

/* --- the file ------------------------------------------------------------------------- */

static bool read_all(FILE *file, const char *path, struct text *text, char **problem_r)
{
    char *buffer = mem_new(READ_BYTES, 1);
    size_t length;

    while ((length = fread(buffer, 1, READ_BYTES, file)) > 0 && text->length <= MAIL_FILE_MAX)
        text_add(text, buffer, length);
    free(buffer);
    if (ferror(file))
        *problem_r = mem_print("cannot read %s: %s", path, strerror(errno));
    else if (text->length > MAIL_FILE_MAX)
        *problem_r = mem_print("%s: larger than %d octets", path, MAIL_FILE_MAX);
    return *problem_r == NULL;
}

bool mail_read(const char *path, struct mail *mail_r, char **problem_r)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    struct text text = TEXT_EMPTY;
    bool good;

    if (file == NULL) {
        *problem_r = mem_print("cannot open %s: %s", path, strerror(errno));
        return false;
    }
    good = read_all(file, path, &text, problem_r);
    if (good)
        mail_parse(text_string(&text), text.length, mail_r);
    text_free(&text);
    if (file != stdin)
        (void)fclose(file);
    return good;
}

/* --- the message ---------------------------------------------------------------------- */

/* Where lines end with LF alone, as in most files, they end with CRLF on the wire. */
static void add_wire_form(const char *bytes, size_t length, struct text *text)
{
    const char *end = memchr(bytes, '\n', length);
    bool bare = end != NULL && (end == bytes || end[-1] != '\r');

    while (bare && end != NULL) {
        size_t line = (size_t)(end - bytes);

        text_add(text, bytes, line);
        if (line == 0 || bytes[line - 1] != '\r')
            text_add_char(text, '\r');
        text_add_char(text, '\n');
        bytes += line + 1;
        length -= line + 1;
        end = memchr(bytes, '\n', length);
    }
    text_add(text, bytes, length);
}

/* Behind the CRLF of the field that begins there, its folded lines included. */
static const char *field_end(const char *field, const char *end)
{
    for (const char *c = field; c < end; c++)
        if (*c == '\n' && (c + 1 == end || (c[1] != ' ' && c[1] != '\t')))
            return c + 1;
    return end;
}

static bool add_field(struct message *message, const char *field, const char *end)
{
    const char *colon;
    char *name, *value;

    while (end > field && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    colon = memchr(field, ':', (size_t)(end - field));
    if (colon == NULL || colon == field)
        return false;
    name = mem_copy_n(field, (size_t)(colon - field));
    value = mem_copy_n(colon + 1, (size_t)(end - colon - 1));
    message_add_header(message, name, value);
    free(name);
    free(value);
    return true;
}

void mail_parse(const char *bytes, size_t length, struct mail *mail_r)
{
    struct text text = TEXT_EMPTY;
    const char *field, *end;

    add_wire_form(bytes, length, &text);
    *mail_r = (struct mail){.message = message_new(PROGRAM_MILTER, "")};
    length = text.length;
    mail_r->bytes = text_take(&text);
    mail_r->total = length;
    field = mail_r->bytes;
    end = mail_r->bytes + length;
    if (strncmp(field, "From ", 5) == 0 && field[5 + strspn(field + 5, " \t")] != ':')
        field = field_end(field, end); /* of an mbox */
    while (field < end && *field != '\r' && *field != '\n') {
        const char *next = field_end(field, end);

        if (!add_field(mail_r->message, field, next))
            break; /* the body, without an empty line before it */
        field = next;
    }
    if (field < end && strncmp(field, "\r\n", 2) == 0)
        field += 2;
    mail_r->body = field;
    mail_r->body_length = (size_t)(end - field);
}

void mail_free(struct mail *mail)
{
    message_free(&mail->message);
    free(mail->bytes);
    *mail = (struct mail){.body = NULL};
}
