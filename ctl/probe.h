/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a daemon's socket whether anybody answers there. */
#pragma once

#include "lib/conf/conf.h"

#include <stdbool.h>
#include <stdint.h>

enum probe_protocol { PROBE_POLICY, PROBE_MILTER };

struct probe {
    bool answers;
    int64_t took_us;
    char *address; /* "unix:/run/sluice/policy.sock"; owned */
    char *problem; /* why it does not; owned */
};

/* Connects and speaks a few octets that change nothing: to the policy service a request of a stage
 * that it has nothing to say about, to the milter the negotiation of options. */
void probe_run(const struct conf_listen *listen, enum probe_protocol protocol, int64_t timeout_ms,
               struct probe *probe_r);
void probe_clear(struct probe *probe);
