/* SPDX-License-Identifier: BSD-2-Clause */
/* What sluicectl check found wrong, as a line of the log would have it. */
#pragma once

#include "lib/causes/causes.h"
#include "lib/message/finding.h"

#include <jansson.h>

struct trouble {
    const struct cause *cause;
    enum severity severity;
    const char *hint;
    const struct finding_field *fields;
    size_t nfields;
};

/* Of a finding, whose parts are borrowed. */
struct trouble trouble_of(const struct finding *finding);
void trouble_print(const struct trouble *trouble);
json_t *trouble_json(const struct trouble *trouble);
