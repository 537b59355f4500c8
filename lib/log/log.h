/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: one structured line each, to syslog, standard error or a file.
 *
 *   4XkP2q1Zz: event=cause cause=dns.spf-fail severity=warn ip=198.51.100.9 hint="add ip4:..."
 *
 * An event is built field by field and written at once by log_write().  Values that hold a space,
 * '"', '=', '\' or a control character, or are empty, are quoted with C escapes (UTF-8 stays,
 * broken UTF-8 is escaped), so no value breaks a line or forges a field.  A line over LOG_LINE_MAX
 * octets is cut at a field and ends with truncated=yes.  In JSON the same names are the members of
 * one object a line ("queue_id" is the queue id).
 *
 * Writing never blocks: what the destination does not take at once (a stalled syslog, a full disk)
 * is kept, up to LOG_KEEP_MAX octets, and written when it takes again, in order; what did not fit
 * is counted and the count is logged as event=log lost=N.  Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#define LOG_LINE_MAX 1000
#define LOG_KEEP_MAX (4 * 1024 * 1024)
#define LOG_FIELDS_MAX 64
#define LOG_QUEUE_ID_MAX 64

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_settings {
    const char *program; /* "sluice-milter": the tag */
    const char *destination; /* "syslog", "syslog:SOCKET", "stderr" or "file:PATH" */
    enum log_format format;
    int facility; /* LOG_MAIL ... */
    /* Who is to write it when root has been given up: a file that root makes is given to this user,
     * so that it can be opened anew.  NULL or "": it stays with who makes it. */
    const char *owner;
};

struct log;

/* Opens the destination.  syslog is /dev/log, or the socket that is named: one that is not there is
 * tried again, and no reason to fail.  A file and standard error get mail.log's own line shape
 * (RFC 3339 time, host, tag), or in JSON the members time, host, program and pid.
 * The caller ignores SIGPIPE and SIGXFSZ.  NULL: problem_r says why (the caller frees it). */
struct log *log_open(const struct log_settings *settings, char **problem_r);
/* Writes what is kept, as far as it can; what is lost then is said on standard error. */
void log_close(struct log **log);

/* Takes new settings, or opens the file anew after rotation (SIGHUP).  false: the old destination
 * stays; problem_r. */
bool log_reopen(struct log *log, const struct log_settings *settings, char **problem_r);

/* Tries again to write what was kept; call it about once a second.  Returns the octets left. */
size_t log_flush(struct log *log);

/* One event.  The struct is the caller's, usually on the stack; it needs no freeing after
 * log_write().  Values are copied into it.  Its members are private. */
struct log_field {
    const char *name;
    uint16_t at; /* in values */
    uint16_t length;
    bool bare; /* a number, which JSON writes without quotes */
};

struct log_event {
    struct log *log;
    int priority; /* LOG_INFO, LOG_WARNING, ... */
    uint16_t nfields;
    uint16_t used; /* of values */
    bool truncated; /* a field did not fit: no more are taken */
    char queue_id[LOG_QUEUE_ID_MAX + 1];
    struct log_field fields[LOG_FIELDS_MAX];
    char values[LOG_LINE_MAX]; /* as given; written out they only grow */
};

/* queue_id NULL or "" is NOQUEUE, and an octet that no MTA's queue ids have becomes '?'; name is
 * the value of event=.  log NULL: an event for log_format() alone. */
void log_begin(struct log_event *event, struct log *log, int priority, const char *queue_id,
               const char *name);

/* Fields, in the order they will stand.  A NULL value adds nothing; names are ours, never from
 * outside. */
void log_string(struct log_event *event, const char *name, const char *value);
void log_print(struct log_event *event, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_number(struct log_event *event, const char *name, int64_t value);
void log_ms(struct log_event *event, const char *name, int64_t microseconds); /* 3.1 */
void log_share(struct log_event *event, const char *name, int64_t used,
               int64_t max); /* 1611/2000 */
void log_write(struct log_event *event);

/* The line that log_write() would write, without time and tag, for tests, `sluicectl try` and the
 * fuzz target; also ends the event.  The caller frees it. */
char *log_format(struct log_event *event, enum log_format format);

/* A log of nothing but its own memory: log_taken() gives the lines written since the last call,
 * each with '\n'. For tests. */
struct log *log_open_memory(enum log_format format);
char *log_taken(struct log *log);
