/* SPDX-License-Identifier: BSD-2-Clause */
/* SMTP replies in text. */
#include "lib/classify/reply.h"

#include "lib/base/count.h"

#include <string.h>

#define DETAIL_MAX 999 /* RFC 3463 §2: at most three digits */
#define ENHANCED_LENGTH_MAX 9 /* "5.999.999" */
#define ENHANCED_LENGTH_MIN 5

/* What stands before a reply when somebody quotes it. */
static const char *const quotes[] = {
    " said: ",     "smtp; ",      "smtp;",
    "SMTP; ",      "SMTP;",       " refused to talk to me: ",
    "]: ",         "response: ",  "reason: ",
    "error: ",     "returned: ",  "status: ",
    "replied: ",   "responded: ", "response was: ",
    "error was: ", "]:25: ",      "said ",
    ": host ",     "reply: ",     "message: ",
    "with: ",
};

static const struct {
    const char *words;
    enum smtp_stage stage;
} stages[] = {
    {"rcpt", SMTP_RCPT},         {"end of data", SMTP_END},
    {"end-of-", SMTP_END},       {"end of message", SMTP_END},
    {"message body", SMTP_END},  {"mail", SMTP_MAIL},
    {"data", SMTP_DATA},         {"bdat", SMTP_DATA},
    {"starttls", SMTP_STARTTLS}, {"auth", SMTP_AUTH},
    {"ehlo", SMTP_HELO},         {"helo", SMTP_HELO},
    {"lhlo", SMTP_HELO},         {"greeting", SMTP_CONNECT},
    {"connect", SMTP_CONNECT},   {"initial connection", SMTP_CONNECT},
};

static const char *const stage_names[SMTP_COUNT] = {
    [SMTP_UNKNOWN] = "unknown",   [SMTP_CONNECT] = "connect", [SMTP_HELO] = "helo",
    [SMTP_STARTTLS] = "starttls", [SMTP_AUTH] = "auth",       [SMTP_MAIL] = "mail",
    [SMTP_RCPT] = "rcpt",         [SMTP_DATA] = "data",       [SMTP_END] = "end",
};

enum smtp_stage stage_find(struct span words)
{
    char lower[64];
    size_t length = words.length < sizeof(lower) - 1 ? words.length : sizeof(lower) - 1;

    for (size_t i = 0; i < length; i++)
        lower[i] = (char)(words.start[i] >= 'A' && words.start[i] <= 'Z' ? words.start[i] | 0x20
                                                                         : words.start[i]);
    for (size_t i = 0; i < COUNT_OF(stages); i++)
        if (span_find((struct span){lower, length}, stages[i].words) != SPAN_NONE)
            return stages[i].stage;
    return SMTP_UNKNOWN;
}

bool stage_parse(struct span name, enum smtp_stage *stage_r)
{
    for (enum smtp_stage stage = SMTP_CONNECT; stage < SMTP_COUNT; stage++) {
        if (span_equals(name, stage_names[stage])) {
            *stage_r = stage;
            return true;
        }
    }
    return false;
}

static bool is_code_class(char c)
{
    return c == '2' || c == '4' || c == '5';
}

bool enhanced_parse(struct span text, struct enhanced *enhanced_r)
{
    size_t subject = span_digits(span_from(text, 2));
    unsigned numbers[2];

    if (text.length < ENHANCED_LENGTH_MIN || !is_code_class(text.start[0]) ||
        text.start[1] != '.' || subject == 0 || subject > 3 || text.length < 4 + subject ||
        text.start[2 + subject] != '.' ||
        !span_number(span_to(span_from(text, 2), subject), DETAIL_MAX, &numbers[0]) ||
        !span_number(span_from(text, 3 + subject), DETAIL_MAX, &numbers[1]))
        return false;
    *enhanced_r = (struct enhanced){(uint8_t)(text.start[0] - '0'), (uint16_t)numbers[0],
                                    (uint16_t)numbers[1]};
    return true;
}

/* How long the enhanced code at the beginning is; 0: there is none. */
static size_t enhanced_length(struct span text)
{
    size_t length = 0;
    struct enhanced ignored;

    while (length < text.length && length <= ENHANCED_LENGTH_MAX &&
           (is_digit(text.start[length]) || text.start[length] == '.'))
        length++;
    /* A full stop may follow. */
    while (length > 0 && text.start[length - 1] == '.')
        length--;
    return enhanced_parse(span_to(text, length), &ignored) ? length : 0;
}

static bool take_enhanced(struct span *text, struct enhanced *enhanced_r)
{
    struct span rest = *text;
    size_t length;

    while (rest.length > 0 && strchr(" #[(<-:", rest.start[0]) != NULL && rest.start[0] != '\0')
        rest = span_from(rest, 1);
    length = enhanced_length(rest);
    if (length == 0)
        return false;
    (void)enhanced_parse(span_to(rest, length), enhanced_r);
    rest = span_from(rest, length);
    while (rest.length > 0 && strchr(" ])>:,-", rest.start[0]) != NULL && rest.start[0] != '\0')
        rest = span_from(rest, 1);
    *text = rest;
    return true;
}

/* Whether three digits are a reply's code.  RFC 5321 §4.2.1 has no more than five kinds of them,
 * but servers refuse with others, too ("571", "585"). */
static bool is_reply_code(struct span text)
{
    if (span_digits(text) != 3 || text.start[0] < '2' || text.start[0] > '5')
        return false;
    return text.start[0] >= '4' || text.start[1] <= '5';
}

/* Takes "550 5.1.1 ", "550-#5.1.1 ", "5.1.1 ".  false: no code begins here. */
static bool take_codes(struct span *text, struct reply *reply)
{
    struct span rest = *text;

    while (rest.length > 0 && strchr(" \"'#<([*", rest.start[0]) != NULL && rest.start[0] != '\0')
        rest = span_from(rest, 1);
    if (is_reply_code(rest) && (rest.length == 3 || strchr(" -:;,.)]", rest.start[3]) != NULL) &&
        enhanced_length(rest) == 0 &&
        (rest.length < 5 || rest.start[3] != '.' || !is_digit(rest.start[4]))) {
        reply->code = (unsigned)(rest.start[0] - '0') * 100 + (unsigned)(rest.start[1] - '0') * 10 +
                      (unsigned)(rest.start[2] - '0');
        reply->several_lines = rest.length > 3 && rest.start[3] == '-';
        rest = span_from(rest, rest.length > 3 ? 4 : 3);
        (void)take_enhanced(&rest, &reply->enhanced);
        *text = span_trim(rest);
        return true;
    }
    return take_enhanced(text, &reply->enhanced);
}

/* Takes the first reply code of a refusal behind a colon, as of Exim's "... MAIL FROM:<addr>
 * SIZE=9: 550 ..."; the text before is dropped. */
static bool find_any_code(struct span *text, struct reply *reply)
{
    static const char colon[] = ": ";
    struct span rest = *text;
    size_t at;

    while ((at = span_find(rest, colon)) != SPAN_NONE) {
        rest = span_from(rest, at + sizeof(colon) - 1);
        if (rest.length > 4 && is_reply_code(rest) && rest.start[0] >= '4' &&
            (rest.start[3] == ' ' || rest.start[3] == '-') && take_codes(&rest, reply)) {
            *text = rest;
            return true;
        }
    }
    return false;
}

/* Takes a code behind a quotation's words, wherever those stand; the text before is dropped. */
static bool find_codes(struct span *text, struct reply *reply)
{
    size_t best = SPAN_NONE;
    struct span found = *text;

    for (size_t i = 0; i < COUNT_OF(quotes); i++) {
        /* Whatever is behind the best one so far would be a quotation inside a quotation. */
        size_t at = span_find(span_to(*text, best), quotes[i]);
        struct reply codes = *reply;
        struct span rest;

        if (at == SPAN_NONE)
            continue;
        rest = span_from(*text, at + strlen(quotes[i]));
        if (!take_codes(&rest, &codes))
            continue;
        best = at;
        found = rest;
        *reply = codes;
    }
    *text = found;
    return best != SPAN_NONE || find_any_code(text, reply);
}

/* A code inside the text, as qmail and others put it: "(#5.1.1)", "[5.7.1]", " 5.2.2 "; one that
 * says more than "other" is preferred. */
static void search_enhanced(struct span text, struct enhanced *enhanced_r)
{
    for (size_t i = 0; i + ENHANCED_LENGTH_MIN <= text.length; i++) {
        size_t length;
        char after;

        if (text.start[i + 1] != '.' || !is_code_class(text.start[i]) ||
            (i > 0 && strchr(" #[(<:;", text.start[i - 1]) == NULL))
            continue;
        length = enhanced_length(span_from(text, i));
        after = i + length < text.length ? text.start[i + length] : ' ';
        if (length == 0 || is_digit(after) || is_letter(after) || text.start[i + 3] != '.')
            continue;
        (void)enhanced_parse(span_to(span_from(text, i), length), enhanced_r);
        if (enhanced_r->detail != 0)
            return;
        i += length;
    }
}

/* Takes " (in reply to RCPT TO command)" off the end, and Exim's "... after RCPT TO:<...>: ". */
static void take_stage(struct span *text, struct reply *reply)
{
    static const char postfix[] = "(in reply to ";
    static const char *const exim[] = {"mail server after ",
                                       "SMTP error from remote mailer after "};
    size_t at = span_find(*text, postfix);

    if (at != SPAN_NONE && at + 64 > text->length && span_ends(*text, " command)")) {
        reply->stage = stage_find(span_from(*text, at + sizeof(postfix) - 1));
        *text = span_trim(span_to(*text, at));
        return;
    }
    for (size_t i = 0; i < COUNT_OF(exim); i++) {
        at = span_find(*text, exim[i]);
        if (at != SPAN_NONE) {
            reply->stage = stage_find(span_to(span_from(*text, at + strlen(exim[i])), 24));
            return;
        }
    }
}

/* Takes what a delivery report has before its diagnostic (RFC 3464 §2.3.6): "Diagnostic-Code:
 * X-Postfix; ".  What such a report says is a failure, with or without a code. */
static bool take_diagnostic_type(struct span *text)
{
    static const char header[] = "diagnostic-code:";
    static const char *const types[] = {"smtp", "esmtp",   "lmtp",  "x-", "unix",
                                        "x400", "unknown", "local", "dns"};
    struct span rest = *text;
    size_t length = 0;

    if (span_starts_case(rest, header))
        rest = span_trim(span_from(rest, sizeof(header) - 1));
    while (length < rest.length && (is_letter(rest.start[length]) || is_digit(rest.start[length]) ||
                                    rest.start[length] == '-' || rest.start[length] == '.'))
        length++;
    if (length == rest.length || rest.start[length] != ';')
        return false;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!span_starts_case(rest, types[i]) ||
            (strlen(types[i]) != length && strcmp(types[i], "x-") != 0))
            continue;
        *text = span_trim(span_from(rest, length + 1));
        return true;
    }
    return false;
}

void reply_parse(struct span text, struct reply *reply_r)
{
    *reply_r = (struct reply){.stage = SMTP_UNKNOWN};
    text = span_trim(text);
    reply_r->reported = take_diagnostic_type(&text);
    take_stage(&text, reply_r);
    if (!take_codes(&text, reply_r))
        (void)find_codes(&text, reply_r);
    if (reply_r->enhanced.class == 0)
        search_enhanced(text, &reply_r->enhanced);
    reply_r->text = span_trim(text);
}
