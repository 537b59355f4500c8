/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the word that was meant. */
#include "lib/base/words.h"

#include <string.h>

#define WORD_MAX 64 /* longer ones are no slip of the finger */

/* Lower case, and one separator for all: limit_near is as good as limit.near. */
static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c | 0x20);
    return c == '_' || c == '.' ? '-' : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits between two words of at most WORD_MAX octets: insert, delete, replace, swap neighbours. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];

    for (size_t j = 0; j <= b_length; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *spare = before;

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t cost = fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1;

            row[j] = least(least(last[j] + 1, row[j - 1] + 1), last[j - 1] + cost);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
        row = spare;
    }
    return last[b_length];
}

const char *words_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word);
    size_t bound = (length + 1) / 3 > 0 ? (length + 1) / 3 : 1;
    const char *nearest = NULL;

    if (length == 0 || length > WORD_MAX)
        return NULL;
    /* A word of one letter, replaced, has nothing in common with what was typed. */
    bound = least(bound, length - 1);
    for (size_t i = 0; i < count; i++) {
        size_t candidate_length = strlen(candidates[i]);
        size_t edits;

        if (candidate_length > WORD_MAX)
            continue;
        edits = distance(word, length, candidates[i], candidate_length);
        if (edits > bound)
            continue;
        nearest = candidates[i];
        if (edits == 0)
            break;
        bound = edits - 1;
    }
    return nearest;
}
