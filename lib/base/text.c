/* SPDX-License-Identifier: BSD-2-Clause */
/* A growing string. */
#include "lib/base/text.h"

#include "lib/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_ROOM_FIRST 64

/* Makes room for length more bytes and the NUL. */
static void text_reserve(struct text *text, size_t length)
{
    size_t needed = text->length + length + 1;
    size_t room = text->room > 0 ? text->room : TEXT_ROOM_FIRST;

    if (needed <= text->room)
        return;
    while (room < needed && room <= SIZE_MAX / 2)
        room *= 2;
    if (room < needed)
        room = needed;
    text->bytes = mem_grow(text->bytes, room, 1);
    text->room = room;
}

void text_add(struct text *text, const char *bytes, size_t length)
{
    text_reserve(text, length);
    mem_copy_bytes(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_add_char(struct text *text, char c)
{
    text_add(text, &c, 1);
}

void text_add_number(struct text *text, int64_t number)
{
    char digits[20]; /* of INT64_MIN, with its sign */
    char *first = digits + sizeof(digits);
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do {
        *--first = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        *--first = '-';
    text_add(text, first, (size_t)(digits + sizeof(digits) - first));
}

void text_print(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_vprint(text, format, arguments);
    va_end(arguments);
}

void text_vprint(struct text *text, const char *format, va_list arguments)
{
    va_list again;
    int length;

    va_copy(again, arguments);
    text_reserve(text, TEXT_ROOM_FIRST);
    length = vsnprintf(text->bytes + text->length, text->room - text->length, format, arguments);
    if (length < 0) {
        /* A broken multibyte conversion: what was there before stays whole. */
        text->bytes[text->length] = '\0';
        goto done;
    }
    if ((size_t)length >= text->room - text->length) {
        text_reserve(text, (size_t)length);
        (void)vsnprintf(text->bytes + text->length, text->room - text->length, format, again);
    }
    text->length += (size_t)length;
done:
    va_end(again);
}

void text_add_shell_word(struct text *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "@%+=:,./_-";

    if (*word != '\0' && *word != '-' && word[strspn(word, plain)] == '\0') {
        text_add_string(text, word);
        return;
    }
    text_add_char(text, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            text_add_string(text, "'\\''");
        else
            text_add_char(text, *word);
    }
    text_add_char(text, '\'');
}

void text_cut(struct text *text, size_t length)
{
    if (length < text->length) {
        text->length = length;
        text->bytes[length] = '\0';
    }
}

void text_clear(struct text *text)
{
    text_cut(text, 0);
}

const char *text_string(const struct text *text)
{
    return text->bytes != NULL ? text->bytes : "";
}

char *text_take(struct text *text)
{
    char *bytes = text->bytes != NULL ? text->bytes : mem_copy("");

    *text = (struct text)TEXT_EMPTY;
    return bytes;
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text)TEXT_EMPTY;
}

static unsigned char text_lower_octet(char c)
{
    unsigned char octet = (unsigned char)c;

    return octet >= 'A' && octet <= 'Z' ? (unsigned char)(octet | 0x20) : octet;
}

char *text_lower(char *string)
{
    for (char *at = string; *at != '\0'; at++)
        *at = (char)text_lower_octet(*at);
    return string;
}

bool text_equal_case(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    while (*a != '\0' && text_lower_octet(*a) == text_lower_octet(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

bool text_number(const char *bytes, size_t length, int64_t *number_r)
{
    int64_t number = 0;

    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] < '0' || bytes[i] > '9')
            return false;
        if (number > (INT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (bytes[i] - '0');
    }
    *number_r = number;
    return true;
}
