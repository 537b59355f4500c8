/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/runner.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 50 /* how soon an end is noticed */

struct job {
    struct job *next;
    char **argv;
    char *input;
    size_t length, most;
    int64_t timeout_ms, deadline_us;
    pid_t pid; /* 0: it waits */
    bool killed; /* and its end is waited for */
    runner_done *done;
    void *context;
};

struct runner {
    struct job *jobs; /* oldest first */
    size_t running, waiting;
    struct loop_timer *timer;
};

static void free_job(struct job *job)
{
    for (size_t i = 0; job->argv[i] != NULL; i++)
        free(job->argv[i]);
    free(job->argv);
    free(job->input);
    free(job);
}

/* A pipe that holds the input, its end to read from; -1: errno says why not. */
static int make_input(const struct job *job)
{
    int ends[2];
    ssize_t written;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    /* It may be smaller than usual where this user has many pipes, and nobody reads it yet. */
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    written = write(ends[1], job->input, job->length);
    close(ends[1]);
    if (written == (ssize_t)job->length)
        return ends[0];
    close(ends[0]);
    errno = ENOBUFS;
    return -1;
}

/* As a program expects to find signals: the daemon ignores some and blocks others. */
static void set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                             POSIX_SPAWN_SETPGROUP);
}

static int spawn(struct job *job)
{
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char *environment[] = {path, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int input = make_input(job);
    int error;

    if (input < 0)
        return errno;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    set_signals(&attributes);
    error = posix_spawn(&job->pid, job->argv[0], &files, &attributes, job->argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    close(input);
    if (error != 0)
        job->pid = 0;
    return error;
}

/* Takes the job out of the list, tells of its end and frees it. */
static void end(struct runner *runner, struct job *job, const char *problem)
{
    struct job **at = &runner->jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    if (job->pid != 0)
        runner->running--;
    else
        runner->waiting--;
    job->done(problem, job->context);
    free_job(job);
}

static void end_with_status(struct runner *runner, struct job *job, int status)
{
    char problem[64];

    if (job->killed)
        end(runner, job, "it took too long, and was ended");
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        end(runner, job, NULL);
    else {
        (void)snprintf(problem, sizeof(problem), WIFEXITED(status) ? "exit status %d" : "signal %d",
                       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
        end(runner, job, problem);
    }
}

static void look_at(struct runner *runner, struct job *job)
{
    int status = 0;
    bool late = clock_now_us(&clock_steady) >= job->deadline_us;
    pid_t ended = waitpid(job->pid, &status, WNOHANG);

    /* Even that may take its time, where a disk is away. */
    if (ended == 0 && late && !job->killed) {
        (void)kill(-job->pid, SIGKILL);
        job->killed = true;
    } else if (ended != 0) {
        end_with_status(runner, job, status);
    }
}

static void start_waiting(struct runner *runner)
{
    struct job *next;

    for (struct job *job = runner->jobs; job != NULL; job = next) {
        int error;

        next = job->next;
        if (job->pid != 0 || runner->running >= job->most)
            continue;
        error = spawn(job);
        if (error != 0) {
            end(runner, job, strerror(error));
            continue;
        }
        job->deadline_us = clock_now_us(&clock_steady) + job->timeout_ms * 1000;
        runner->waiting--;
        runner->running++;
    }
}

static void look(void *context)
{
    struct runner *runner = context;
    struct job *next;

    for (struct job *job = runner->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->pid != 0)
            look_at(runner, job);
    }
    start_waiting(runner);
    if (runner->jobs != NULL)
        loop_timer_start(runner->timer, LOOK_MS);
}

struct runner *runner_new(struct loop *loop)
{
    struct runner *runner = mem_new(1, sizeof(*runner));

    runner->timer = loop_timer_new(loop, look, runner);
    return runner;
}

void runner_free(struct runner **runner)
{
    if (*runner == NULL)
        return;
    while ((*runner)->jobs != NULL) {
        struct job *job = (*runner)->jobs;

        if (job->pid != 0) {
            (void)kill(-job->pid, SIGKILL);
            (void)waitpid(job->pid, NULL, 0);
        }
        end(*runner, job, "the daemon stops");
    }
    loop_timer_free(&(*runner)->timer);
    free(*runner);
    *runner = NULL;
}

bool runner_start(struct runner *runner, const char *const *argv, size_t argc, const char *input,
                  size_t length, size_t most, int64_t timeout_ms, runner_done *done, void *context)
{
    struct job **last = &runner->jobs;
    struct job *job;

    if (runner->waiting == RUNNER_WAITING_MAX)
        return false;
    job = mem_new(1, sizeof(*job));
    job->argv = mem_new(argc + 1, sizeof(*job->argv));
    for (size_t i = 0; i < argc; i++)
        job->argv[i] = mem_copy(argv[i]);
    job->length = length < RUNNER_INPUT_MAX ? length : RUNNER_INPUT_MAX;
    job->input = mem_copy_n(input, job->length);
    job->most = most;
    job->timeout_ms = timeout_ms;
    job->done = done;
    job->context = context;
    while (*last != NULL)
        last = &(*last)->next;
    *last = job;
    runner->waiting++;
    loop_timer_start(runner->timer, 0);
    return true;
}
