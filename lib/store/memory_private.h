/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the memory's parts share: memory.c carries out calls, memory_mirror.c learns from Redis'
 * answers, memory_table.c keeps subjects and messages.
 */
#pragma once

#include "lib/base/map.h"
#include "lib/store/memory.h"
#include "lib/store/memory_notes.h"
#include "lib/store/record.h"
#include "lib/store/use.h"
#include "lib/store/window.h"

/* One limit of the call in hand, tried before anything is changed. */
struct trial {
    struct use *use;
    struct window window; /* as it is now */
    int64_t slice; /* that now lies in, or the newest one when the clock went back */
    struct sketch *sketch; /* in place of the window where what is different is counted */
    int64_t delta; /* to be charged */
    int64_t part; /* of the amount, that was not charged for the message before */
    int64_t to; /* the slice it is charged to */
    bool counted; /* to is within the window */
};

struct memory {
    struct map *subjects; /* name: struct use */
    struct map *messages; /* name: struct record */
    struct memory_notes *notes;
    size_t subjects_max, messages_max;
    struct trial trials[STORE_LIMITS_MAX];
};

/* Drops what expired, or is too much, from the old end of both tables. */
void memory_drop_old(struct memory *memory, int64_t now_ms);

/* The subject's use; NULL: there is none, or it has expired. */
struct use *memory_find_use(const struct memory *memory, const char *subject, int64_t now_ms);
/* The same, made if need be and moved to the young end. */
struct use *memory_charge_use(struct memory *memory, const char *subject);

/* The record under the message's identity, which may be another message's: MTAs use queue ids
 * again. */
struct record *memory_any_record(const struct memory *memory, const struct call *call,
                                 int64_t now_ms);
/* The message's own record, if anything is charged in it. */
struct record *memory_find_record(const struct memory *memory, const struct call *call,
                                  int64_t now_ms);
/* The message's own record, made or emptied if need be; NULL when it has no identity. */
struct record *memory_charge_record(struct memory *memory, const struct call *call, int64_t now_ms);

/* Frees what the trials hold. */
void memory_end_trials(struct memory *memory, size_t count);

/* Fills in the trial's window, or sketch, and slice from its use. */
void memory_load_window(struct trial *trial, const struct call_limit *limit, int64_t now_ms);
