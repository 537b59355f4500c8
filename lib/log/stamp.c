/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands before a line. */
#include "lib/log/stamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Copies a name as far as it goes, nothing in it that would need an escape. */
static void set_name(char name_r[STAMP_NAME_MAX + 1], const char *name)
{
    size_t length = 0;

    for (; length < STAMP_NAME_MAX && name[length] != '\0'; length++) {
        unsigned char octet = (unsigned char)name[length];

        name_r[length] =
            octet <= ' ' || octet >= 0x7f || strchr("\"\\[]:", octet) != NULL ? '?' : name[length];
    }
    name_r[length] = '\0';
}

void stamp_init(struct stamp *stamp, const char *program)
{
    char host[256] = "";

    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0' || host[0] == '.')
        host[0] = '-';
    host[strcspn(host, ".")] = '\0'; /* the short name, as in mail.log */
    set_name(stamp->host, host);
    set_name(stamp->program, program);
    stamp->second = INT64_MIN;
    tzset();
}

/* Breaking a time down is the dearest part of a line: once a second is enough. */
static void set_second(struct stamp *stamp, int64_t second)
{
    /* strftime(3) would name the months in the locale's language. */
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)second;
    struct tm tm = {.tm_mday = 1};

    if (stamp->second == second)
        return;
    stamp->second = second;
    (void)localtime_r(&seconds, &tm);
    (void)snprintf(stamp->syslog_time, sizeof(stamp->syslog_time), "%s %2d %02d:%02d:%02d",
                   months[tm.tm_mon % 12], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    (void)strftime(stamp->file_time, sizeof(stamp->file_time), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)strftime(stamp->zone, sizeof(stamp->zone), "%z", &tm);
}

/* Seconds, and what is left in microseconds. */
static int split_time(struct stamp *stamp, int64_t time_us)
{
    int64_t fraction = time_us % 1000000;

    if (fraction < 0)
        fraction += 1000000;
    set_second(stamp, (time_us - fraction) / 1000000);
    return (int)fraction;
}

/* Puts the line, from its octet skip on, behind a stamp of that length. */
static size_t join(char whole_r[STAMPED_MAX], int stamp_length, const struct sink_line *line,
                   size_t skip)
{
    size_t length = stamp_length < 0 ? 0 : (size_t)stamp_length;

    if (length >= STAMP_MAX)
        length = STAMP_MAX - 1;
    memcpy(whole_r + length, line->bytes + skip, line->length - skip);
    length += line->length - skip;
    whole_r[length] = '\0';
    return length;
}

size_t stamp_syslog(struct stamp *stamp, const struct sink_line *line, int facility,
                    char whole_r[STAMPED_MAX])
{
    int length;

    (void)split_time(stamp, line->time_us);
    length = snprintf(whole_r, STAMP_MAX,
                      "<%d>%s %s[%d]: ", (facility & LOG_FACMASK) | (line->priority & LOG_PRIMASK),
                      stamp->syslog_time, stamp->program, (int)getpid());
    return join(whole_r, length, line, 0);
}

size_t stamp_file(struct stamp *stamp, const struct sink_line *line, char whole_r[STAMPED_MAX])
{
    int microseconds = split_time(stamp, line->time_us);
    bool json = line->format == LOG_FORMAT_JSON;
    int length;

    /* RFC 3339 wants a colon in the zone. */
    if (json)
        length =
            snprintf(whole_r, STAMP_MAX,
                     "{\"time\":\"%s.%06d%.3s:%s\",\"host\":\"%s\",\"program\":\"%s\",\"pid\":%d,",
                     stamp->file_time, microseconds, stamp->zone, stamp->zone + 3, stamp->host,
                     stamp->program, (int)getpid());
    else
        length = snprintf(whole_r, STAMP_MAX, "%s.%06d%.3s:%s %s %s[%d]: ", stamp->file_time,
                          microseconds, stamp->zone, stamp->zone + 3, stamp->host, stamp->program,
                          (int)getpid());
    /* The object's own first brace gives way to the stamp's. */
    return join(whole_r, length, line, json ? 1 : 0);
}
