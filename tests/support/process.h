/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that a test starts and stops, and folders and ports of its own.
 *
 * A program dies with the test that started it, however that ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The program's path, looked for in PATH, /usr/sbin and /usr/bin; NULL: not installed.  The caller
 * frees it. */
char *process_find(const char *program);

/* Starts argv with its output in a file; the test fails when it cannot. */
pid_t process_start(const char *const argv[], const char *output_path);

/* Sends SIGTERM, and SIGKILL when that does not help, and waits. */
void process_stop(pid_t pid);
/* Sends the signal and waits until the program has ended. */
void process_kill(pid_t pid, int signal);
bool process_is_running(pid_t pid);

/* A folder of its own with a short name, for sockets; the caller removes it and frees the name. */
char *process_folder(void);
void process_folder_remove(char **folder);

/* A port of 127.0.0.1, for TCP and UDP, that nobody listens on and that no living process of the
 * tests was given before. */
uint16_t process_free_port(void);

/* Calls until it returns true; false after timeout_ms. */
bool process_poll(bool (*is_so)(void *context), void *context, int64_t timeout_ms);
