/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/content.h"

#include "lib/base/mem.h"
#include "lib/content/leaf.h"
#include "lib/content/links.h"
#include "lib/content/mime.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct content {
    const struct conf *conf;
    struct content_fact fact;
    struct links links;
    struct leaf *leaf;
    struct mime *mime;
    int64_t spent_us; /* of this thread's time */
    bool stopped; /* it took too long */
};

/* --- parts ---------------------------------------------------------------------------- */

static void on_begin(void *context, const struct mime_fields *fields, const char *number)
{
    struct content *content = context;

    leaf_begin(content->leaf, fields, number);
}

static void on_octets(void *context, const char *bytes, size_t length)
{
    struct content *content = context;

    leaf_octets(content->leaf, bytes, length);
}

static void on_end(void *context, bool delimited)
{
    struct content *content = context;
    const char *problem = leaf_end(content->leaf, delimited);

    if (problem != NULL)
        mime_complain(content->mime, mem_copy(problem),
                      mem_copy("encode the part anew; a program may have added text to it"));
}

static const struct mime_events events = {
    .begin = on_begin,
    .octets = on_octets,
    .end = on_end,
};

/* --- the header ----------------------------------------------------------------------- */

static const char *value_of(const struct message *message, const char *name)
{
    const struct header *header = message_header(message, name, 0);

    return header != NULL ? header->value : NULL;
}

static struct mime *start_mime(struct content *content, const struct message *message)
{
    const struct mime_limits limits = {.nesting = (size_t)content->conf->mime_nesting,
                                       .parts = (size_t)content->conf->mime_parts};
    struct mime_fields fields;
    struct mime *mime;

    mime_fields_parse(value_of(message, "Content-Type"), value_of(message, "Content-Disposition"),
                      value_of(message, "Content-Transfer-Encoding"), "text/plain", &fields);
    if (fields.problem == NULL && message_header(message, "Content-Type", 1) != NULL)
        fields.problem = "it has two Content-Type fields";
    mime = mime_new(&limits, &events, content, &fields);
    mime_fields_clear(&fields);
    return mime;
}

static void check_header(struct content *content, const struct message *message)
{
    const int64_t most_fields = content->conf->max_header_fields;
    const int64_t most_octets = content->conf->max_header_size;

    if (message->headers_cut || (int64_t)message->nheaders > most_fields) {
        mime_complain(content->mime,
                      mem_print("it has %s%zu header fields", message->headers_cut ? "over " : "",
                                message->nheaders),
                      mem_print("leave out what no mail program reads, or raise "
                                "max-header-fields (now %lld)",
                                (long long)most_fields));
        return;
    }
    for (size_t i = 0; i < message->nheaders; i++) {
        size_t octets = strlen(message->headers[i].value);

        if ((int64_t)octets <= most_octets)
            continue;
        mime_complain(
            content->mime,
            mem_print("its header field %.64s has %zu octets", message->headers[i].name, octets),
            mem_print("shorten the field %.64s, or raise max-header-size (now %lld)",
                      message->headers[i].name, (long long)most_octets));
        return;
    }
}

struct content *content_new(const struct conf *conf, const struct message *message)
{
    struct content *content = mem_new(1, sizeof(*content));

    content->conf = conf;
    content->links = (struct links){.shorteners = &conf->link_shorteners, .fact = &content->fact};
    content->leaf = leaf_new(conf, &content->links);
    content->mime = start_mime(content, message);
    check_header(content, message);
    return content;
}

/* --- the body ------------------------------------------------------------------------- */

/* Of this thread alone: a busy machine is not the message's fault. */
static int64_t thread_us(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
        return 0;
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void content_body(struct content *content, const void *bytes, size_t length)
{
    int64_t most_ms = content->conf->content_time_ms, start_us;

    if (content->stopped)
        return;
    start_us = thread_us();
    mime_body(content->mime, bytes, length);
    content->spent_us += thread_us() - start_us;
    if (content->spent_us <= most_ms * 1000)
        return;
    content->stopped = true;
    mime_complain(content->mime, mem_print("reading it takes over %lld ms", (long long)most_ms),
                  mem_print("send it in several messages, or raise content-time (now %lld ms)",
                            (long long)most_ms));
}

static char *copy_or_null(const char *string)
{
    return string != NULL ? mem_copy(string) : NULL;
}

void content_end(struct content *content, struct content_fact *fact_r)
{
    const struct mime_flaw *flaw;

    mime_end(content->mime);
    links_end(&content->links);
    flaw = mime_flaw(content->mime);
    content->fact.malformed = copy_or_null(flaw->problem);
    content->fact.malformed_part = copy_or_null(flaw->number);
    content->fact.malformed_remedy = copy_or_null(flaw->remedy);
    content->fact.seen = true;
    content_fact_clear(fact_r);
    *fact_r = content->fact;
    content->fact = (struct content_fact){0};
}

void content_free(struct content **content)
{
    if (*content == NULL)
        return;
    mime_free(&(*content)->mime);
    leaf_free(&(*content)->leaf);
    content_fact_clear(&(*content)->fact);
    free(*content);
    *content = NULL;
}
