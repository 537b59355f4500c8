/* SPDX-License-Identifier: BSD-2-Clause */
/* A private authoritative name server for tests. */
#include "tests/support/nsd.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "tests/support/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_US INT64_C(60000000)
#define TRIES 5 /* another process may take the port before nsd does */
#define PROGRAM "/usr/sbin/nsd"

extern char **environ;

struct nsd {
    char *folder;
    uint16_t port;
    pid_t pid;
};

bool nsd_is_installed(void)
{
    if (access(PROGRAM, X_OK) == 0)
        return true;
    (void)fprintf(stderr, "skipped: there is no " PROGRAM " (Debian package nsd)\n");
    return false;
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static FILE *create(const struct nsd *nsd, const char *name)
{
    char *path = mem_print("%s/%s", nsd->folder, name);
    FILE *file = fopen(path, "we");

    if (file == NULL)
        abort();
    free(path);
    return file;
}

static void write_files(const struct nsd *nsd, const struct nsd_zone *zones)
{
    FILE *config = create(nsd, "nsd.conf");
    char name[32];

    (void)fprintf(config,
                  "server:\n ip-address: 127.0.0.1\n port: %u\n username: \"\"\n chroot: \"\"\n"
                  " zonesdir: \"%s\"\n database: \"\"\n pidfile: \"\"\n xfrdfile: \"%s/xfrd\"\n"
                  " zonelistfile: \"%s/zones\"\n xfrdir: \"%s\"\n server-count: 1\n"
                  "remote-control:\n control-enable: no\n",
                  (unsigned)nsd->port, nsd->folder, nsd->folder, nsd->folder, nsd->folder);
    for (int i = 0; zones[i].name != NULL; i++) {
        (void)snprintf(name, sizeof(name), "zone.%d", i);
        (void)fprintf(config, "zone:\n name: \"%s.\"\n zonefile: \"%s\"\n", zones[i].name,
                      zones[i].file != NULL ? zones[i].file : name);
        if (zones[i].file == NULL) {
            FILE *zone = create(nsd, name);

            (void)fprintf(zone,
                          "$ORIGIN %s.\n$TTL 300\n"
                          "@ IN SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 120\n"
                          "@ IN NS ns.invalid.\n%s",
                          zones[i].name, zones[i].records);
            (void)fclose(zone);
        }
    }
    (void)fclose(config);
}

static bool spawn(struct nsd *nsd)
{
    char *config = mem_print("%s/nsd.conf", nsd->folder);
    char *log = mem_print("%s/log", nsd->folder);
    char *const arguments[] = {(char[]){"nsd"}, (char[]){"-d"}, (char[]){"-c"}, config, NULL};
    posix_spawn_file_actions_t actions;
    int problem;

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log,
                                           O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    problem = posix_spawn(&nsd->pid, PROGRAM, &actions, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    free(log);
    free(config);
    return problem == 0;
}

/* One question for the root's SOA: any answer will do. */
static bool answers(const struct nsd *nsd, int timeout_ms)
{
    static const unsigned char question[] = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1};
    struct sockaddr_in address = loopback(nsd->port);
    struct pollfd poll_fd = {.events = POLLIN};
    unsigned char reply[512];
    bool answered = false;

    poll_fd.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (poll_fd.fd < 0)
        return false;
    if (connect(poll_fd.fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        send(poll_fd.fd, question, sizeof(question), 0) > 0 && poll(&poll_fd, 1, timeout_ms) == 1)
        answered = recv(poll_fd.fd, reply, sizeof(reply), 0) > 0;
    (void)close(poll_fd.fd);
    return answered;
}

static bool wait_until_it_answers(struct nsd *nsd)
{
    int64_t until_us = clock_now_us(&clock_steady) + START_US;

    while (clock_now_us(&clock_steady) < until_us) {
        if (answers(nsd, 100))
            return true;
        if (waitpid(nsd->pid, NULL, WNOHANG) == nsd->pid) {
            nsd->pid = 0;
            return false;
        }
        /* a port that nobody has yet refuses at once */
        (void)poll(NULL, 0, 10);
    }
    return false;
}

static void print_log(const struct nsd *nsd)
{
    char *path = mem_print("%s/log", nsd->folder);
    FILE *file = fopen(path, "re");
    char line[512];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        (void)fprintf(stderr, "nsd: %s", line);
    if (file != NULL)
        (void)fclose(file);
    free(path);
}

struct nsd *nsd_start(const struct nsd_zone *zones, uint16_t port)
{
    for (int i = 0; i < TRIES; i++) {
        struct nsd *nsd = mem_new(1, sizeof(*nsd));
        char folder[] = "/tmp/sluice-nsd.XXXXXX";

        if (mkdtemp(folder) == NULL)
            abort();
        nsd->folder = mem_copy(folder);
        nsd->port = port != 0 ? port : process_free_port();
        write_files(nsd, zones);
        if (spawn(nsd) && wait_until_it_answers(nsd))
            return nsd;
        print_log(nsd);
        nsd_stop(&nsd);
    }
    return NULL;
}

uint16_t nsd_port(const struct nsd *nsd)
{
    return nsd->port;
}

/* The folder is flat. */
static void remove_folder(const char *folder)
{
    char *const arguments[] = {(char[]){"rm"}, (char[]){"-rf"}, (char[]){"--"}, mem_copy(folder),
                               NULL};
    pid_t pid;

    if (posix_spawn(&pid, "/bin/rm", NULL, NULL, arguments, environ) == 0)
        (void)waitpid(pid, NULL, 0);
    free(arguments[3]);
}

void nsd_stop(struct nsd **nsd)
{
    struct nsd *old = *nsd;

    if (old == NULL)
        return;
    if (old->pid > 0) {
        (void)kill(old->pid, SIGTERM);
        while (waitpid(old->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    remove_folder(old->folder);
    free(old->folder);
    free(old);
    *nsd = NULL;
}
