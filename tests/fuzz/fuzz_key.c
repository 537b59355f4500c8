/* SPDX-License-Identifier: BSD-2-Clause */
/* Key files as somebody wrote them: a file is refused with a reason, or holds a key that signs. */
#include "lib/auth/key.h"
#include "lib/base/mem.h"
#include "tests/fuzz/fuzz.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* In memory, so that a million files cost nothing. */
static int make_file(const void *bytes, size_t length)
{
    int descriptor = memfd_create("key", MFD_CLOEXEC);

    must(descriptor >= 0 && fchmod(descriptor, 0600) == 0);
    must(write(descriptor, bytes, length) == (ssize_t)length &&
         lseek(descriptor, 0, SEEK_SET) == 0);
    return descriptor;
}

static bool read_key(const void *bytes, size_t length, struct key *key_r)
{
    int descriptor = make_file(bytes, length);
    char *path = mem_print("/proc/self/fd/%d", descriptor), *problem = NULL;
    enum key_trouble trouble = key_read(path, key_r, &problem);
    bool good = trouble == KEY_FINE;

    must(good == (problem == NULL) && trouble != KEY_NOT_PERMITTED && trouble != KEY_NOT_OPENED);
    free(problem);
    free(path);
    close(descriptor);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct key key = {0}, again = {0};

    if (size > KEY_FILE_MAX || !read_key(data, size, &key))
        return 0;
    must(key.private_key != NULL && (key.algorithm == KEY_ED25519 || key.bits >= KEY_BITS_MIN));
    must(read_key(key.pem, strlen(key.pem), &again));
    must(again.algorithm == key.algorithm && again.bits == key.bits);
    must(strcmp(again.pem, key.pem) == 0);
    key_clear(&again);
    key_clear(&key);
    return 0;
}
