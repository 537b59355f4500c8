/* SPDX-License-Identifier: BSD-2-Clause */
/* Outgoing messages are looked into while they pass. */
#pragma once

#include "milter/session.h"

#include <stddef.h>

/* The body as it passes; all headers are known, and it is decided whether the message is signed. */
void look_body(struct session *session, const void *bytes, size_t length);

/* The end, before the message is judged: what was found becomes facts. */
void look_end(struct session *session);
