/* SPDX-License-Identifier: BSD-2-Clause */
/* When a server says to come again. */
#include "feedback/result.h"
#include "lib/base/count.h"

#include <string.h>
#include <strings.h>

#define NUMBER_MAX 100000
#define RETRY_MAX_SEC (7 * 86400)

static const struct {
    const char *word;
    int64_t seconds;
} units[] = {
    {"seconds", 1}, {"second", 1}, {"secs", 1},     {"sec", 1},     {"minutes", 60}, {"minute", 60},
    {"mins", 60},   {"min", 60},   {"hours", 3600}, {"hour", 3600}, {"s", 1},        {"m", 60},
};

static int64_t unit_of(struct span word)
{
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (word.length == strlen(units[i].word) &&
            strncasecmp(word.start, units[i].word, word.length) == 0)
            return units[i].seconds;
    return 0;
}

/* "00:04:38", as some greylisting servers write it. */
static int64_t clock_of(struct span text)
{
    unsigned parts[3];

    for (size_t i = 0; i < 3; i++) {
        size_t digits = span_digits(text);

        if (digits != 2 || !span_number(span_to(text, digits), 99, &parts[i]))
            return 0;
        text = span_from(text, digits);
        if (i < 2 && !span_skip(&text, ":"))
            return 0;
    }
    return (int64_t)parts[0] * 3600 + (int64_t)parts[1] * 60 + parts[2];
}

/* A number with a unit behind it. */
static int64_t duration_of(struct span text)
{
    size_t digits = span_digits(text);
    unsigned number;
    size_t letters = 0;

    if (digits == 0)
        return 0;
    if (clock_of(text) > 0)
        return clock_of(text);
    if (!span_number(span_to(text, digits), NUMBER_MAX, &number))
        return 0;
    text = span_trim(span_from(text, digits));
    while (letters < text.length && is_letter(text.start[letters]))
        letters++;
    return number * unit_of(span_to(text, letters));
}

static bool says_again(struct span text)
{
    static const char *const words[] = {"again", "retry", "try", "wait", "later", "back", "grey"};

    for (size_t i = 0; i < COUNT_OF(words); i++)
        for (size_t at = 0; at + strlen(words[i]) <= text.length; at++)
            if (strncasecmp(text.start + at, words[i], strlen(words[i])) == 0)
                return true;
    return false;
}

int64_t result_retry_after(struct span text)
{
    if (!says_again(text))
        return 0;
    for (size_t at = 0; at < text.length; at++) {
        int64_t seconds;

        if (!is_digit(text.start[at]) ||
            (at > 0 && (is_digit(text.start[at - 1]) || is_letter(text.start[at - 1]) ||
                        text.start[at - 1] == '.' || text.start[at - 1] == '-')))
            continue;
        seconds = duration_of(span_from(text, at));
        if (seconds > 0 && seconds <= RETRY_MAX_SEC)
            return seconds;
    }
    return 0;
}
