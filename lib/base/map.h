/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table from byte strings to pointers that also remembers the order of use, so that a
 * bounded cache can drop what was used longest ago.
 *
 * Keys are copied; values are the caller's.  The hash is SipHash with a key of the process, since
 * keys come from strangers.  Not thread-safe.
 */
#pragma once

#include <stddef.h>

struct map;

struct map *map_new(void);
/* Frees the map; each value is handed to free_value where that is not NULL. */
void map_free(struct map **map, void (*free_value)(void *value));

size_t map_count(const struct map *map);

/* The value, or NULL; map_get() moves it to the young end of the order, map_peek() does not. */
void *map_get(struct map *map, const void *key, size_t key_length);
void *map_peek(const struct map *map, const void *key, size_t key_length);

/* Sets the value (never NULL) and returns the one it replaced, or NULL. */
void *map_put(struct map *map, const void *key, size_t key_length, void *value);

/* Takes the value out and returns it, or NULL. */
void *map_remove(struct map *map, const void *key, size_t key_length);

/* The value used longest ago, with its key; NULL when empty. */
void *map_oldest(const struct map *map, const void **key_r, size_t *key_length_r);

/* Calls visit for each value, oldest first; visit may remove the entry it is shown, no other. */
void map_each(struct map *map,
              void (*visit)(const void *key, size_t key_length, void *value, void *context),
              void *context);
