/* SPDX-License-Identifier: BSD-2-Clause */
/* Where an IP address is, as the operator's own MaxMind databases (or others in their format) say.
 */
#pragma once

#include "lib/base/ip.h"

#include <stdbool.h>
#include <stdint.h>

#define GEO_NAME_SIZE 64 /* of an autonomous system; a longer one is cut */

struct geo_place {
    char country[3]; /* ISO 3166-1 alpha-2; "" unknown */
    uint32_t as_number; /* 0 unknown */
    char as_name[GEO_NAME_SIZE]; /* "" unknown */
};

struct geo;

/* Opens a country (or city) and an AS database; "" or NULL: none of that kind.  false: problem_r
 * says which file and why (the caller frees it).  With neither, *geo_r knows nothing. */
bool geo_open(const char *country_path, const char *asn_path, struct geo **geo_r, char **problem_r);
void geo_close(struct geo **geo);

/* What they know of the address; geo may be NULL.  Any thread. */
void geo_find(const struct geo *geo, const struct ip_address *address, struct geo_place *place_r);
