/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets that policy clients connect to. */
#include "policy/listener.h"

#include "lib/base/mem.h"
#include "lib/daemon/socket.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCEPT_AT_ONCE 64 /* connections, before others get their turn */
#define PAUSE_MS 100 /* without descriptors; accept(2) would fail again at once */

struct listener {
    struct listener *next;
    struct listeners *all;
    struct conf_listen where;
    struct event *event;
    dev_t device; /* of the unix socket, to know it again */
    ino_t inode;
    int fd;
    bool wanted; /* by the configuration that is being reloaded */
};

struct listeners {
    struct listener *first;
    struct loop *loop; /* NULL until they are served */
    struct log *log;
    struct loop_timer *pause;
    listeners_callback *accepted;
    listeners_short *short_of;
    void *context;
};

/* --- accepting ------------------------------------------------------------------------ */

static void on_pause_over(void *context)
{
    const struct listeners *all = context;

    for (struct listener *each = all->first; each != NULL; each = each->next)
        if (each->event != NULL)
            (void)event_add(each->event, NULL);
}

static void pause_all(struct listeners *all, int problem)
{
    for (struct listener *each = all->first; each != NULL; each = each->next)
        if (each->event != NULL)
            (void)event_del(each->event);
    loop_timer_start(all->pause, PAUSE_MS);
    all->short_of(strerror(problem), all->context);
}

static void on_connection(evutil_socket_t socket, short what, void *context)
{
    struct listener *listener = context;

    (void)what;
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        const int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            listener->all->accepted(fd, listener->all->context);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_all(listener->all, errno);
        /* A client that has gone away again is no reason to leave the next one waiting. */
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

static void serve(struct listener *listener)
{
    listener->event = event_new(loop_base(listener->all->loop), listener->fd, EV_READ | EV_PERSIST,
                                on_connection, listener);
    if (listener->event != NULL)
        (void)event_add(listener->event, NULL);
}

/* --- opening and closing -------------------------------------------------------------- */

static struct socket_access access_of(const struct conf *conf)
{
    return (struct socket_access){
        .mode = conf->policy_socket_mode, .group = conf->policy_socket_group, .owner = conf->user};
}

static bool open_one(struct listeners *all, const struct conf *conf,
                     const struct conf_listen *where, char **problem_r)
{
    const struct socket_access access = access_of(conf);
    const int fd = socket_listen(where, &access, problem_r);
    struct listener *listener;
    struct stat status;

    if (fd < 0)
        return false;
    listener = mem_new(1, sizeof(*listener));
    listener->all = all;
    listener->fd = fd;
    listener->where = *where;
    listener->where.path = mem_copy(where->path);
    listener->where.host = mem_copy(where->host);
    if (where->is_unix && lstat(where->path, &status) == 0) {
        listener->device = status.st_dev;
        listener->inode = status.st_ino;
    }
    listener->next = all->first;
    all->first = listener;
    if (all->loop != NULL)
        serve(listener);
    return true;
}

/* A socket of that name may be another process's by now. */
static void remove_ours(const struct listener *listener)
{
    struct stat status;

    if (listener->where.is_unix && lstat(listener->where.path, &status) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->inode)
        (void)unlink(listener->where.path);
}

static void close_one(struct listener *listener)
{
    if (listener->event != NULL)
        event_free(listener->event);
    remove_ours(listener);
    close(listener->fd);
    free(listener->where.path);
    free(listener->where.host);
    free(listener);
}

struct listeners *listeners_open(const struct conf *conf, char **problem_r)
{
    struct listeners *all = mem_new(1, sizeof(*all));

    for (size_t i = 0; i < conf->npolicy_listen; i++) {
        if (!open_one(all, conf, &conf->policy_listen[i], problem_r)) {
            listeners_close(&all);
            return NULL;
        }
    }
    return all;
}

void listeners_serve(struct listeners *all, struct loop *loop, struct log *log,
                     listeners_callback *accepted, listeners_short *short_of, void *context)
{
    all->loop = loop;
    all->log = log;
    all->accepted = accepted;
    all->short_of = short_of;
    all->context = context;
    all->pause = loop_timer_new(loop, on_pause_over, all);
    for (struct listener *each = all->first; each != NULL; each = each->next)
        serve(each);
}

void listeners_close(struct listeners **listeners)
{
    struct listeners *all = *listeners;
    struct listener *next;

    if (all == NULL)
        return;
    for (struct listener *each = all->first; each != NULL; each = next) {
        next = each->next;
        close_one(each);
    }
    loop_timer_free(&all->pause);
    free(all);
    *listeners = NULL;
}

/* --- reload --------------------------------------------------------------------------- */

static void complain(struct listeners *all, char *problem)
{
    struct log_event event;

    log_begin(&event, all->log, LOG_ERR, NULL, "listen-failed");
    log_string(&event, "problem", problem);
    log_string(&event, "hint", "the other sockets are served; restart to bind what needs root");
    log_write(&event);
    free(problem);
}

static bool same_place(const struct conf_listen *a, const struct conf_listen *b)
{
    if (a->is_unix != b->is_unix)
        return false;
    if (a->is_unix)
        return strcmp(a->path, b->path) == 0;
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static struct listener *find(const struct listeners *all, const struct conf_listen *where)
{
    for (struct listener *each = all->first; each != NULL; each = each->next)
        if (same_place(&each->where, where))
            return each;
    return NULL;
}

static void update_access(struct listeners *all, const struct listener *listener,
                          const struct conf *conf)
{
    const struct socket_access access = access_of(conf);
    char *problem = NULL;

    if (listener->where.is_unix && !socket_update_access(listener->where.path, &access, &problem))
        complain(all, problem);
}

static void close_unwanted(struct listeners *all, const struct conf *conf)
{
    for (struct listener *each = all->first; each != NULL; each = each->next)
        each->wanted = false;
    for (size_t i = 0; i < conf->npolicy_listen; i++) {
        struct listener *listener = find(all, &conf->policy_listen[i]);

        if (listener != NULL)
            listener->wanted = true;
    }
    for (struct listener **link = &all->first; *link != NULL;) {
        struct listener *listener = *link;

        if (listener->wanted) {
            link = &listener->next;
            continue;
        }
        *link = listener->next;
        close_one(listener);
    }
}

/* The old ones first: a new one may be at the same port. */
void listeners_reload(struct listeners *all, const struct conf *conf)
{
    close_unwanted(all, conf);
    for (size_t i = 0; i < conf->npolicy_listen; i++) {
        const struct listener *listener = find(all, &conf->policy_listen[i]);
        char *problem = NULL;

        if (listener != NULL)
            update_access(all, listener, conf);
        else if (!open_one(all, conf, &conf->policy_listen[i], &problem))
            complain(all, problem);
    }
}
