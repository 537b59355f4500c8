/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loop's thread and libmilter's threads have in common: the current configuration with its
 * keys, the messages in hand, and the door that closes before the services go.
 *
 * There is one per process, as libmilter gives its callbacks no pointer of ours.  Any thread.
 */
#pragma once

#include "lib/auth/sign.h"
#include "lib/daemon/daemon.h"

#include <stdbool.h>

/* The loop's thread: before libmilter is started, and when it must not reach the services any more
 * (returns when no callback is using them; late callbacks find the door shut). */
void shared_open(struct daemon *daemon);
void shared_close(struct daemon *daemon);

/* Makes a configuration and its keys current, together; takes references of its own. */
void shared_set(struct conf *conf, struct signer *signer);

/* References to what is current, for one message.  in_hand_r: a drain waits for the message, which
 * goes on with shared_message_judged() and shared_message_done(), or with the latter alone where it
 * dies. false: the process is ending. */
bool shared_begin_message(struct conf **conf_r, struct signer **signer_r, bool *in_hand_r);

/* The final reply is on its way; nobody tells us when libmilter has written it, but the MTA's next
 * word, whatever it is, comes after it. */
void shared_message_judged(void);
void shared_message_done(bool judged);

/* The current configuration, for what is no message; NULL: the process is ending. */
struct conf *shared_conf(void);

/* Between the two the services stay.  NULL: the process is ending. */
struct services *shared_enter(void);
void shared_leave(void);

/* No new connections; calls daemon_drained() when the last message in hand is done. */
void shared_drain(void);
bool shared_is_draining(void);
