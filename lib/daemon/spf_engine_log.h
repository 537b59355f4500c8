/* SPDX-License-Identifier: BSD-2-Clause */
/* The log lines about the second SPF engine. */
#pragma once

#include "lib/auth/spf_engine.h"
#include "lib/log/log.h"

/* Writes event=spf-engine to a struct log. */
void spf_engine_log(const struct spf_engine_event *event, void *log);
