/* SPDX-License-Identifier: BSD-2-Clause */
/* content.*: what is in the message, told by lib/content. */
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/content/scanner.h"
#include "lib/content/unsubscribe.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/maker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OCTETS_PER_MB 1000000

static double megabytes(int64_t octets)
{
    return (double)octets / OCTETS_PER_MB;
}

void check_attachment_size(const struct conf *conf, struct message *message)
{
    const struct content_fact *content = &message->facts.content;
    const bool named = content->largest_name != NULL && content->largest_name[0] != '\0';
    struct finding *finding;

    if (conf->attachment_size == 0 || content->attachment_octets <= conf->attachment_size)
        return;
    finding = findings_add(&message->findings, cause_get(CAUSE_CONTENT_ATTACHMENT_SIZE));
    finding_field(finding, "size", "%" PRId64, content->attachment_octets);
    finding_field(finding, "max", "%" PRId64, conf->attachment_size);
    finding_field(finding, "attachments", "%zu", content->nattachments);
    if (named)
        finding_field(finding, "file", "%s", content->largest_name);
    finding_field(finding, "file-size", "%" PRId64, content->largest_octets);
    finding_sentence(finding,
                     "The attachments have %.1f MB together and over %.1f MB often do not arrive. "
                     "Put the files where the recipients can fetch them, and send the link.",
                     megabytes(content->attachment_octets), megabytes(conf->attachment_size));
    finding_hint(finding,
                 "put %s%s%s (%.1f MB) on a file server and send its link, or raise "
                 "attachment-size (now %" PRId64 " bytes)",
                 named ? "\"" : "", named ? content->largest_name : "the largest file",
                 named ? "\"" : "", megabytes(content->largest_octets), conf->attachment_size);
}

/* --- dangerous attachments ------------------------------------------------------------ */

static const char *const found_by[] = {
    [CONTENT_BY_NAME] = "name",           [CONTENT_BY_MAGIC] = "magic",
    [CONTENT_BY_ARCHIVE] = "archive",     [CONTENT_BY_ENCRYPTION] = "encrypted-archive",
    [CONTENT_BY_DEPTH] = "archive-depth", [CONTENT_BY_SIZE] = "archive-size",
    [CONTENT_BY_MACRO] = "macro",
};

#define TYPE "of a type that mail servers or programs refuse, as viruses come in it."
#define LINK "Please send a link to the file."
static const char *const is_refused[] = {
    [CONTENT_BY_NAME] = "is " TYPE " " LINK,
    [CONTENT_BY_MAGIC] = "is, by what is in it, " TYPE " " LINK,
    [CONTENT_BY_ARCHIVE] = "is " TYPE " " LINK,
    [CONTENT_BY_MACRO] = "has macros (programs) in it, which mail servers refuse. Please send it "
                         "without macros, or a link to it.",
    [CONTENT_BY_SIZE] = "is an archive that unpacks to so much that nobody looks for viruses in "
                        "it; mail servers refuse it. Please send a link.",
    [CONTENT_BY_ENCRYPTION] = "is an encrypted archive within which nobody can look for viruses; "
                              "mail servers refuse it. Please send a link.",
    [CONTENT_BY_DEPTH] = "is an archive in so many others that nobody looks for viruses there; "
                         "mail servers refuse it. Please send a link.",
};

/* "setup.exe in files.zip". */
static void risk_words(const struct content_risk *risk, struct text *words)
{
    const char *name = risk->name[0] != '\0' ? risk->name : "a file without a name";

    if (risk->inner != NULL && risk->inner[0] != '\0')
        text_print(words, "%s in %s", risk->inner, name);
    else
        text_add_string(words, name);
}

static void find_risk(struct message *message, const struct content_risk *risk)
{
    struct finding *finding =
        findings_add(&message->findings, cause_get(CAUSE_CONTENT_ATTACHMENT_TYPE));
    const bool macro = risk->by == CONTENT_BY_MACRO;
    struct text words = TEXT_EMPTY, way = TEXT_EMPTY;

    risk_words(risk, &words);
    text_print(&way, macro ? "save %s without macros" : "send a link to %s in its place",
               text_string(&words));
    finding_field(finding, "file", "%s", risk->name);
    if (risk->inner != NULL && risk->inner[0] != '\0')
        finding_field(finding, "inner", "%s", risk->inner);
    finding_field(finding, "type", "%s", risk->kind);
    finding_field(finding, "by", "%s", found_by[risk->by]);
    finding_field(finding, "part", "%s", risk->part);
    finding_sentence(finding, "The attachment %s %s", text_string(&words), is_refused[risk->by]);
    if (message->user[0] != '\0')
        finding_hint(
            finding,
            "%s; if %s did not attach it, the account is in wrong hands: sluicectl suspend "
            "%s --reason abuse",
            text_string(&way), message->user, message->user);
    else
        finding_hint(finding, "%s; if nobody attached it, the computer that sent it is infected",
                     text_string(&way));
    text_free(&way);
    text_free(&words);
}

void check_attachment_type(const struct conf *conf, struct message *message)
{
    const struct content_fact *content = &message->facts.content;

    (void)conf;
    for (size_t i = 0; i < content->nrisks; i++)
        find_risk(message, &content->risks[i]);
}

/* --- links ---------------------------------------------------------------------------- */

static struct finding *find_links(struct message *message, const char *problem)
{
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_CONTENT_LINKS));

    finding_field(finding, "problem", "%s", problem);
    finding_field(finding, "links", "%zu", message->facts.content.nlinks);
    return finding;
}

void check_links(const struct conf *conf, struct message *message)
{
    const struct content_fact *content = &message->facts.content;
    struct finding *finding;

    if (conf->links_max > 0 && (int64_t)content->nlinks > conf->links_max) {
        finding = find_links(message, "many");
        finding_field(finding, "max", "%" PRId64, conf->links_max);
        finding_sentence(finding,
                         "The message has %zu links; with over %" PRId64
                         " it looks like spam to many filters.",
                         content->nlinks, conf->links_max);
        finding_hint(finding,
                     "leave out some of the %zu links, or raise links-max (now %" PRId64 ")",
                     content->nlinks, conf->links_max);
    }
    if (content->ndisguised > 0) {
        finding = find_links(message, "disguised");
        finding_field(finding, "shown", "%s", content->disguise.shown);
        finding_field(finding, "host", "%s", content->disguise.host);
        finding_sentence(finding, "A link shows %s but leads to %s, as those of fraudsters do.",
                         content->disguise.shown, content->disguise.host);
        finding_hint(finding, "show %s as the text of the link, or words, in place of %s",
                     content->disguise.host, content->disguise.shown);
    }
    if (content->shortener != NULL) {
        finding = find_links(message, "shortener");
        finding_field(finding, "host", "%s", content->shortener);
        finding_sentence(finding, "A link is shortened by %s, which hides where it leads.",
                         content->shortener);
        finding_hint(finding, "write the address that the link at %s leads to", content->shortener);
    }
    if (content->address != NULL) {
        finding = find_links(message, "address");
        finding_field(finding, "host", "%s", content->address);
        finding_sentence(finding, "A link leads to the bare address %s in place of a name.",
                         content->address);
        finding_hint(finding, "give %s a name in your domain, and link to that", content->address);
    }
}

/* --- bulk mail ------------------------------------------------------------------------ */

/* Why it counts as bulk mail, or false. */
static bool is_bulk(const struct conf *conf, const struct message *message, struct text *why)
{
    const struct conf_person person = {.login = message->user,
                                       .sender = message->sender.text,
                                       .client = &message->client,
                                       .class = message->facts.class};
    const struct conf_class *class = conf_bulk_class(conf, &person);
    const char *precedence = unsubscribe_precedence(message);

    if (unsubscribe_is_answer(message))
        return false;
    if (class != NULL)
        text_print(why, "class %s", class->name);
    else if (precedence != NULL)
        text_print(why, "Precedence: %s", precedence);
    else if (conf->bulk_recipients > 0 &&
             (int64_t)message->nrecipients_total >= conf->bulk_recipients)
        text_print(why, "%zu recipients", message->nrecipients_total);
    return why->length > 0;
}

/* What is missing. */
enum lack { LACK_NOTHING, LACK_FIELD, LACK_HTTPS, LACK_POST, LACK_SIGNATURE, LACK_COVER };
static const char *const lacks[] = {
    [LACK_FIELD] = "no List-Unsubscribe",
    [LACK_HTTPS] = "List-Unsubscribe has no https address",
    [LACK_POST] = "no List-Unsubscribe-Post",
    [LACK_SIGNATURE] = "no DKIM signature",
    [LACK_COVER] = "the DKIM signature does not cover it",
};

/* People who talk with each other are not mailed to in bulk (RFC 8058 is about the latter). */
static enum lack lack_of(const struct message *message, const struct unsubscribe *state)
{
    const bool discussion = unsubscribe_is_discussion(message);

    if (!state->has_field)
        return LACK_FIELD;
    if (discussion)
        return LACK_NOTHING;
    return !state->has_https   ? LACK_HTTPS
           : !state->one_click ? LACK_POST
           : state->is_covered ? LACK_NOTHING
           : !state->is_signed ? LACK_SIGNATURE
                               : LACK_COVER;
}

/* The whole headers to write, with what is there kept. */
static void hint_bulk(const struct message *message, enum lack lack, struct finding *finding)
{
    const struct header *there = message_header(message, "List-Unsubscribe", 0);
    const char *value = there != NULL ? there->value + strspn(there->value, " \t\r\n") : "";
    char *maker = maker_words(message), *domain = maker_domain(message);

    switch (lack) {
    case LACK_FIELD:
    case LACK_HTTPS:
        finding_hint(finding,
                     "let %s add \"List-Unsubscribe: <https://%s/...>%s%.200s\" and "
                     "\"List-Unsubscribe-Post: List-Unsubscribe=One-Click\", with an address for "
                     "each recipient that answers the POST",
                     maker, domain, *value != '\0' ? ", " : "", value);
        break;
    case LACK_POST:
        finding_hint(finding,
                     "let %s add \"List-Unsubscribe-Post: List-Unsubscribe=One-Click\", and answer "
                     "the POST to %.200s",
                     maker, value);
        break;
    case LACK_COVER:
        finding_hint(finding,
                     "let what signs for %s name List-Unsubscribe and List-Unsubscribe-Post in the "
                     "h= of the DKIM signature; a sign section for %s does",
                     domain, domain);
        break;
    case LACK_SIGNATURE:
        finding_hint(
            finding,
            "sign mail from %s: sluicectl keygen %s makes the key, the record and the sign "
            "section, which covers both headers",
            domain, domain);
        break;
    case LACK_NOTHING:
        break;
    }
    free(maker);
    free(domain);
}

void check_bulk_headers(const struct conf *conf, struct message *message)
{
    struct unsubscribe state;
    struct text why = TEXT_EMPTY;
    enum lack lack;
    struct finding *finding;

    if (!conf->content_checks || !is_bulk(conf, message, &why))
        goto done;
    unsubscribe_read(message, &state);
    lack = lack_of(message, &state);
    if (lack == LACK_NOTHING)
        goto done;
    finding = findings_add(&message->findings, cause_get(CAUSE_CONTENT_BULK_HEADERS));
    finding_field(finding, "problem", "%s", lacks[lack]);
    finding_field(finding, "bulk-by", "%s", text_string(&why));
    finding_field(finding, "rcpts", "%zu", message->nrecipients_total);
    finding_sentence(finding,
                     "This is bulk mail (%s), and people cannot unsubscribe from it with one click "
                     "(%s); large mail providers refuse such mail.",
                     text_string(&why), lacks[lack]);
    hint_bulk(message, lack, finding);
done:
    text_free(&why);
}

/* --- scanners, structure -------------------------------------------------------------- */

void check_spam_score(const struct conf *conf, struct message *message)
{
    struct scanner_verdict verdict;
    struct finding *finding;

    if (!conf->content_checks || !scanner_says_spam(conf, message, &verdict))
        return;
    finding = findings_add(&message->findings, cause_get(CAUSE_CONTENT_SPAM_SCORE));
    finding_field(finding, "scanner", "%s", verdict.scanner);
    finding_field(finding, "header", "%s", verdict.header);
    if (verdict.score[0] != '\0')
        finding_field(finding, "score", "%s", verdict.score);
    if (verdict.required[0] != '\0')
        finding_field(finding, "required", "%s", verdict.required);
    if (verdict.symbols[0] != '\0')
        finding_field(finding, "symbols", "%s", verdict.symbols);
    if (verdict.score[0] != '\0' && verdict.required[0] != '\0')
        finding_sentence(finding,
                         "The message looks like spam to our filter (%s points, %s are too many).",
                         verdict.score, verdict.required);
    if (message->user[0] != '\0')
        finding_hint(finding,
                     "look at the message and at what %s found%s%s; if %s did not write it: "
                     "sluicectl suspend %s --reason abuse",
                     verdict.scanner, verdict.symbols[0] != '\0' ? ": " : "", verdict.symbols,
                     message->user, message->user);
    else
        finding_hint(finding, "look at the message and at what %s found%s%s", verdict.scanner,
                     verdict.symbols[0] != '\0' ? ": " : "", verdict.symbols);
}

void check_malformed(const struct conf *conf, struct message *message)
{
    const struct content_fact *content = &message->facts.content;
    struct finding *finding;
    char *maker;

    (void)conf;
    if (content->malformed == NULL)
        return;
    finding = findings_add(&message->findings, cause_get(CAUSE_CONTENT_MALFORMED));
    finding_field(finding, "problem", "%s", content->malformed);
    if (content->malformed_part[0] != '\0')
        finding_field(finding, "part", "%s", content->malformed_part);
    finding_sentence(finding,
                     "The message was put together wrongly by the program that sent it%s%s (%s).",
                     content->malformed_part[0] != '\0' ? ", in part " : "",
                     content->malformed_part, content->malformed);
    maker = maker_words(message);
    finding_hint(finding, "let %s repair it: %s", maker, content->malformed_remedy);
    free(maker);
}
