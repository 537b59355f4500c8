/* SPDX-License-Identifier: BSD-2-Clause */
/* What systemd wants to hear (sd_notify(3)'s protocol): a datagram to $NOTIFY_SOCKET, or nothing.
 */
#pragma once

#include <stdint.h>

/* Sends one state such as "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...". Never
 * blocks, never fails. */
void notify_state(const char *state);

/* The interval at which WATCHDOG=1 is due (half of $WATCHDOG_USEC), or 0 when nobody waits for it.
 */
int64_t notify_watchdog_ms(void);
