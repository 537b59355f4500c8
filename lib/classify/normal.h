/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form of a text that rules look at, so that they need not foresee every way of writing.
 *
 * Lower case, letters without marks (see letters.h), single blanks, also for '_', no quotation
 * marks; a mail address is "<addr>" and an IP address "<ip>", with the brackets that stood around
 * it gone; the codes that a reply of several lines repeats are left out; "doesn't" and "can not"
 * are "does not" and "cannot".
 */
#pragma once

#include "lib/classify/span.h"

#define NORMAL_MAX 2048 /* octets that are looked at; what is behind is cut off */
#define NORMAL_ROOM (NORMAL_MAX + 64) /* of a buffer */

/* Writes the form of text, with a NUL behind it; returns its length.  several_lines: codes may be
 * repeated inside. */
size_t normal_form(struct span text, bool several_lines, char buffer_r[NORMAL_ROOM]);
