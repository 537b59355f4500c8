/* SPDX-License-Identifier: BSD-2-Clause */
/* The form of a text that rules look at. */
#include "lib/classify/normal.h"

#include "lib/base/count.h"
#include "lib/classify/letters.h"

#include <string.h>

#define FIRST_LEAD 0xc0 /* letters of several octets begin so, in UTF-8 */
#define TOKEN_MAX 255 /* octets of a word that is looked at for addresses */

/* What an octet may be part of. */
enum octet {
    IN_HEX = 1, /* IP addresses: also '.' and ':' */
    IN_LOCAL = 2, /* the local part of an address */
    IN_DOMAIN = 4,
    IN_DIGIT = 8,
    IN_UPPER = 16,
    IN_CARE = 32, /* where an address may be */
    IN_ODD = 64, /* left out, or a blank */
};

#define D (IN_HEX | IN_LOCAL | IN_DOMAIN | IN_DIGIT | IN_CARE)
#define H (IN_HEX | IN_LOCAL | IN_DOMAIN)
#define A (IN_LOCAL | IN_DOMAIN)
#define U IN_UPPER
#define Q IN_ODD
static const unsigned char octets[256] = {
    ['0'] = D,
    ['1'] = D,
    ['2'] = D,
    ['3'] = D,
    ['4'] = D,
    ['5'] = D,
    ['6'] = D,
    ['7'] = D,
    ['8'] = D,
    ['9'] = D,
    ['a'] = H,
    ['b'] = H,
    ['c'] = H,
    ['d'] = H,
    ['e'] = H,
    ['f'] = H,
    ['A'] = H | U,
    ['B'] = H | U,
    ['C'] = H | U,
    ['D'] = H | U,
    ['E'] = H | U,
    ['F'] = H | U,
    ['g'] = A,
    ['h'] = A,
    ['i'] = A,
    ['j'] = A,
    ['k'] = A,
    ['l'] = A,
    ['m'] = A,
    ['n'] = A,
    ['o'] = A,
    ['p'] = A,
    ['q'] = A,
    ['r'] = A,
    ['s'] = A,
    ['t'] = A,
    ['u'] = A,
    ['v'] = A,
    ['w'] = A,
    ['x'] = A,
    ['y'] = A,
    ['z'] = A,
    ['G'] = A | U,
    ['H'] = A | U,
    ['I'] = A | U,
    ['J'] = A | U,
    ['K'] = A | U,
    ['L'] = A | U,
    ['M'] = A | U,
    ['N'] = A | U,
    ['O'] = A | U,
    ['P'] = A | U,
    ['Q'] = A | U,
    ['R'] = A | U,
    ['S'] = A | U,
    ['T'] = A | U,
    ['U'] = A | U,
    ['V'] = A | U,
    ['W'] = A | U,
    ['X'] = A | U,
    ['Y'] = A | U,
    ['Z'] = A | U,
    ['.'] = H,
    ['-'] = A,
    [':'] = IN_HEX | IN_CARE,
    ['@'] = IN_CARE,
    ['_'] = A | IN_ODD,
    ['+'] = IN_LOCAL,
    ['='] = IN_LOCAL,
    ['*'] = A,
    ['#'] = IN_LOCAL,
    ['!'] = IN_LOCAL,
    ['&'] = IN_LOCAL,
    ['~'] = IN_LOCAL,
    ['/'] = IN_LOCAL,
    ['?'] = IN_LOCAL,
    ['$'] = IN_LOCAL,
    ['%'] = IN_LOCAL,
    ['"'] = Q,
    ['\''] = Q,
    ['`'] = Q,
};
#undef D
#undef H
#undef A
#undef U
#undef Q

/* Words that people write in more than one way; the last letters of a token. */
static const struct {
    const char *from, *to;
} spellings[] = {
    {"cant", "cannot"},       {"couldnt", "could not"}, {"doesnt", "does not"},
    {"isnt", "is not"},       {"hasnt", "has not"},     {"havent", "have not"},
    {"wasnt", "was not"},     {"didnt", "did not"},     {"dont", "do not"},
    {"wont", "will not"},     {"arent", "are not"},     {"werent", "were not"},
    {"e-mail", "email"},      {"e-mails", "emails"},    {"over-quota", "over quota"},
    {"wouldnt", "would not"},
};

struct writer {
    char *bytes;
    size_t length;
};

static bool is_in(char c, unsigned what)
{
    return (octets[(unsigned char)c] & what) != 0;
}

static void put(struct writer *writer, const char *bytes, size_t length)
{
    size_t room = NORMAL_MAX - writer->length;

    if (length > room)
        length = room;
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
}

/* Whether a token repeats a reply's codes: "550-5.7.1", "550-", "550", "5.7.1". */
static bool is_code(struct span token)
{
    size_t digits = span_digits(token);

    if (digits == 3 && token.start[0] >= '2' && token.start[0] <= '5' &&
        (token.length == 3 || token.start[3] == '-')) {
        struct span rest = span_from(token, 4);

        return rest.length == 0 || (rest.length >= 5 && is_digit(rest.start[0]) &&
                                    rest.start[1] == '.' && is_digit(rest.start[2]));
    }
    return token.length >= 5 && token.length <= 9 && digits == 1 && token.start[1] == '.' &&
           is_digit(token.start[2]) && token.start[3] == '.' &&
           span_digits(span_from(token, 4)) == token.length - 4;
}

/* The length of the IP address at the beginning, or 0. */
static size_t ip_length(struct span text)
{
    size_t length = 0;
    unsigned dots = 0;
    unsigned colons = 0;
    bool decimal = true;

    while (length < text.length && is_in(text.start[length], IN_HEX)) {
        char c = text.start[length++];

        dots += c == '.';
        colons += c == ':';
        decimal = decimal && (is_in(c, IN_DIGIT) || c == '.');
    }
    if (length < text.length && is_in(text.start[length], IN_LOCAL | IN_DOMAIN) &&
        text.start[length] != '/')
        return 0; /* a longer word begins like one */
    while (length > 0 && text.start[length - 1] == '.') {
        length--;
        dots--;
    }
    if (decimal && dots == 3 && colons == 0 && length >= 7)
        return length;
    /* IPv6, but neither a time ("12:30:00") nor a word with a colon. */
    if (colons >= 3 || (colons == 2 && memmem(text.start, length, "::", 2) != NULL && length > 4)) {
        while (length > 0 && text.start[length - 1] == ':')
            length--;
        return length;
    }
    return 0;
}

/* Around an '@': where the address begins and ends.  false: it is none. */
static bool find_address(struct span token, size_t at, size_t from, size_t *start_r, size_t *end_r)
{
    size_t start = at;
    size_t end = at + 1;

    /* Sendmail's "rejected...<addr>" ends before the dots. */
    while (start > from && is_in(token.start[start - 1], IN_LOCAL) &&
           (token.start[start - 1] != '.' || token.start[start] != '.'))
        start--;
    while (start < at && token.start[start] == '.')
        start++;
    while (end < token.length && is_in(token.start[end], IN_DOMAIN))
        end++;
    while (end > at + 1 && token.start[end - 1] == '.')
        end--;
    if (start == at || end == at + 1)
        return false;
    *start_r = start;
    *end_r = end;
    return true;
}

/* How many octets the typographic quotation mark at the beginning has: U+2018 to U+201F, or 0. */
static size_t quote_length(struct span text)
{
    if (text.length >= 3 && text.start[0] == '\xe2' && text.start[1] == '\x80' &&
        (unsigned char)text.start[2] >= 0x98 && (unsigned char)text.start[2] <= 0x9f)
        return 3;
    return 0;
}

static void put_plain(struct writer *writer, struct span token)
{
    char *out = writer->bytes + writer->length;

    token = span_to(token, NORMAL_MAX - writer->length);
    for (size_t i = 0; i < token.length; i++) {
        unsigned char octet = octets[(unsigned char)token.start[i]];
        char c = token.start[i];

        if (octet & IN_UPPER)
            c = (char)(c | 0x20);
        if ((unsigned char)c >= FIRST_LEAD) {
            size_t quote = quote_length(span_from(token, i));
            size_t length = 0;

            i += (quote > 0 ? quote : letters_fold(span_from(token, i), out, &length)) - 1;
            out += length;
        } else if (octet & IN_ODD) {
            if (c == '_')
                *out++ = ' ';
        } else {
            *out++ = c;
        }
    }
    writer->length = (size_t)(out - writer->bytes);
}

/* Writes "<addr>" or "<ip>" for token[start..end), and what stood before it; the brackets that
 * stand directly around go.  Returns what is left. */
static struct span put_address(struct writer *writer, struct span token, size_t start, size_t end,
                               const char *as)
{
    size_t before = start;

    if (before > 0 && end < token.length &&
        ((token.start[before - 1] == '<' && token.start[end] == '>') ||
         (token.start[before - 1] == '[' && token.start[end] == ']'))) {
        before--;
        end++;
    }
    put_plain(writer, span_to(token, before));
    put(writer, as, strlen(as));
    return span_from(token, end);
}

/* A token that may hold addresses. */
static void put_addresses(struct writer *writer, struct span token)
{
    bool has_at = memchr(token.start, '@', token.length) != NULL;

    for (size_t i = 0; i < token.length; i++) {
        size_t start;
        size_t end;
        size_t length;

        if (token.start[i] == '@' && find_address(token, i, 0, &start, &end)) {
            token = put_address(writer, token, start, end, "<addr>");
            has_at = token.length > 0 && memchr(token.start, '@', token.length) != NULL;
            i = (size_t)-1;
            continue;
        }
        if (!is_in(token.start[i], IN_HEX) || token.start[i] == '.' ||
            (i > 0 && is_in(token.start[i - 1], IN_HEX | IN_LOCAL | IN_DOMAIN) &&
             strchr("=/:", token.start[i - 1]) == NULL))
            continue;
        length = has_at ? 0 : ip_length(span_from(token, i));
        if (length > 0) {
            token = put_address(writer, token, i, i + length, "<ip>");
            i = (size_t)-1;
        }
    }
    put_plain(writer, token);
}

/* Writes the last token that way that rules expect. */
static void respell(struct writer *writer, size_t start)
{
    struct span word = {writer->bytes + start, writer->length - start};
    char after[2] = {0};

    if (word.length > 0 && strchr(".,;:!", word.start[word.length - 1]) != NULL) {
        after[0] = word.start[word.length - 1];
        word.length--;
    }
    if (word.length == 3 && memcmp(word.start, "not", 3) == 0 && start >= 4 &&
        memcmp(word.start - 4, "can ", 4) == 0) {
        writer->length = start - 1;
        put(writer, "not", 3);
        put(writer, after, after[0] != '\0');
        return;
    }
    /* All of them end in "t", or begin with "e" or "o". */
    if (word.length < 4 ||
        (word.start[word.length - 1] != 't' && word.start[0] != 'e' && word.start[0] != 'o'))
        return;
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        if (spellings[i].from[0] != word.start[0] || !span_equals(word, spellings[i].from))
            continue;
        writer->length = start;
        put(writer, spellings[i].to, strlen(spellings[i].to));
        put(writer, after, after[0] != '\0');
        return;
    }
}

size_t normal_form(struct span text, bool several_lines, char buffer_r[NORMAL_ROOM])
{
    struct writer writer = {buffer_r, 0};
    size_t at = 0;

    while (at < text.length && writer.length < NORMAL_MAX) {
        struct span token;
        size_t start;
        size_t length = 0;
        unsigned char seen = 0; /* of all its octets */

        while (at < text.length && (unsigned char)text.start[at] <= ' ')
            at++;
        while (at + length < text.length && (unsigned char)text.start[at + length] > ' ')
            seen |= octets[(unsigned char)text.start[at + length++]];
        token = span_to(span_from(text, at), length);
        at += length;
        if (length == 0 || (several_lines && is_code(token)))
            continue;
        if (several_lines && length > 4 && is_code(span_to(token, 4)))
            token = span_from(token, 4);
        if (writer.length > 0)
            put(&writer, " ", 1);
        start = writer.length;
        if (length <= TOKEN_MAX && (seen & IN_CARE) != 0)
            put_addresses(&writer, token);
        else
            put_plain(&writer, token);
        respell(&writer, start);
    }
    buffer_r[writer.length] = '\0';
    return writer.length;
}
