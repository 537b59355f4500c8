/* SPDX-License-Identifier: BSD-2-Clause */
/* A socketmap server's reply. */
#pragma once

#include "lib/socketmap/socketmap.h"

/* value and problem lie in the text, or are constants. */
struct socketmap_answer socketmap_reply(const char *text);
