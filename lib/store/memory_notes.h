/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes in this process's memory: notes.lua's twin, and the mirror of what Redis said.
 *
 * Bounded in octets; beyond that, what was used longest ago goes.  Flags, which suspensions are,
 * have room of their own, so that what is learned of strangers cannot push them out.
 */
#pragma once

#include "lib/store/call.h"

struct memory_notes;

struct memory_notes *memory_notes_new(size_t bytes_max);
void memory_notes_free(struct memory_notes **notes);

/* Carries out the call's items, whose time and verdict the call has already, and puts the answer
 * into it. */
void memory_notes_run(struct memory_notes *notes, struct call *call);

/* Takes over what Redis answered, and what the call changed there. */
void memory_notes_learn(struct memory_notes *notes, const struct call *call);

/* One note as octets; false: there is none.  And back: one that has these is replaced. */
bool memory_notes_pack(struct memory_notes *notes, const char *subject, const char *kind,
                       struct text *text, int64_t *expires_ms_r);
void memory_notes_unpack(struct memory_notes *notes, const char *subject, const char *kind,
                         const char *bytes, size_t length, int64_t expires_ms);
