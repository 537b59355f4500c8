/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running other programs without waiting for them.
 *
 * A program gets its arguments as they are, never by way of a shell, something to read, and an
 * environment that holds PATH and nothing else; what it writes is dropped.  Only so many run at
 * once; some more wait.  The loop's thread only.
 */
#pragma once

#include "lib/base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUNNER_INPUT_MAX ((size_t)32 * 1024) /* octets; a pipe holds as many without a reader */
#define RUNNER_WAITING_MAX 100

struct runner;

struct runner *runner_new(struct loop *loop);
/* Ends those that still run. */
void runner_free(struct runner **runner);

/* Told when it has ended: problem is NULL, or what went wrong ("exit status 75"). */
typedef void runner_done(const char *problem, void *context);

/* Starts a program, or has it wait until fewer than most run.  argv[0] is its path; all is copied;
 * input beyond RUNNER_INPUT_MAX is cut.  A program that takes longer is killed.  false: too many
 * wait already; done is not called. */
bool runner_start(struct runner *runner, const char *const *argv, size_t argc, const char *input,
                  size_t length, size_t most, int64_t timeout_ms, runner_done *done, void *context);
