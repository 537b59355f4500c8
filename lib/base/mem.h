/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is there or the process is not.
 *
 * Every size that comes from outside has a cap long before it reaches an allocation, so running
 * out of memory is the machine's failure, not a message's: these functions abort on it, and no
 * caller checks for NULL.  Thread-safe.
 */
#pragma once

#include <stddef.h>

/* Tells the allocator what a daemon asks of it; once, before the first thread.  Costs nothing where
 * the C library takes no advice. */
void mem_tune(void);

/* Zeroed memory for count objects of size bytes.  The caller frees it with free(3). */
void *mem_new(size_t count, size_t size);

/* realloc(3) to count objects of size bytes; new memory is not cleared. */
void *mem_grow(void *memory, size_t count, size_t size);

/* A copy of a string; NULL gives NULL. */
char *mem_copy(const char *string);

/* A copy of the first length bytes, NUL-terminated. */
char *mem_copy_n(const char *bytes, size_t length);

/* printf(3) into new memory. */
char *mem_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* memcpy(3) that allows NULL and 0. */
void mem_copy_bytes(void *to, const void *from, size_t length);
