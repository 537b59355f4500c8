/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory's contents on disk (LMDB), so that they outlive the process however it ends.
 *
 * What changed is written at least twice a second, in one transaction, by a thread of its own: the
 * loop never waits for the disk.  Whatever ends the process loses less than a second.  When the
 * disk does not take it, it stays in memory and is tried again.  What expired is removed by and by.
 */
#pragma once

#include "lib/base/loop.h"
#include "lib/store/memory.h"

struct local_disk;

/* Puts into the memory what the file has.  NULL: problem_r says why it cannot be used (the caller
 * frees it). */
struct local_disk *local_disk_open(struct loop *loop, const char *path, struct memory *memory,
                                   int64_t now_ms, char **problem_r);
/* Writes what is not yet written. */
void local_disk_close(struct local_disk **disk);

/* The memory has carried out the call. */
void local_disk_changed(struct local_disk *disk, const struct call *call);

/* Why nothing is written; NULL when it is.  Until the next turn of the loop. */
const char *local_disk_problem(const struct local_disk *disk);
