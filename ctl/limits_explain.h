/* SPDX-License-Identifier: BSD-2-Clause */
/* Which lines of the configuration made somebody's limits. */
#pragma once

#include "ctl/subject.h"

#include "lib/base/text.h"

#include <stdbool.h>

/* Prints it.  Returns the exit status. */
int limits_explain(const struct conf *conf, struct subject *subject, bool json);

/* "sluice.conf:12", or the file alone where there is no line. */
void limits_explain_place(const struct conf_place *place, struct text *text);
