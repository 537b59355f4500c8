/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/reply.h"

#include "lib/causes/causes.h"
#include "lib/decide/verdict.h"

#include <stdio.h>
#include <string.h>

/* SMTP replies are printable ASCII on one line (RFC 5321 §4.2); what a stranger wrote may be
 * anything. */
static void add_printable(char *text, size_t room, const char *words)
{
    size_t length = strlen(text);

    for (; *words && length + 1 < room; words++) {
        unsigned char c = (unsigned char)*words;

        text[length++] = c >= ' ' && c < 0x7f ? (char)c : '?';
    }
    text[length] = '\0';
}

static const char *sentence_of(const struct finding *finding)
{
    return finding->sentence          ? finding->sentence
           : finding->cause->sentence ? finding->cause->sentence
                                      : finding->cause->title;
}

/* The id at the end is what the admin greps for, so it is the sentence that gives way. */
static void make_text(const struct conf *conf, const struct finding *finding,
                      char text_r[REPLY_TEXT_MAX])
{
    char tail[160];
    const char *contact = conf->contact;

    if (contact[0] != '\0' && strlen(contact) < 100)
        snprintf(tail, sizeof tail, " Questions: %s [%s]", contact, finding->cause->id);
    else
        snprintf(tail, sizeof tail, " [%s]", finding->cause->id);
    text_r[0] = '\0';
    add_printable(text_r, REPLY_TEXT_MAX - strlen(tail), sentence_of(finding));
    add_printable(text_r, REPLY_TEXT_MAX, tail);
}

void reply_make(const struct conf *conf, const struct message *message, struct reply *reply_r)
{
    const struct finding *finding = message->verdict.decisive;

    *reply_r = (struct reply){0};
    if (!finding)
        return;
    make_text(conf, finding, reply_r->text);
    if (!verdict_refuses(&message->verdict))
        return;
    reply_code(finding, (enum action)finding->action, &reply_r->code, reply_r->enhanced);
}

/* A finding's own code is of the class that its check had in mind; the configured action decides.
 */
void reply_code(const struct finding *finding, enum action action, unsigned *code_r,
                char enhanced_r[CAUSE_ENHANCED_SIZE])
{
    struct cause own = *finding->cause;

    if (finding->reply_code)
        own.reply_code = finding->reply_code;
    if (finding->enhanced)
        own.enhanced = finding->enhanced;
    cause_reply(&own, action, code_r, enhanced_r);
}

void reply_warning(const struct conf *conf, const struct message *message,
                   const struct finding *finding, char value_r[REPLY_TEXT_MAX])
{
    (void)conf;
    (void)message;
    snprintf(value_r, REPLY_TEXT_MAX, "[%s] ", finding->cause->id);
    add_printable(value_r, REPLY_TEXT_MAX, sentence_of(finding));
}
