/* SPDX-License-Identifier: BSD-2-Clause */
/* What sluice-milter does in the daemons' common sequence. */
#pragma once

#include "lib/daemon/daemon.h"

extern const struct daemon_program program_milter;
