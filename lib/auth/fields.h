/* SPDX-License-Identifier: BSD-2-Clause */
/* Which header fields a signature covers. */
#pragma once

#include "lib/base/strings.h"
#include "lib/message/message.h"

#include <stdbool.h>
#include <stddef.h>

/* Lists as libopendkim takes them, ended by NULL: the fields that are signed where they are
 * ("List-*" is all that begins so), and those of which one more is signed than there are, so that
 * nobody can add one (RFC 6376 §8.15).  Made by fields_make(), ends with fields_clear(). */
struct fields {
    const char **names;
    const char **oversigned;
    const char **oversigned_undated; /* the same without Date and Message-ID */
    struct strings kept; /* what the lists point into */
};

/* What is oversigned is signed too, as are From, which must be (RFC 6376 §5.4), and
 * List-Unsubscribe and List-Unsubscribe-Post, or one-click unsubscription does not work (RFC 8058
 * §4). */
void fields_make(const struct strings *names, const struct strings *oversigned,
                 struct fields *fields_r);
void fields_clear(struct fields *fields);

bool fields_is_signed(const struct fields *fields, const char *name);

/* What is oversigned in this message: Sendmail adds a Date and a Message-ID that are missing when
 * it delivers, long after its milters. */
const char *const *fields_oversigned(const struct fields *fields, const struct message *message);
