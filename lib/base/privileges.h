/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up root, once, for good. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Becomes user (and group, or the user's own group when NULL or "") with its supplementary groups;
 * checks that there is no way back.  Does nothing when user is NULL or "", or the process is not
 * root.  Users and groups are names or numbers.
 * false: problem_r says why, in one sentence (the caller frees it). */
bool privileges_drop(const char *user, const char *group, char **problem_r);

/* Whether privileges_drop() would find user and group, as anybody may ask. */
bool privileges_check(const char *user, const char *group, char **problem_r);

/* A user's id and group by name or number.  false: there is none. */
bool privileges_find_user(const char *name, uid_t *uid_r, gid_t *gid_r);

/* A group's id by name or number.  false: there is none. */
bool privileges_find_group(const char *name, gid_t *gid_r);
