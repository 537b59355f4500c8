/* SPDX-License-Identifier: BSD-2-Clause */
/* Letters beyond ASCII as rules look at them. */
#include "lib/classify/letters.h"

#include "lib/base/mem.h"

#include <string.h>

/* U+00C0 to U+00FF and U+0100 to U+017F, without their marks; '.' is no letter. */
static const char latin1[] = "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty";
static const char latin_a[] = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkk"
                              "llllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuu"
                              "wwyyyzzzzzzs";
_Static_assert(sizeof(latin1) - 1 == 0x100 - 0xc0, "a letter is missing");
_Static_assert(sizeof(latin_a) - 1 == 0x180 - 0x100, "a letter is missing");

#define SHARP_S 0xdf
#define NO_BREAK 0xa0
#define MARK_FIRST 0x300 /* marks that combine with the letter before */
#define MARK_LAST 0x36f

/* The character of two octets of UTF-8 that stands at the beginning, or 0. */
static unsigned two_octets(struct span text)
{
    const unsigned char *octets = (const unsigned char *)text.start;

    if (text.length < 2 || octets[0] < 0xc2 || octets[0] > 0xdf || (octets[1] & 0xc0) != 0x80)
        return 0;
    return (octets[0] & 0x1fU) << 6 | (octets[1] & 0x3fU);
}

static size_t put_two(unsigned character, char out_r[LETTERS_MAX])
{
    out_r[0] = (char)(0xc0 | character >> 6);
    out_r[1] = (char)(0x80 | (character & 0x3f));
    return 2;
}

/* room: octets, at most as many as were read */
static size_t put_latin(unsigned character, size_t room, char out_r[LETTERS_MAX])
{
    out_r[0] = character < 0x100 ? latin1[character - 0xc0] : latin_a[character - 0x100];
    if (character != SHARP_S || room < 2)
        return 1;
    out_r[1] = 's';
    return 2;
}

static size_t put_cyrillic(unsigned character, char out_r[LETTERS_MAX])
{
    if (character < 0x410)
        character += 0x50;
    else if (character < 0x430)
        character += 0x20;
    return put_two(character == 0x451 ? 0x435 : character, out_r);
}

/* ISO 8859-1's letters are no UTF-8 where none of its other octets follows. */
static bool is_latin1(struct span text)
{
    return (unsigned char)text.start[0] >= 0xc0 &&
           (text.length == 1 || ((unsigned char)text.start[1] & 0xc0) != 0x80);
}

size_t letters_fold(struct span text, char out_r[LETTERS_MAX], size_t *length_r)
{
    unsigned character = two_octets(text);
    size_t read = character != 0 ? 2 : 1;

    if (character == 0 && is_latin1(text))
        character = (unsigned char)text.start[0];
    if (character == NO_BREAK) {
        out_r[0] = ' ';
        *length_r = 1;
    } else if (character >= 0xc0 && character < 0x180) {
        *length_r = put_latin(character, read, out_r);
    } else if (character >= MARK_FIRST && character <= MARK_LAST) {
        *length_r = 0;
    } else if (character >= 0x400 && character < 0x460) {
        *length_r = put_cyrillic(character, out_r);
    } else {
        memcpy(out_r, text.start, read);
        *length_r = read;
    }
    return read;
}

char *letters_folded(const char *text)
{
    struct span rest = span_of(text);
    char *folded = mem_new(rest.length + 1, LETTERS_MAX);
    size_t length = 0;

    while (rest.length > 0) {
        size_t count = 1;
        size_t read = 1;

        if ((unsigned char)rest.start[0] < 0x80)
            folded[length] = rest.start[0];
        else
            read = letters_fold(rest, folded + length, &count);
        length += count;
        rest = span_from(rest, read);
    }
    return folded;
}
