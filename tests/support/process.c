/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that a test starts and stops. */
#include "tests/support/process.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 30000
/* Below the kernel's usual ephemeral range, so that no outgoing connection takes a port between our
 * look and its use; and so is what lies 10,000 above them, where nodes of a cluster meet. */
#define PORT_FIRST 12000
#define PORT_LAST 21999
#define PORT_TRIES 1000

char *process_find(const char *program)
{
    const char *path = getenv("PATH");
    char *folders = mem_print("%s:/usr/sbin:/usr/bin:/usr/local/bin", path != NULL ? path : "");
    char *rest = folders;
    char *found = NULL;

    while (found == NULL && rest != NULL) {
        char *folder = strsep(&rest, ":");

        found = mem_print("%s/%s", folder, program);
        if (*folder == '\0' || access(found, X_OK) != 0) {
            free(found);
            found = NULL;
        }
    }
    free(folders);
    return found;
}

static _Noreturn void be_program(const char *const argv[], const char *output_path, pid_t parent)
{
    int output = open(output_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (output >= 0) {
        (void)dup2(output, STDOUT_FILENO);
        (void)dup2(output, STDERR_FILENO);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

pid_t process_start(const char *const argv[], const char *output_path)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0)
        be_program(argv, output_path, parent);
    if (pid < 0) {
        perror("fork");
        abort();
    }
    return pid;
}

bool process_is_running(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == 0;
}

static bool has_ended(void *context)
{
    const pid_t *pid = context;

    return !process_is_running(*pid);
}

void process_stop(pid_t pid)
{
    if (pid <= 0 || !process_is_running(pid))
        return;
    (void)kill(pid, SIGCONT);
    (void)kill(pid, SIGTERM);
    if (!process_poll(has_ended, &pid, STOP_MS))
        process_kill(pid, SIGKILL);
}

void process_kill(pid_t pid, int signal)
{
    (void)kill(pid, signal);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

char *process_folder(void)
{
    char *folder = mem_copy("/tmp/sluice-test-XXXXXX");

    if (mkdtemp(folder) == NULL) {
        perror(folder);
        abort();
    }
    return folder;
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *where)
{
    (void)status;
    (void)flag;
    (void)where;
    return remove(path);
}

void process_folder_remove(char **folder)
{
    if (*folder == NULL)
        return;
    (void)nftw(*folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*folder);
    *folder = NULL;
}

/* A byte of this file is locked for each port that was given out, for as long as this process
 * lives: so that no other process of the tests, which looks before the port is in use, takes it. */
static bool claim_port(uint16_t port)
{
    static int claims = -1;
    static bool given[PORT_LAST + 1];
    struct flock claim = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = port, .l_len = 1, .l_pid = 0};
    const char *folder = getenv("TMPDIR");

    if (claims < 0) {
        char *path = mem_print("%s/sluice-tests-%u.ports", folder != NULL ? folder : "/tmp",
                               (unsigned)getuid());

        claims = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        free(path);
    }
    if (given[port] || fcntl(claims, F_SETLK, &claim) != 0)
        return false;
    given[port] = true;
    return true;
}

static bool can_bind(uint16_t port, int type)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    bool can = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd >= 0)
        close(fd);
    return can;
}

uint16_t process_free_port(void)
{
    uint32_t chance = (uint32_t)getpid() ^ (uint32_t)clock_now_us(&clock_steady);

    for (int i = 0; i < PORT_TRIES; i++) {
        uint16_t port;

        chance = chance * 1664525 + 1013904223;
        port = (uint16_t)(PORT_FIRST + (chance >> 8) % (PORT_LAST - PORT_FIRST + 1));
        if (claim_port(port) && can_bind(port, SOCK_STREAM) && can_bind(port, SOCK_DGRAM))
            return port;
    }
    fprintf(stderr, "no free port between %d and %d\n", PORT_FIRST, PORT_LAST);
    abort();
}

bool process_poll(bool (*is_so)(void *context), void *context, int64_t timeout_ms)
{
    int64_t end_us = clock_now_us(&clock_steady) + timeout_ms * 1000;

    while (!is_so(context)) {
        if (clock_now_us(&clock_steady) > end_us)
            return false;
        (void)poll(NULL, 0, 2);
    }
    return true;
}
