/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice-policyd as lib/daemon runs it. */
#pragma once

#include "lib/daemon/daemon.h"

extern const struct daemon_program server_program;
