/* SPDX-License-Identifier: BSD-2-Clause */
/* What systemd wants to hear. */
#include "lib/base/notify.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Type=notify-reload tells an old READY=1 from the one that ends this reload by the time. */
static void send_state(int fd, const struct sockaddr_un *address, socklen_t length,
                       const char *state)
{
    char reloading[96];

    if (strcmp(state, "RELOADING=1") == 0) {
        (void)snprintf(reloading, sizeof(reloading), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                       clock_now_us(&clock_steady));
        state = reloading;
    }
    (void)sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL,
                 (const struct sockaddr *)address, length);
}

void notify_state(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path != NULL ? strlen(path) : 0;
    socklen_t address_length;
    int fd;

    if (length < 2 || length >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, length);
    address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    /* '@' is the abstract namespace, where every octet of the length counts. */
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    else
        address_length++;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    send_state(fd, &address, address_length, state);
    close(fd);
}

/* The variable as a positive number, or 0. */
static int64_t environment_number(const char *name)
{
    const char *value = getenv(name);
    long long number;
    char *end;

    if (value == NULL)
        return 0;
    errno = 0;
    number = strtoll(value, &end, 10);
    return errno == 0 && end != value && *end == '\0' && number > 0 ? number : 0;
}

int64_t notify_watchdog_ms(void)
{
    int64_t interval_us = environment_number("WATCHDOG_USEC");
    int64_t pid = environment_number("WATCHDOG_PID");

    if (interval_us == 0 || (pid != 0 && pid != getpid()))
        return 0;
    return interval_us < 2000 ? 1 : interval_us / 2000;
}
