/* SPDX-License-Identifier: BSD-2-Clause */
/* The LMDB file in which local_disk.h keeps the memory.  One thread at a time. */
#pragma once

#include "lib/store/memory.h"

struct local_file;
struct local_batch;

/* NULL: problem_r says why (the caller frees it). */
struct local_file *local_file_open(const char *path, char **problem_r);
void local_file_close(struct local_file **file);

/* All that has not expired.  Returns NULL or a problem, which the caller frees; so does the next.
 */
char *local_file_read(struct local_file *file, struct memory *memory, int64_t now_ms);
/* In one transaction: all of it or nothing.  Some of what has expired goes as well. */
char *local_file_write(struct local_file *file, const struct local_batch *batch);

/* What is to be written: each name's contents as they are when it is added. */
struct local_batch *local_batch_new(void);
void local_batch_free(struct local_batch **batch);
void local_batch_add(struct local_batch *batch, const struct memory *memory,
                     const struct memory_name *name);
void local_batch_each(const struct local_batch *batch,
                      void (*visit)(const struct memory_name *name, void *context), void *context);
