/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Telling people: a command or a mail about what was found, by the notify sections.
 *
 * Each subject hears of each cause once in a window, whichever host found it: the store counts.
 * Nothing here waits: commands run beside the loop, few at once, and are ended when they take too
 * long.
 */
#pragma once

#include "lib/conf/conf.h"
#include "lib/decide/assess.h"

struct notices;

struct notices *notices_new(struct services *services); /* on services->loop */
/* Ends what still runs. */
void notices_free(struct notices **notices);

/* Tells whoever wants to know about the findings of a message that was decided.  Any thread; does
 * not wait. */
void notices_of(struct services *services, const struct conf *conf, const struct message *message);

/* The same of one finding that no decision made, about a message or nobody's: actions are set. */
void notices_tell(struct services *services, const struct conf *conf, const struct message *message,
                  const struct finding *finding);
