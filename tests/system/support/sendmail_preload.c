/* SPDX-License-Identifier: BSD-2-Clause */
/* Preloaded into the tests' Sendmail: gives it the site's host name, and its log a file instead of
 * syslog. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 4096

static char site_hostname[256];
static char log_path[256];

/* Sendmail empties its environment first thing in main(), so both values are taken before. */
__attribute__((constructor)) static void preload_start(void)
{
    const char *hostname = getenv("SITE_HOSTNAME");
    const char *path = getenv("SITE_LOG");

    if (hostname != NULL)
        snprintf(site_hostname, sizeof(site_hostname), "%s", hostname);
    if (path != NULL)
        snprintf(log_path, sizeof(log_path), "%s", path);
}

/* Without a dot in the name, and none to be found in the DNS, Sendmail sleeps for a minute. */
int gethostname(char *name, size_t size)
{
    snprintf(name, size, "%s", site_hostname);
    return 0;
}

static void log_line(const char *format, va_list args)
{
    char line[LINE_MAX_OCTETS];
    char stamp[32];
    struct tm now;
    time_t seconds = time(NULL);
    int head;
    int fd;
    size_t length;

    if (localtime_r(&seconds, &now) == NULL)
        return;
    strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &now);
    head = snprintf(line, sizeof(line), "%s sendmail[%ld]: ", stamp, (long)getpid());
    if (vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args) < 0)
        return;
    length = strlen(line);
    line[length++] = '\n';
    /* Opened each time: Sendmail closes every descriptor that it does not know. */
    fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    /* One write, so that the lines of several processes do not mix; there is nobody to tell of a
     * lost one. */
    if (write(fd, line, length) < 0)
        log_path[0] = '\0';
    close(fd);
}

void syslog(int priority, const char *format, ...)
{
    va_list args;

    (void)priority;
    va_start(args, format);
    log_line(format, args);
    va_end(args);
}

/* What a program compiled with FORTIFY calls instead. */
void __syslog_chk(int priority, int flag, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list args;

    (void)priority;
    (void)flag;
    va_start(args, format);
    log_line(format, args);
    va_end(args);
}
