/* SPDX-License-Identifier: BSD-2-Clause */
/* What we ask of the MTA when it connects. */
#pragma once

#include "lib/conf/conf.h"

/* The actions (SMFIF_...) and protocol flags (SMFIP_...) that we want of those the MTA offers.
 * enforces: mail may be refused. */
void negotiate_flags(bool enforces, unsigned long offered_actions, unsigned long offered_protocol,
                     unsigned long *actions_r, unsigned long *protocol_r);

struct negotiate_macros {
    int stage; /* SMFIM_... */
    const char *names;
};
extern const struct negotiate_macros negotiate_macros[];
extern const unsigned negotiate_macros_count;
