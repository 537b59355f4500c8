/* SPDX-License-Identifier: BSD-2-Clause */
/* Conformance data that others made: in $SLUICE_CORPORA, or in ../shared/corpora beside the
 * sources.  It need not be there: a test without it checks nothing and says so. */
#pragma once

#include <stdio.h>

/* Where a file or folder of it would be; the caller frees it. */
char *corpora_path(const char *name);

/* One file of it, to read.  NULL: it is not there. */
FILE *corpora_open(const char *name);
