/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of ordinary mail, as our parser finds them in pieces, against GMime's of the whole. */
#include "ctl/mail.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/content/mime.h"

#include <glob.h>
#include <gmime/gmime.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAILS_LEAST 20
#define PIECE 61

static const char *value_of(const struct message *message, const char *name)
{
    const struct header *header = message_header(message, name, 0);

    return header != NULL ? header->value : NULL;
}

/* --- ours ----------------------------------------------------------------------------- */

static void on_begin(void *context, const struct mime_fields *fields, const char *number)
{
    (void)number;
    text_print(context, "%s %s\n", fields->type, fields->name);
}

static void on_octets(void *context, const char *bytes, size_t length)
{
    (void)context;
    (void)bytes;
    (void)length;
}

static void on_end(void *context, bool delimited)
{
    (void)context;
    (void)delimited;
}

static void find_ours(const struct mail *mail, struct text *parts_r)
{
    static const struct mime_events events = {on_begin, on_octets, on_end};
    static const struct mime_limits limits = {.nesting = 20, .parts = 1000};
    struct mime_fields fields;
    struct mime *mime;

    mime_fields_parse(value_of(mail->message, "Content-Type"),
                      value_of(mail->message, "Content-Disposition"),
                      value_of(mail->message, "Content-Transfer-Encoding"), "text/plain", &fields);
    mime = mime_new(&limits, &events, parts_r, &fields);
    mime_fields_clear(&fields);
    for (size_t at = 0; at < mail->body_length; at += PIECE) {
        size_t left = mail->body_length - at;

        mime_body(mime, mail->body + at, left < PIECE ? left : PIECE);
    }
    mime_end(mime);
    assert_null(mime_flaw(mime)->problem);
    mime_free(&mime);
}

/* --- GMime's -------------------------------------------------------------------------- */

static void add_theirs(GMimeObject *object, struct text *parts)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    const char *name;

    if (GMIME_IS_MULTIPART(object)) {
        for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); i++)
            add_theirs(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), parts);
        return;
    }
    if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

        add_theirs(g_mime_message_get_mime_part(message), parts);
        return;
    }
    name = GMIME_IS_PART(object) ? g_mime_part_get_filename(GMIME_PART(object)) : NULL;
    text_print(parts, "%s/%s %s\n", g_mime_content_type_get_media_type(type),
               g_mime_content_type_get_media_subtype(type), name != NULL ? name : "");
}

static void find_theirs(const char *path, struct text *parts_r)
{
    GMimeStream *stream = g_mime_stream_file_open(path, "r", NULL);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

    add_theirs(g_mime_message_get_mime_part(message), parts_r);
    g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
}

static void compare(const char *path)
{
    struct text ours = TEXT_EMPTY, theirs = TEXT_EMPTY;
    char *problem = NULL;
    struct mail mail;

    if (!mail_read(path, &mail, &problem))
        fail_msg("%s", problem);
    find_ours(&mail, &ours);
    find_theirs(path, &theirs);
    if (strcmp(text_string(&ours), text_string(&theirs)) != 0)
        fail_msg("%s: ours\n%sGMime's\n%s", path, text_string(&ours), text_string(&theirs));
    text_free(&ours);
    text_free(&theirs);
    mail_free(&mail);
}

static void test_ham(void **state)
{
    const char *sources = getenv("top_srcdir");
    char *pattern = mem_print("%s/tests/data/ham/*.eml", sources != NULL ? sources : ".");
    glob_t paths;

    (void)state;
    mime_start();
    assert_int_equal(glob(pattern, 0, NULL, &paths), 0);
    assert_true(paths.gl_pathc >= MAILS_LEAST);
    for (size_t i = 0; i < paths.gl_pathc; i++)
        compare(paths.gl_pathv[i]);
    globfree(&paths);
    free(pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ham)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
