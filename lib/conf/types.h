/* SPDX-License-Identifier: BSD-2-Clause */
/* The types of values: from text to what is stored, and what to expect where that fails. */
#pragma once

#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/conf/schema.h"

/* The reading of one value. */
struct reading {
    const struct conf_option *option;
    const struct conf_words *words;
    char *base; /* the struct that the option's offsets count from */
    bool bytes; /* TYPE_AMOUNT: the limit counts bytes */
    bool secret; /* the value is not to be repeated */
    struct text why; /* on failure: what is wrong, or empty */
    char *expected; /* on failure: instead of type_expect()'s words, "" for none at all; owned */
    char *nearest; /* on failure: the word that may have been meant; owned */
};

/* Reads value and stores it, or adds it to the list.  false: it cannot be; nothing was stored. */
bool type_read(struct reading *reading, const char *value);

/* What a value of the option must be: "a time from 10ms to 30s, such as 500ms". */
void type_expect(const struct conf_option *option, const struct conf_words *words,
                 struct text *text);

/* Frees what type_read() stored in base, and zeroes it. */
/* The value as it may be shown: *** stands for passwords and keys.  The caller frees it. */
char *type_masked(const struct conf_option *option, const char *value);

void type_clear(const struct conf_option *option, char *base);

/* --- For the types, which are spread over several files ---------------------------- */

typedef bool type_reader(struct reading *reading, const char *value);

type_reader type_read_boolean, type_read_integer, type_read_amount, type_read_duration,
    type_read_per, type_read_size, type_read_percent, type_read_mode, type_read_factor,
    type_read_date;
type_reader type_read_word, type_read_action, type_read_over, type_read_string, type_read_account,
    type_read_delimiters, type_read_hostname, type_read_path, type_read_files, type_read_mail_log,
    type_read_dataset, type_read_secret, type_read_selector, type_read_log;
type_reader type_read_store, type_read_resolver, type_read_listen, type_read_network,
    type_read_address, type_read_domain, type_read_member, type_read_names, type_read_field,
    type_read_extension;
type_reader type_read_login_rule, type_read_suspend, type_read_lookup, type_read_template;

/* Stores a number in the option's member, whatever its width. */
void type_store(const struct reading *reading, int64_t number);

/* Stores string, which becomes the member's, and frees the one before. */
void type_store_string(const struct reading *reading, char *string);

/* The option's list, where it is one of strings. */
struct strings *type_strings(const struct reading *reading);

/* Room for one more element at the end of the option's array; its count is raised. */
void *type_add(const struct reading *reading, size_t size);

/* A number of the stored unit as a file would say it. */
void type_print_duration(struct text *text, int64_t ms);
void type_print_size(struct text *text, int64_t bytes);
