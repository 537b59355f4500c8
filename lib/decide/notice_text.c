/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/notice_text.h"

#include "lib/base/mem.h"
#include "lib/causes/causes.h"

#include <stdlib.h>
#include <string.h>

/* The first line is the subject. */
static const char admin_template[] = "Subject: [%{cause}] %{subject}\n"
                                     "\n"
                                     "%{title}: %{subject}\n"
                                     "\n"
                                     "%{sentence}\n"
                                     "\n"
                                     "What to do: %{hint}\n"
                                     "\n"
                                     "action   %{action}\n"
                                     "user     %{user}\n"
                                     "from     %{from}\n"
                                     "client   %{client}\n"
                                     "queue id %{queue-id}\n"
                                     "host     %{host}\n";

static const char user_template[] = "Subject: %{title}\n"
                                    "\n"
                                    "%{sentence}\n"
                                    "\n"
                                    "Your account: %{user}\n"
                                    "Questions: %{contact} (%{cause})\n";

/* --- the words ------------------------------------------------------------------------ */

static void add(struct notice_words *words, const char *name, const char *value)
{
    char *clean = mem_copy(value != NULL ? value : "");

    for (char *p = clean; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    strings_add(&words->names, name);
    strings_add(&words->values, clean);
    free(clean);
}

/* Whom it is about: what a limit counts for, else the login, the client, or the sender. */
static void add_subject(struct notice_words *words, const struct message *message,
                        const struct finding *finding)
{
    char client[IP_TEXT_MAX];
    char *subject = NULL;

    for (size_t i = 0; i < finding->nfields && subject == NULL; i++)
        if (strcmp(finding->fields[i].name, "subject") == 0)
            subject = mem_copy(finding->fields[i].value);
    if (subject == NULL && message->user[0] != '\0')
        subject = mem_print("user:%s", message->user);
    if (subject == NULL && message->client.family != 0) {
        ip_format(&message->client, client);
        subject = mem_print("client:%s", client);
    }
    if (subject == NULL)
        subject = mem_print("sender:%s", message->sender.text);
    add(words, "subject", subject);
    free(subject);
}

void notice_words_of(struct notice_words *words_r, const struct conf *conf,
                     const struct message *message, const struct finding *finding)
{
    const struct cause *cause = finding->cause;
    char client[IP_TEXT_MAX];

    memset(words_r, 0, sizeof(*words_r));
    words_r->done = finding->action == finding->would;
    ip_format(&message->client, client);
    add_subject(words_r, message, finding);
    add(words_r, "cause", cause->id);
    add(words_r, "title", cause->title);
    add(words_r, "action", action_name((enum action)finding->action));
    add(words_r, "sentence", finding->sentence ? finding->sentence : cause->sentence);
    add(words_r, "hint", finding->hint ? finding->hint : cause->remedy);
    add(words_r, "user", message->user);
    add(words_r, "from", message->sender.text);
    add(words_r, "client", client);
    add(words_r, "queue-id", message->queue_id[0] ? message->queue_id : "NOQUEUE");
    add(words_r, "host", conf->hostname);
    add(words_r, "contact", conf->contact);
    for (size_t i = 0; i < finding->nfields; i++)
        add(words_r, finding->fields[i].name, finding->fields[i].value);
}

const char *notice_words_value(const struct notice_words *words, const char *name)
{
    for (size_t i = 0; i < words->names.count; i++)
        if (strcmp(words->names.items[i], name) == 0)
            return words->values.items[i];
    return "";
}

void notice_words_clear(struct notice_words *words)
{
    strings_free(&words->names);
    strings_free(&words->values);
}

/* --- the text ------------------------------------------------------------------------- */

void notice_fill(const struct notice_words *words, const char *template, struct text *text)
{
    for (const char *p = template; *p != '\0'; p++) {
        const char *end = p[0] == '%' && p[1] == '{' ? strchr(p, '}') : NULL;
        char *name;

        if (p[0] == '%' && p[1] == '%') {
            text_add_char(text, *p++);
        } else if (end == NULL) {
            text_add_char(text, *p);
        } else {
            name = mem_copy_n(p + 2, (size_t)(end - p - 2));
            text_add_string(text, notice_words_value(words, name));
            free(name);
            p = end;
        }
    }
}

static const char *template_of(const struct conf_notify *notify, bool to_user)
{
    if (to_user)
        return notify->user_text[0] != '\0' ? notify->user_text : user_template;
    return notify->text[0] != '\0' ? notify->text : admin_template;
}

/* Where the lines of a template that go into the header end: behind an empty line, or nowhere. */
static size_t header_length(const char *template)
{
    const char *end = strstr(template, "\n\n");

    if (strncmp(template, "Subject:", 8) != 0)
        return 0;
    return end != NULL ? (size_t)(end - template) + 1 : 0;
}

void notice_body(const struct conf_notify *notify, const struct notice_words *words, bool to_user,
                 struct text *text)
{
    const char *template = template_of(notify, to_user);
    size_t header = header_length(template);

    notice_fill(words, template + header + (header > 0 ? 1 : 0), text);
}

void notice_mail(const struct conf *conf, const struct conf_notify *notify,
                 const struct notice_words *words, const char *to, bool to_user, struct text *text)
{
    const char *template = template_of(notify, to_user);
    size_t length = header_length(template);
    char *header = length > 0 ? mem_copy_n(template, length) : mem_copy("Subject: [%{cause}]\n");

    if (conf->notify_from[0] != '\0')
        text_print(text, "From: %s\n", conf->notify_from);
    else
        text_print(text, "From: Sluice <postmaster@%s>\n", conf->hostname);
    text_print(text, "To: %s\n", to);
    notice_fill(words, header, text);
    text_add_string(text, "Auto-Submitted: auto-generated\n" /* RFC 3834 */
                          "MIME-Version: 1.0\n"
                          "Content-Type: text/plain; charset=utf-8\n"
                          "Content-Transfer-Encoding: 8bit\n"
                          "\n");
    notice_body(notify, words, to_user, text);
    free(header);
}
