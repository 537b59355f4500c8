/* SPDX-License-Identifier: BSD-2-Clause */
/* Complaints that arrive in maildirs: each is counted, logged and moved from new to cur. */
#pragma once

#include "lib/conf/conf.h"
#include "lib/decide/assess.h"

struct reports;
struct reports *reports_new(struct services *services, struct conf_slot *conf);

/* Answers of the store that are still to come find nobody. */
void reports_free(struct reports **reports);
