/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is looked at in one part of a message: its size, its type, its links.
 *
 * Only what is needed is decoded, by GMime: the first octets of an attachment, the end of a zip
 * archive, the beginning of a text.  Of everything else the size is counted.
 */
#pragma once

#include "lib/conf/conf.h"
#include "lib/content/field.h"
#include "lib/content/links.h"
#include "lib/message/content_fact.h"

#include <stdbool.h>
#include <stddef.h>

#define LEAF_TEXT_MAX (256 * 1024) /* octets of a text whose links are read */
#define LEAF_TEXTS_MAX (1024 * 1024) /* ... of all texts of a message */
#define LEAF_ARCHIVE_MAX (1024 * 1024) /* octets at the end of an archive that are kept */
#define LEAF_CHECKED_MAX (16 * 1024) /* octets of base64 whose alphabet is checked */

struct leaf;

/* Parts of one message, one after the other.  conf and links are borrowed; what is found goes to
 * links->fact. */
struct leaf *leaf_new(const struct conf *conf, struct links *links);
void leaf_free(struct leaf **leaf);

void leaf_begin(struct leaf *leaf, const struct mime_fields *fields, const char *number);
void leaf_octets(struct leaf *leaf, const char *bytes, size_t length);

/* NULL: the part is fine; else what is wrong with its encoding, a literal. */
const char *leaf_end(struct leaf *leaf, bool delimited);
