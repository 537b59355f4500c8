/* SPDX-License-Identifier: BSD-2-Clause */
/* What libmilter calls. */
#pragma once

#include <libmilter/mfapi.h>

/* The callbacks, as smfi_register() takes them. */
extern const struct smfiDesc callbacks;
