/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/mails.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define KEY_MAX 128 /* octets of "host/queue-id" */

struct mails {
    struct map *mails;
};

static void free_mail(void *value)
{
    struct mail *mail = value;

    for (size_t i = 0; i < mail->ntried; i++) {
        free(mail->tried[i].recipient);
        free(mail->tried[i].relay);
    }
    free(mail->tried);
    free(mail->user);
    free(mail->sender);
    free(mail->message_id);
    free(mail);
}

struct mails *mails_new(void)
{
    struct mails *mails = mem_new(1, sizeof(*mails));

    mails->mails = map_new();
    return mails;
}

void mails_free(struct mails **mails)
{
    map_free(&(*mails)->mails, free_mail);
    free(*mails);
    *mails = NULL;
}

static size_t make_key(const struct line *line, struct span id, char key_r[KEY_MAX])
{
    const struct span host = line->fields[FIELD_HOST];

    if (id.length == 0 || host.length + 1 + id.length > KEY_MAX || span_equals(id, "NOQUEUE"))
        return 0;
    mem_copy_bytes(key_r, host.start, host.length);
    key_r[host.length] = '/';
    mem_copy_bytes(key_r + host.length + 1, id.start, id.length);
    return host.length + 1 + id.length;
}

static struct mail *find(struct mails *mails, const struct line *line, struct span id, bool make)
{
    char key[KEY_MAX];
    size_t length = make_key(line, id, key);
    struct mail *mail;

    if (length == 0)
        return NULL;
    mail = map_get(mails->mails, key, length);
    if (mail != NULL || !make)
        return mail;
    if (map_count(mails->mails) >= MAILS_MAX) {
        const void *oldest;
        size_t oldest_length;

        if (map_oldest(mails->mails, &oldest, &oldest_length) != NULL)
            free_mail(map_remove(mails->mails, oldest, oldest_length));
    }
    mail = mem_new(1, sizeof(*mail));
    *mail = (struct mail){.user = mem_copy(""), .sender = mem_copy(""), .message_id = mem_copy("")};
    (void)map_put(mails->mails, key, length, mail);
    return mail;
}

struct mail *mails_make(struct mails *mails, const struct line *line)
{
    return find(mails, line, line->fields[FIELD_QUEUE_ID], true);
}

struct tried *mail_tried(struct mail *mail, const char *recipient)
{
    struct tried *tried;

    for (size_t i = 0; i < mail->ntried; i++)
        if (text_equal_case(mail->tried[i].recipient, recipient))
            return &mail->tried[i];
    if (mail->ntried == MAIL_RECIPIENTS_MAX)
        return NULL;
    mail->tried = mem_grow(mail->tried, mail->ntried + 1, sizeof(*mail->tried));
    tried = &mail->tried[mail->ntried++];
    *tried = (struct tried){.recipient = mem_copy(recipient)};
    return tried;
}

static void keep(char **member, struct span value)
{
    if (value.length == 0 || value.length > MAIL_WORD_MAX)
        return;
    free(*member);
    *member = mem_copy_n(value.start, value.length);
}

void mail_inherit(struct mail *newer, const struct mail *older)
{
    keep(&newer->user, span_of(older->user));
    keep(&newer->sender, span_of(older->sender));
}

/* "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4XkP2q1Zz". */
struct mail *mails_find_next(struct mails *mails, const struct line *line, struct span reply)
{
    static const char words[] = "queued as ";
    size_t at = span_find(reply, words);
    size_t length = 0;

    if (at == SPAN_NONE)
        return NULL;
    reply = span_from(reply, at + sizeof(words) - 1);
    while (length < reply.length &&
           (is_digit(reply.start[length]) || is_letter(reply.start[length])))
        length++;
    return find(mails, line, span_to(reply, length), false);
}

/* --- Sluice's own lines ------------------------------------------------------------------- */

/* The value of " name=" in the words of an event; one that is quoted is passed over. */
static struct span event_value(struct span body, const char *name)
{
    size_t at = span_find(body, name);
    size_t end;

    if (at == SPAN_NONE)
        return (struct span){NULL, 0};
    body = span_from(body, at + strlen(name));
    end = span_find_char(body, ' ');
    body = span_to(body, end == SPAN_NONE ? body.length : end);
    return span_starts(body, "\"") ? (struct span){NULL, 0} : body;
}

/* "4XkP2q1Zz: event=message dir=out user=alice@example.com from=...". */
static void see_event(struct mails *mails, const struct line *line)
{
    const struct span body = line->fields[FIELD_BODY];
    size_t colon = span_find(body, ": event=message ");
    struct mail *mail;

    if (colon == SPAN_NONE)
        return;
    mail = find(mails, line, span_to(body, colon), true);
    if (mail == NULL)
        return;
    keep(&mail->user, event_value(body, " user="));
    keep(&mail->sender, event_value(body, " from="));
}

void mails_see(struct mails *mails, const struct line *line)
{
    struct mail *mail;
    char key[KEY_MAX];
    size_t length;

    if (line->kind == LINE_FOREIGN && span_starts(line->fields[FIELD_PROGRAM], "sluice-")) {
        see_event(mails, line);
        return;
    }
    if (line->kind == LINE_REMOVED) {
        length = make_key(line, line->fields[FIELD_QUEUE_ID], key);
        mail = length > 0 ? map_remove(mails->mails, key, length) : NULL;
        if (mail != NULL)
            free_mail(mail);
        return;
    }
    if (line->kind != LINE_QUEUED)
        return;
    mail = mails_make(mails, line);
    if (mail == NULL)
        return;
    keep(&mail->user, line->fields[FIELD_USER]);
    keep(&mail->sender, line->fields[FIELD_SENDER]);
    keep(&mail->message_id, line->fields[FIELD_MESSAGE_ID]);
    if (line->fields[FIELD_SIZE].length > 0)
        (void)text_number(line->fields[FIELD_SIZE].start, line->fields[FIELD_SIZE].length,
                          &mail->size);
}
