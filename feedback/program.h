/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice-feedback as lib/daemon runs it. */
#pragma once

#include "lib/daemon/daemon.h"

extern const struct daemon_program feedback_program;
