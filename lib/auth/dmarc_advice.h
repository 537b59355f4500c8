/* SPDX-License-Identifier: BSD-2-Clause */
/* DMARC records to publish: what is published, mended.  Pure. */
#pragma once

#include "lib/base/strings.h"

/* One record in place of those that are there: tags that are right are kept in their order, a
 * misspelt policy or report address is corrected, and what cannot be is left out.  Of several
 * policies the mildest is taken, since nobody's mail was refused while there were several; reports
 * go to all that are named.  The caller frees it. */
char *dmarc_advice_mend(const struct strings *records);
