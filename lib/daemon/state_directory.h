/* SPDX-License-Identifier: BSD-2-Clause */
/* The folder that keeps the journal over a restart. */
#pragma once

#include "lib/conf/conf.h"

/* Makes the state directory where it is missing, and hands it to the user that the daemon is about
 * to become; as root.  What cannot be done is told by whoever opens the journal there. */
void state_directory_make(const struct conf *conf);
