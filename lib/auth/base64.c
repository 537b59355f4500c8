/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/base64.h"

#include "lib/base/mem.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* EVP_DecodeBlock() lets white space at the ends and any number of '=' pass. */
static size_t padding_of(const char *text, size_t length)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t letters = strspn(text, alphabet);
    size_t padding = strspn(text + letters, "=");

    return letters + padding == length && padding <= 2 ? padding : SIZE_MAX;
}

unsigned char *base64_decode(const char *text, size_t *length_r)
{
    size_t length = strlen(text);
    size_t padding = padding_of(text, length);
    unsigned char *bytes;
    int decoded;

    if (length == 0 || length % 4 != 0 || length > INT_MAX || padding > 2)
        return NULL;
    bytes = mem_new(length / 4 * 3, 1);
    decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    if (decoded < 0 || (size_t)decoded <= padding) {
        ERR_clear_error();
        free(bytes);
        return NULL;
    }
    *length_r = (size_t)decoded - padding;
    return bytes;
}
