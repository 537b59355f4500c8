/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/key_seen.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FINGERPRINT_ROOM (2 * SHA256_DIGEST_LENGTH + 1)

static bool make_fingerprint(const EVP_PKEY *key, char fingerprint_r[FINGERPRINT_ROOM])
{
    unsigned char digest[SHA256_DIGEST_LENGTH], *bytes = NULL;
    int length = i2d_PUBKEY(key, &bytes);

    if (length <= 0)
        return false;
    (void)EVP_Digest(bytes, (size_t)length, digest, NULL, EVP_sha256(), NULL);
    OPENSSL_free(bytes);
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)snprintf(fingerprint_r + 2 * i, 3, "%02x", digest[i]);
    return true;
}

/* How each line of the key begins; NULL: it has no public half.  The caller frees it. */
static char *make_head(const char *domain, const char *selector, const EVP_PKEY *key)
{
    char fingerprint[FINGERPRINT_ROOM];

    if (!make_fingerprint(key, fingerprint))
        return NULL;
    return mem_print("%s %s %s ", domain, selector, fingerprint);
}

void key_seen_add(struct text *text, const char *domain, const char *selector, const EVP_PKEY *key,
                  const struct key_seen *seen)
{
    char *head = make_head(domain, selector, key);

    if (head != NULL)
        text_print(text, "%s%" PRId64 " %" PRId64 "\n", head, seen->since_sec, seen->ttl_sec);
    free(head);
}

/* Two numbers and the end of the line. */
static bool read_numbers(const char *text, struct key_seen *seen_r)
{
    int64_t numbers[2];
    char *end;

    for (size_t i = 0; i < 2; i++) {
        if (*text < '0' || *text > '9')
            return false;
        errno = 0;
        numbers[i] = strtoll(text, &end, 10);
        if (errno != 0 || *end != (i == 0 ? ' ' : '\n'))
            return false;
        text = end + 1;
    }
    if (numbers[1] > KEY_SEEN_TTL_MAX)
        return false;
    *seen_r = (struct key_seen){numbers[0], numbers[1]};
    return true;
}

bool key_seen_find(const char *text, const char *domain, const char *selector, const EVP_PKEY *key,
                   struct key_seen *seen_r)
{
    char *head = make_head(domain, selector, key);
    const size_t length = head != NULL ? strlen(head) : 0;
    bool found = false;

    while (head != NULL && !found && text != NULL) {
        found = strncmp(text, head, length) == 0 && read_numbers(text + length, seen_r);
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    free(head);
    return found;
}

static bool write_all(int descriptor, const struct text *text)
{
    const char *bytes = text_string(text);
    size_t length = text->length;

    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

bool key_seen_write(const char *path, const struct text *text, char **problem_r)
{
    char *new_path = mem_print("%s.new", path);
    int descriptor = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool written = descriptor >= 0 && write_all(descriptor, text);

    if (descriptor >= 0 && close(descriptor) != 0)
        written = false;
    written = written && rename(new_path, path) == 0;
    if (!written)
        *problem_r = mem_print("cannot write %s: %s", path, strerror(errno));
    free(new_path);
    return written;
}
