/* SPDX-License-Identifier: BSD-2-Clause */
/* What an error that Redis answers means, and what to do about it. */
#pragma once

#include <stdbool.h>

/* A sentence for the operator, with the answer in it; the caller frees it. */
char *redis_trouble(const char *error);

/* The error is about the server, so that every charge would get it; otherwise it is about one call.
 */
bool redis_trouble_is_general(const char *error);

/* The script has been forgotten (SCRIPT FLUSH, restart) and has to be loaded again. */
bool redis_trouble_is_no_script(const char *error);

/* A node of a cluster names another one, or the slot is being moved. */
bool redis_trouble_is_redirect(const char *error);
