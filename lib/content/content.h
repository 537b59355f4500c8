/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking into a message while it passes: its attachments, links and structure.
 *
 * Nothing of the message is kept but what these bounds allow, whatever its size: LEAF_TEXT_MAX
 * octets of a text, twice LEAF_ARCHIVE_MAX of an archive, ARCHIVE_BUDGET that are unpacked from
 * one, and MIME_HEADER_MAX of a part's header.  One struct belongs to one message and thread.
 */
#pragma once

#include "lib/conf/conf.h"
#include "lib/message/message.h"

#include <stddef.h>

struct content;

/* The message's headers are complete; conf is borrowed, the message is only read here. */
struct content *content_new(const struct conf *conf, const struct message *message);

/* The body, in pieces of any size. */
void content_body(struct content *content, const void *bytes, size_t length);

/* There is no more: fact_r, which is cleared first, gets what was found. */
void content_end(struct content *content, struct content_fact *fact_r);
void content_free(struct content **content);
