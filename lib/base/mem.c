/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is there or the process is not. */
#include "lib/base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void mem_fail(void)
{
    static const char message[] = "out of memory\n";

    /* Nothing that allocates can be used to say so. */
    if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
        abort();
    abort();
}

/* Each message takes a few large pieces.  For each of them glibc would first merge all the small
 * pieces that it put aside for reuse; with none put aside (but those of each thread's own cache,
 * which stays) that walk is gone: a twentieth of the policy daemon's time. */
#ifdef M_MXFAST
void mem_tune(void)
{
    (void)mallopt(M_MXFAST, 0);
}
#else
void mem_tune(void)
{
}
#endif

void *mem_new(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    if (memory == NULL)
        mem_fail();
    return memory;
}

void *mem_grow(void *memory, size_t count, size_t size)
{
    size_t octets;

    if (__builtin_mul_overflow(count, size, &octets))
        mem_fail();
    /* realloc(3) to nothing may free; a caller always owns what comes back. */
    memory = realloc(memory, octets > 0 ? octets : 1);
    if (memory == NULL)
        mem_fail();
    return memory;
}

char *mem_copy(const char *string)
{
    return string != NULL ? mem_copy_n(string, strlen(string)) : NULL;
}

char *mem_copy_n(const char *bytes, size_t length)
{
    char *copy;

    if (length == SIZE_MAX)
        mem_fail();
    copy = mem_grow(NULL, length + 1, 1);
    mem_copy_bytes(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

char *mem_print(const char *format, ...)
{
    va_list arguments;
    char *string = NULL;
    int length;

    va_start(arguments, format);
    length = vasprintf(&string, format, arguments);
    va_end(arguments);
    if (length < 0)
        mem_fail();
    return string;
}

void mem_copy_bytes(void *to, const void *from, size_t length)
{
    if (length > 0)
        memcpy(to, from, length);
}
