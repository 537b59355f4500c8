/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/spf_engine.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "sluice-libspf2"
#define LOOK_MS 10 /* how soon the end of the program is noticed that was told to end */
#define START_US INT64_C(1000000) /* from one start to the next */
#define TELL_US INT64_C(60000000) /* from one complaint to the next */
#define REPLY_MAX 64

struct spf_asking {
    struct spf_asking *next;
    struct spf_engine *engine;
    char *text, *domain, *mechanism;
    struct ip_address client;
    struct spf_question question;
    spf_engine_answered *callback; /* NULL: nobody waits any more */
    void *context;
};

struct spf_engine {
    struct loop *loop;
    struct spf_engine_settings settings;
    char *program;
    pid_t pid; /* 0: it does not run */
    int fd; /* -1: it is told to end, or does not run */
    struct event *readable;
    struct loop_timer *timer; /* of an answer, or of its end */
    struct spf_asking *askings; /* oldest first */
    bool sent; /* the first one is with the program */
    size_t waiting;
    const char *late; /* why it was ended; NULL: by itself */
    int64_t started_us, told_us; /* 0: never */
    bool complained; /* and not taken back yet */
    bool unwanted; /* it was ended for no fault of its own */
    bool stopped;
};

/* --- what happens --------------------------------------------------------------------- */

static void tell(struct spf_engine *engine, enum spf_engine_happening happening,
                 const char *problem)
{
    const struct spf_engine_event event = {.happening = happening, .problem = problem};

    engine->complained = happening == SPF_ENGINE_DOWN;
    engine->settings.tell(&event, engine->settings.context);
}

static void complain(struct spf_engine *engine, const char *problem)
{
    int64_t now_us = clock_now_us(&clock_steady);

    if (engine->told_us != 0 && now_us < engine->told_us + TELL_US)
        return;
    engine->told_us = now_us;
    tell(engine, SPF_ENGINE_DOWN, problem);
}

static void free_asking(struct spf_asking *asking)
{
    free(asking->text);
    free(asking->domain);
    free(asking->mechanism);
    free(asking);
}

/* Answers the first one. */
static void answer(struct spf_engine *engine, const struct spf_opinion *opinion)
{
    struct spf_asking *asking = engine->askings;
    struct spf_engine_event event = {
        .happening = SPF_ENGINE_DIFFERS, .question = &asking->question, .opinion = opinion};

    engine->askings = asking->next;
    engine->sent = false;
    engine->waiting--;
    if (opinion->given && opinion->said != asking->question.own)
        engine->settings.tell(&event, engine->settings.context);
    if (asking->callback != NULL)
        asking->callback(opinion, asking->context);
    free_asking(asking);
}

static void answer_all(struct spf_engine *engine)
{
    while (engine->askings != NULL) {
        const struct spf_opinion none = {.stands = engine->askings->question.own};

        answer(engine, &none);
    }
}

/* --- the program's end ---------------------------------------------------------------- */

static void reap(struct spf_engine *engine, int flags)
{
    char problem[64];
    int status = 0;

    if (waitpid(engine->pid, &status, flags) == 0) {
        loop_timer_start(engine->timer, LOOK_MS);
        return;
    }
    engine->pid = 0;
    if (engine->late != NULL)
        (void)snprintf(problem, sizeof(problem), "%s", engine->late);
    else
        (void)snprintf(problem, sizeof(problem),
                       WIFSIGNALED(status) ? "signal %d" : "exit status %d",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (!engine->unwanted)
        complain(engine, problem);
}

/* Whatever it does, or does not do: what has ended by itself keeps its own status. */
static void end_program(struct spf_engine *engine, const char *late)
{
    if (engine->fd < 0)
        return;
    event_free(engine->readable);
    engine->readable = NULL;
    close(engine->fd);
    engine->fd = -1;
    engine->late = late;
    (void)kill(engine->pid, SIGKILL);
    loop_timer_start(engine->timer, LOOK_MS);
    answer_all(engine);
}

static void end_unwanted(struct spf_engine *engine)
{
    engine->unwanted = engine->fd >= 0;
    end_program(engine, NULL);
}

/* --- questions ------------------------------------------------------------------------ */

/* Where it has died meanwhile the end of its socket says so. */
static void send_first(struct spf_engine *engine)
{
    const struct spf_asking *asking = engine->askings;

    if (asking == NULL || engine->sent || engine->fd < 0)
        return;
    engine->sent = true;
    (void)send(engine->fd, asking->text, asking->question.length, MSG_NOSIGNAL);
    loop_timer_start(engine->timer, engine->settings.timeout_ms);
}

/* "pass", or "pass?" where it asked for more than it was given.  An error of libspf2's about a
 * record that is good says nothing of the sender. */
static bool read_opinion(const struct spf_engine *engine, char *reply, size_t length,
                         struct spf_opinion *opinion_r)
{
    enum spf_status own = engine->askings->question.own;
    bool missed = length > 0 && reply[length - 1] == '?';

    reply[missed ? length - 1 : length] = '\0';
    *opinion_r = (struct spf_opinion){.given = true, .stands = own};
    if (!spf_status_parse(reply, &opinion_r->said))
        return false;
    if (engine->settings.engine == SPF_ENGINE_LIBSPF2 && spf_status_is_verdict(opinion_r->said) &&
        !missed)
        opinion_r->stands = opinion_r->said;
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct spf_engine *engine = context;
    struct spf_opinion opinion;
    char reply[REPLY_MAX + 1];
    ssize_t length = recv(fd, reply, REPLY_MAX, 0);

    (void)what;
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) {
        end_program(engine, NULL);
        return;
    }
    if (!engine->sent || !read_opinion(engine, reply, (size_t)length, &opinion)) {
        end_program(engine, "it says what makes no sense");
        return;
    }
    loop_timer_stop(engine->timer);
    if (engine->complained)
        tell(engine, SPF_ENGINE_UP, NULL);
    answer(engine, &opinion);
    send_first(engine);
}

static void on_time(void *context)
{
    struct spf_engine *engine = context;

    if (engine->fd >= 0)
        end_program(engine, "no answer in time");
    else if (engine->pid != 0)
        reap(engine, WNOHANG);
}

/* --- the program's start -------------------------------------------------------------- */

/* Beside this program where that is not installed; else where programs for programs are. */
static char *find_program(void)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
    char *beside = NULL;

    while (length > 0 && self[length - 1] != '/')
        length--;
    if (length > 0)
        beside = mem_print("%.*s%s", (int)length, self, PROGRAM);
    if (beside != NULL && access(beside, X_OK) == 0)
        return beside;
    free(beside);
    return mem_copy(SLUICE_PKGLIBEXECDIR "/" PROGRAM);
}

/* As a program expects to find signals: the daemon ignores some and blocks others. */
static void set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(struct spf_engine *engine, int its_end)
{
    char *arguments[] = {engine->program, NULL}, *environment[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error;

    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, its_end, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    set_signals(&attributes);
    error = posix_spawn(&engine->pid, engine->program, &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0)
        engine->pid = 0;
    return error;
}

/* Each question and each answer is one packet. */
static int start_program(struct spf_engine *engine)
{
    int ends[2];
    int error;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return errno;
    error = spawn(engine, ends[1]);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        return error;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    engine->fd = ends[0];
    engine->readable =
        event_new(loop_base(engine->loop), ends[0], EV_READ | EV_PERSIST, on_readable, engine);
    if (engine->readable == NULL || event_add(engine->readable, NULL) != 0)
        abort();
    return 0;
}

static bool is_running(struct spf_engine *engine)
{
    int64_t now_us = clock_now_us(&clock_steady);
    char *problem;
    int error;

    if (engine->fd >= 0)
        return true;
    if (engine->pid != 0 || (engine->started_us != 0 && now_us < engine->started_us + START_US))
        return false;
    engine->started_us = now_us;
    engine->unwanted = false;
    error = start_program(engine);
    if (error == 0)
        return true;
    problem = mem_print("cannot start %s: %s", engine->program, strerror(error));
    complain(engine, problem);
    free(problem);
    return false;
}

/* --- the engine ----------------------------------------------------------------------- */

struct spf_engine *spf_engine_new(struct loop *loop, const struct spf_engine_settings *settings)
{
    struct spf_engine *engine = mem_new(1, sizeof(*engine));

    engine->loop = loop;
    engine->settings = *settings;
    if (settings->timeout_ms == 0)
        engine->settings.timeout_ms = SPF_ENGINE_TIMEOUT_MS;
    engine->program = settings->program != NULL ? mem_copy(settings->program) : find_program();
    engine->fd = -1;
    engine->timer = loop_timer_new(loop, on_time, engine);
    return engine;
}

bool spf_engine_is_on(const struct spf_engine *engine)
{
    return engine != NULL && !engine->stopped && engine->settings.engine != SPF_ENGINE_OWN;
}

pid_t spf_engine_pid(const struct spf_engine *engine)
{
    return engine->pid;
}

void spf_engine_set(struct spf_engine *engine, enum conf_spf_engine which)
{
    engine->settings.engine = which;
    if (!spf_engine_is_on(engine))
        end_unwanted(engine);
}

void spf_engine_stop(struct spf_engine *engine)
{
    engine->stopped = true;
    end_unwanted(engine);
}

void spf_engine_free(struct spf_engine **engine)
{
    if (*engine == NULL)
        return;
    spf_engine_stop(*engine);
    if ((*engine)->pid != 0)
        reap(*engine, 0);
    loop_timer_free(&(*engine)->timer);
    free((*engine)->program);
    free(*engine);
    *engine = NULL;
}

struct spf_asking *spf_engine_ask(struct spf_engine *engine, const struct spf_question *question,
                                  spf_engine_answered *callback, void *context)
{
    struct spf_asking **last = &engine->askings;
    struct spf_asking *asking;

    if (!spf_engine_is_on(engine) || engine->waiting == SPF_ENGINE_WAITING_MAX ||
        !is_running(engine))
        return NULL;
    asking = mem_new(1, sizeof(*asking));
    *asking = (struct spf_asking){
        .engine = engine,
        .text = mem_copy_n(question->text, question->length),
        .domain = text_lower(mem_copy(question->domain)),
        .mechanism = mem_copy(question->mechanism),
        .client = *question->client,
        .question = *question,
        .callback = callback,
        .context = context,
    };
    asking->question.text = asking->text;
    asking->question.domain = asking->domain;
    asking->question.mechanism = asking->mechanism;
    asking->question.client = &asking->client;
    while (*last != NULL)
        last = &(*last)->next;
    *last = asking;
    engine->waiting++;
    send_first(engine);
    return asking;
}

void spf_engine_cancel(struct spf_asking *asking)
{
    if (asking != NULL)
        asking->callback = NULL;
}
