/* SPDX-License-Identifier: BSD-2-Clause */
/* From findings to what is done: per-cause actions, observe mode, and whom we never refuse. */
#pragma once

#include "lib/causes/causes.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

/* What is configured to happen on a cause: asked (a limit's own "over"; -1 none), else the cause's
 * section, else the catalogue's default. */
enum action verdict_configured(const struct conf *conf, const struct cause *cause, int asked);

/* What really happens under a configured action: a cause that is only observed holds and refuses
 * nothing, and the null reverse-path without a login (bounces, RFC 5321 §4.5.5) is never held or
 * refused. */
enum action verdict_effective(const struct conf *conf, const struct message *message,
                              const struct cause *cause, enum action configured);

/* Sets every finding's action and would, and message->verdict. */
void verdict_set(const struct conf *conf, struct message *message);

bool verdict_refuses(const struct verdict *verdict); /* defer or reject */
