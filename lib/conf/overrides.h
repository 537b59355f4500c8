/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command line says over the files: name=value, or section.title.name=value. */
#pragma once

#include "lib/conf/raw.h"

/* Adds the overrides to the source, as statements of the place conf_command_line. */
void overrides_add(struct source *source, struct problems *problems);

/* Merges the sections that came from the command line into those of the files. */
void overrides_merge(struct raw_section *root, struct problems *problems);
