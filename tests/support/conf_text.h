/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration from a string, for tests. */
#pragma once

#include "lib/conf/conf.h"

/* Loads text as sluice.conf; fails the test, with the problems, when it does not load. */
struct conf *conf_of(const char *text);
