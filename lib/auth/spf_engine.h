/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libspf2 as a second SPF engine: a small program of its own (engine/), without files, network or
 * DNS, that is spoken to over a socket pair.
 *
 * libspf2 may abort or hang, and records have broken it before.  So nothing waits for the program:
 * where it dies, or does not answer in time, our own result stands, and it is started anew with the
 * next question, at most once a second.  The loop's thread only; never blocks.
 */
#pragma once

#include "lib/auth/spf_second.h"
#include "lib/base/loop.h"
#include "lib/conf/conf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SPF_ENGINE_TIMEOUT_MS 1000 /* of an answer; it takes some microseconds */
#define SPF_ENGINE_WAITING_MAX 1000 /* questions; more are not asked */

enum spf_engine_happening {
    SPF_ENGINE_DOWN, /* problem says why; told once a minute at most */
    SPF_ENGINE_UP, /* it answers again, after that was told */
    SPF_ENGINE_DIFFERS, /* question and opinion say how */
};

struct spf_engine_event {
    enum spf_engine_happening happening;
    const char *problem;
    const struct spf_question *question;
    const struct spf_opinion *opinion;
};

struct spf_engine_settings {
    enum conf_spf_engine engine;
    const char *program; /* NULL: sluice-libspf2 beside this program, or where it is installed */
    int64_t timeout_ms; /* 0: SPF_ENGINE_TIMEOUT_MS */
    void (*tell)(const struct spf_engine_event *event, void *context);
    void *context;
};

struct spf_engine;

/* The program is started when there is something to ask. */
struct spf_engine *spf_engine_new(struct loop *loop, const struct spf_engine_settings *settings);
/* Answers what is open, and asks nothing any more. */
void spf_engine_stop(struct spf_engine *engine);
void spf_engine_free(struct spf_engine **engine);

/* After a reload. */
void spf_engine_set(struct spf_engine *engine, enum conf_spf_engine which);

/* Whether there is a second engine; false of NULL. */
bool spf_engine_is_on(const struct spf_engine *engine);

/* The program's process; 0: it does not run. */
pid_t spf_engine_pid(const struct spf_engine *engine);

/* Called once, later; the opinion is borrowed. */
typedef void spf_engine_answered(const struct spf_opinion *opinion, void *context);

/* Asks; the question is copied.  NULL: nobody can be asked now, and the callback is not called. */
struct spf_asking *spf_engine_ask(struct spf_engine *engine, const struct spf_question *question,
                                  spf_engine_answered *callback, void *context);
/* The callback will not be called.  Does nothing on NULL. */
void spf_engine_cancel(struct spf_asking *asking);
