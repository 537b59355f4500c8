/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines from systemd's journal: what was logged under syslog's facility mail. */
#include "feedback/source.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/classify/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <time.h>

#define LOOK_MS 200
#define US_PER_SEC UINT64_C(1000000)
#define WORD_MAX_LENGTH 256 /* octets of a host's or a program's name */

struct journal {
    sd_journal *journal;
    struct text line;
    struct loop_timer *look;
    void (*wake)(void *context);
    void *context;
};

/* The value of a field, cut at a length; absent fields are empty. */
static struct span field(sd_journal *journal, const char *name, size_t most)
{
    const size_t skip = strlen(name) + 1;
    const void *data;
    size_t length;

    if (sd_journal_get_data(journal, name, &data, &length) < 0 || length < skip)
        return (struct span){"", 0};
    return (struct span){(const char *)data + skip, length - skip < most ? length - skip : most};
}

static void add_time(struct journal *journal)
{
    uint64_t now_us = 0;
    time_t seconds;
    struct tm utc;
    char text[32];

    (void)sd_journal_get_realtime_usec(journal->journal, &now_us);
    seconds = (time_t)(now_us / US_PER_SEC);
    if (gmtime_r(&seconds, &utc) == NULL)
        return;
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    text_print(&journal->line, "%s.%06uZ ", text, (unsigned)(now_us % US_PER_SEC));
}

/* As rsyslog would have written it; a message of several lines is one. */
static void make_line(struct journal *journal)
{
    const struct span host = field(journal->journal, "_HOSTNAME", WORD_MAX_LENGTH);
    const struct span program = field(journal->journal, "SYSLOG_IDENTIFIER", WORD_MAX_LENGTH);
    const struct span pid = field(journal->journal, "SYSLOG_PID", WORD_MAX_LENGTH);
    const struct span message = field(journal->journal, "MESSAGE", LINE_MAX_LENGTH);
    size_t start;

    text_clear(&journal->line);
    add_time(journal);
    text_print(&journal->line, "%.*s %.*s", (int)host.length, host.start, (int)program.length,
               program.start);
    if (pid.length > 0)
        text_print(&journal->line, "[%.*s]", (int)pid.length, pid.start);
    text_add_string(&journal->line, ": ");
    start = journal->line.length;
    text_add(&journal->line, message.start, message.length);
    for (size_t i = start; i < journal->line.length; i++)
        if (journal->line.bytes[i] == '\n')
            journal->line.bytes[i] = ' ';
}

static enum source_result next(void *state, struct span *line_r)
{
    struct journal *journal = state;

    if (sd_journal_next(journal->journal) <= 0)
        return SOURCE_NOTHING;
    make_line(journal);
    *line_r = (struct span){text_string(&journal->line), journal->line.length};
    return SOURCE_LINE;
}

static void mark(void *state, struct mark *mark_r)
{
    struct journal *journal = state;
    char *cursor = NULL;

    if (sd_journal_get_cursor(journal->journal, &cursor) >= 0 && strlen(cursor) < MARK_CURSOR_MAX)
        mem_copy_bytes(mark_r->cursor, cursor, strlen(cursor) + 1);
    free(cursor);
}

/* The journal's files are looked at anew, since they are rotated too. */
static void on_look(void *context)
{
    struct journal *journal = context;

    loop_timer_start(journal->look, LOOK_MS);
    (void)sd_journal_process(journal->journal);
    journal->wake(journal->context);
}

static void release(void *state)
{
    struct journal *journal = state;

    loop_timer_free(&journal->look);
    sd_journal_close(journal->journal);
    text_free(&journal->line);
    free(journal);
}

/* Behind the mark, which is an entry that was dealt with; or as far back as is to be read. */
static int seek(sd_journal *journal, const struct mark *from, int64_t first_read_sec)
{
    const uint64_t now_us = (uint64_t)clock_now_us(&clock_wall);
    int result;

    if (from == NULL || from->cursor[0] == '\0')
        return sd_journal_seek_realtime_usec(journal,
                                             now_us - (uint64_t)first_read_sec * US_PER_SEC);
    result = sd_journal_seek_cursor(journal, from->cursor);
    if (result < 0 || sd_journal_next(journal) <= 0)
        return result;
    if (sd_journal_test_cursor(journal, from->cursor) <= 0)
        (void)sd_journal_previous(journal);
    return 0;
}

const struct source_kind *source_journal_open(struct loop *loop, const char *name,
                                              const struct mark *from, int64_t first_read_sec,
                                              void (*wake)(void *context), void *context,
                                              void **state_r, char **problem_r)
{
    static const struct source_kind kind = {.next = next, .mark = mark, .free = release};
    const char *folder = strchr(name, ':');
    sd_journal *opened = NULL;
    struct journal *journal;
    int result = folder != NULL ? sd_journal_open_directory(&opened, folder + 1, 0)
                                : sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY);

    if (result >= 0)
        result = sd_journal_add_match(opened, "SYSLOG_FACILITY=2", 0);
    if (result >= 0)
        result = seek(opened, from, first_read_sec);
    /* This also has new files noticed. */
    if (result >= 0)
        result = sd_journal_get_fd(opened);
    if (result < 0) {
        *problem_r = mem_print("cannot read the journal: %s", strerror(-result));
        sd_journal_close(opened);
        return NULL;
    }
    journal = mem_new(1, sizeof(*journal));
    *journal = (struct journal){.journal = opened, .wake = wake, .context = context};
    journal->look = loop_timer_new(loop, on_look, journal);
    loop_timer_start(journal->look, LOOK_MS);
    *state_r = journal;
    return &kind;
}
