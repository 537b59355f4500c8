/* SPDX-License-Identifier: BSD-2-Clause */
/* The log, the store and the resolver, opened as the configuration says. */
#pragma once

#include "lib/conf/conf.h"
#include "lib/decide/assess.h"

#include <stdbool.h>

/* Where the store is and how it is asked; what else there is to say the caller adds.  It is
 * borrowed from conf. */
struct store_settings services_store_settings(const char *program, const struct conf *conf);
struct log_settings services_log_settings(const char *program, const struct conf *conf);

/* Opens store and resolver on services->loop.  false: problem_r says why (the caller frees it). */
bool services_open(struct services *services, const char *program, const struct conf *conf,
                   char **problem_r);

/* After a reload: opens those anew whose settings changed.  false: both are as they were, and
 * problem_r says why.  Not from within the loop: it runs the loop while the old store finishes. */
bool services_reload(struct services *services, const char *program, const struct conf *old_conf,
                     const struct conf *conf, char **problem_r);

/* Once a second: writes what the log kept, and says self.dns-slow at most once a minute.  true: the
 * log keeps some more, so come back sooner. */
bool services_tick(struct services *services);

/* Finishes what is open and closes store and resolver. */
void services_close(struct services *services, int64_t timeout_ms);
