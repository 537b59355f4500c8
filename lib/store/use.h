/* SPDX-License-Identifier: BSD-2-Clause */
/* What one subject used up, in this process's memory: a packed window for each of its fields. */
#pragma once

#include "lib/store/sketch.h"
#include "lib/store/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct use_field;

struct use {
    int64_t expires_ms;
    size_t count;
    struct use_field *fields;
};

struct use *use_new(void);
void use_free(struct use *use);

/* The field's window; an empty one when there is none, or use is NULL. */
void use_read(const struct use *use, const char *field, struct window *window_r);
void use_write(struct use *use, const char *field, const struct window *window);
/* The same where what is different is counted; the caller frees the sketch. */
struct sketch *use_sketch(const struct use *use, const char *field, int64_t current);
void use_write_sketch(struct use *use, const char *field, const struct sketch *sketch);
bool use_has(const struct use *use, const char *field);

/* The packed bytes; 0: there is none. */
size_t use_bytes(const struct use *use, const char *field, uint8_t bytes_r[WINDOW_PACKED_MAX]);

/* It must live until what is charged now is forgotten. */
void use_keep(struct use *use, int64_t now_ms, int64_t window_sec);

/* Whether it is to be said that use came near a maximum: once per window. */
bool use_say_near(struct use *use, const char *field, int64_t max, int64_t slice);

/* All of it as octets, and back; NULL: these are none. */
struct text;
void use_pack(const struct use *use, struct text *text);
struct use *use_unpack(const char *bytes, size_t length);
