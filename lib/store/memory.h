/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters in this process's memory, with the semantics of charge.lua.
 *
 * They are the whole store with "memory:", and otherwise the mirror of what Redis said, so that a
 * daemon whose Redis went away goes on from what it last knew.  What expired is dropped; beyond the
 * cap on subjects, what was charged longest ago.
 */
#pragma once

#include "lib/store/call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory;

/* notes_max: octets, for flags and for all other notes each. */
struct memory *memory_new(size_t subjects_max, size_t messages_max, size_t notes_max);
void memory_free(struct memory **memory);

/* Carries out a call, now_ms being the time unless the call has its own, and puts the answer into
 * it. */
void memory_run(struct memory *memory, struct call *call, int64_t now_ms);

/* Only what the call is about notes. */
void memory_run_notes(struct memory *memory, struct call *call, int64_t now_ms);

/* Takes over what Redis answered to a call. */
void memory_learn(struct memory *memory, const struct call *call);

/* What is recorded as charged for the call's message and this limit of it. */
int64_t memory_charged(const struct memory *memory, const struct call *call,
                       const struct call_limit *limit, int64_t now_ms);

/* The packed window of a field, for tests; 0: there is none. */
size_t memory_window(const struct memory *memory, const char *subject, const char *field,
                     uint8_t *bytes_r);
size_t memory_subjects(const struct memory *memory);

/* What a change concerns, so that it can be kept on disk: a subject's use, a message's record, or a
 * note (its name is the subject, NUL, and the kind). */
enum memory_table { MEMORY_USE, MEMORY_RECORD, MEMORY_NOTE };
struct memory_name {
    enum memory_table table;
    const char *bytes;
    size_t length; /* without the NUL behind it */
};

/* As octets; false: there is none.  And back; what is no such thing is left out. */
bool memory_pack(const struct memory *memory, const struct memory_name *name, struct text *text,
                 int64_t *expires_ms_r);
void memory_unpack(struct memory *memory, const struct memory_name *name, const char *bytes,
                   size_t length, int64_t expires_ms);
