/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hiredis connection on our loop.
 *
 * hiredis' own adapter asks the kernel twice for each thing it reads or writes.  This one listens
 * once, and writes at the end of the loop's turn what the turn asked for, in one go.
 */
#pragma once

#include "lib/base/loop.h"

#include <hiredis/async.h>

/* false: no memory or no room for another descriptor.  hiredis frees it with the connection. */
bool redis_events_attach(redisAsyncContext *connection, struct loop *loop);
