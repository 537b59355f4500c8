/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many strings looked for at once, in one pass over the text: an Aho-Corasick automaton with a full
 * table of transitions.
 *
 * Strings are added, then the automaton is built; from then on it is constant, and any thread may
 * scan.
 */
#pragma once

#include "lib/classify/span.h"

#include <stdint.h>

#define AUTOMATON_STATES_MAX 60000

struct automaton;

struct automaton *automaton_new(void);
void automaton_free(struct automaton **automaton);

/* Adds a string that is not empty; number is what a scan marks.  false: there is no room for it. */
bool automaton_add(struct automaton *automaton, struct span string, uint32_t number);

void automaton_build(struct automaton *automaton);

/* Sets the bit of the number of every string that stands in text; marks has a bit for each. */
void automaton_scan(const struct automaton *automaton, struct span text, uint64_t *marks);
