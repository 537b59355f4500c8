/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of source_journal.c, where Sluice was built without libsystemd. */
#include "feedback/source.h"

#include "lib/base/mem.h"

const struct source_kind *source_journal_open(struct loop *loop, const char *name,
                                              const struct marks *from, int64_t first_read_sec,
                                              void (*wake)(void *context), void *context,
                                              void **state_r, char **problem_r)
{
    (void)loop;
    (void)name;
    (void)from;
    (void)first_read_sec;
    (void)wake;
    (void)context;
    (void)state_r;
    *problem_r = mem_copy("this sluice-feedback was built without the journal: install "
                          "libsystemd-dev and configure again, or name a file in mail-log");
    return NULL;
}
