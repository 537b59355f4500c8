/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/content/look.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/content/content.h"

#include <inttypes.h>

void look_into(const struct conf *conf, const char *bytes, size_t length, size_t piece,
               struct content_fact *fact_r)
{
    struct content *content;
    struct mail mail;

    mail_parse(bytes, length, &mail);
    content = content_new(conf, mail.message);
    for (size_t at = 0; at < mail.body_length; at += piece) {
        size_t left = mail.body_length - at;

        content_body(content, mail.body + at, left < piece ? left : piece);
    }
    content_end(content, fact_r);
    content_free(&content);
    mail_free(&mail);
}

static void add(struct text *text, const char *name)
{
    text_print(text, "%s%s=", text->length > 0 ? " " : "", name);
}

static void add_string(struct text *text, const char *name, const char *value)
{
    if (value == NULL)
        return;
    add(text, name);
    text_add_string(text, value);
}

static void add_risks(struct text *text, const struct content_fact *fact)
{
    static const char *const by[] = {
        [CONTENT_BY_NAME] = "name",       [CONTENT_BY_MAGIC] = "magic",
        [CONTENT_BY_ARCHIVE] = "archive", [CONTENT_BY_ENCRYPTION] = "encryption",
        [CONTENT_BY_DEPTH] = "depth",     [CONTENT_BY_SIZE] = "size",
        [CONTENT_BY_MACRO] = "macro"};

    for (size_t i = 0; i < fact->nrisks; i++) {
        const struct content_risk *risk = &fact->risks[i];

        add(text, "risk");
        text_print(text, "%s:%s:%s", by[risk->by], risk->kind, risk->name);
        if (risk->inner != NULL)
            text_print(text, ":%s", risk->inner);
        text_print(text, "@%s", risk->part);
    }
}

char *look_words(const struct content_fact *fact)
{
    struct text text = TEXT_EMPTY;

    if (fact->nattachments > 0) {
        add(&text, "attachments");
        text_print(&text, "%zu/%" PRId64, fact->nattachments, fact->attachment_octets);
        add(&text, "file");
        text_print(&text, "%s/%" PRId64, fact->largest_name, fact->largest_octets);
    }
    add_risks(&text, fact);
    if (fact->nlinks > 0) {
        add(&text, "links");
        text_print(&text, "%zu", fact->nlinks);
    }
    if (fact->ndisguised > 0) {
        add(&text, "disguised");
        text_print(&text, "%s>%s", fact->disguise.shown, fact->disguise.host);
    }
    add_string(&text, "shortener", fact->shortener);
    add_string(&text, "address", fact->address);
    for (size_t i = 0; i < fact->link_domains.count; i++)
        add_string(&text, "domain", fact->link_domains.items[i]);
    if (fact->malformed != NULL) {
        add(&text, "malformed");
        text_print(&text, "%s:%s", fact->malformed_part, fact->malformed);
    }
    return text.length > 0 ? text_take(&text) : mem_copy("");
}
