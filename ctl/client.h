/* SPDX-License-Identifier: BSD-2-Clause */
/* The store, asked and waited for. */
#pragma once

#include "lib/base/loop.h"
#include "lib/conf/conf.h"
#include "lib/decide/suspension.h"
#include "lib/message/facts.h"
#include "lib/store/store.h"

struct client {
    struct loop *loop;
    struct store *store;
    int64_t timeout_ms; /* of one question */
};

/* Connects to the configured store.  false: problem_r says why not (the caller frees it); the
 * client is still to be closed. */
bool client_open(struct client *client, const struct conf *conf, char **problem_r);
void client_close(struct client *client);

/* Asks how much is used.  answers_r has room for request->nlimits.  false: the store did not
 * answer. */
bool client_look(struct client *client, const struct store_request *request,
                 struct store_limit_answer *answers_r, int64_t *waited_us_r);

/* Reads a note; note_r's strings are the caller's to free (note_fact_clear()).  now_us_r: the
 * store's time.  false: the store did not answer. */
bool client_note(struct client *client, const char *subject, const char *kind,
                 struct note_fact *note_r, int64_t *now_us_r);

/* Suspends a user, or lifts that.  false: the store did not answer. */
bool client_suspend(struct client *client, const char *subject,
                    const struct suspension *suspension);
/* Lets bygones be bygones; see habits_forgive(). */
bool client_forgive(struct client *client, const char *subject);
bool client_lift(struct client *client, const char *subject, bool *known_r);

/* Shows all notes of a kind.  false: the store did not answer, or not to the end. */
bool client_list(struct client *client, const char *kind,
                 void (*show)(const char *subject, const struct store_note *note, void *context),
                 void *context);

/* Forgets a note.  false: the store did not answer. */
bool client_forget(struct client *client, const char *subject, const char *kind, bool *known_r);

/* Forgets a subject; known_r: there was something to forget.  false: the store did not answer. */
bool client_reset(struct client *client, const char *subject, bool *known_r);
