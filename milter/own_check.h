/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our own signature, verified with the key that is published: what receivers will do with it.
 *
 * That costs about as much as the signature.  Beyond some messages a second it is therefore done
 * for some of them only; for the others the published key is compared with ours, which is what
 * goes wrong when anything does.
 */
#pragma once

#include "milter/session.h"

/* The session's signature, or one that may become it, has begun. */
void own_check_begin(struct session *session, const struct signature *signature);
void own_check_body(struct session *session, const void *bytes, size_t length);

/* The signature is there: sets facts.dkim_check. */
void own_check_end(struct session *session);
