/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaded into a daemon: its steady clock is ahead by the seconds in the first octets of the file
 * $CLOCK_OFFSET, so that a test need not wait for a minute; its wall clock by $WALL_OFFSET seconds,
 * as a host's is that nobody sets. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_sec;
static long wall_sec;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void find(void)
{
    const char *path = getenv("CLOCK_OFFSET");
    int descriptor = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = MAP_FAILED;

    wall_sec = getenv("WALL_OFFSET") != NULL ? strtol(getenv("WALL_OFFSET"), NULL, 10) : 0;
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    if (descriptor >= 0) {
        mapped = mmap(NULL, sizeof(*offset_sec), PROT_READ, MAP_SHARED, descriptor, 0);
        close(descriptor);
    }
    if (mapped != MAP_FAILED)
        offset_sec = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result;

    if (real == NULL)
        find();
    result = real(clock, now);
    if (result == 0 && offset_sec != NULL &&
        (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE))
        now->tv_sec += (time_t)*offset_sec;
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += wall_sec;
    return result;
}
