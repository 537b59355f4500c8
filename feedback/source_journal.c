/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines from systemd's journal: what was logged under syslog's facility mail. */
#include "feedback/place.h"
#include "feedback/source.h"

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/classify/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <time.h>

#define LOOK_MS 200
#define US_PER_SEC UINT64_C(1000000)
#define WORD_MAX_LENGTH 256 /* octets of a host's or a program's name */
#define KNOWN_MAX 20000 /* entries before a mark that are read once more */
#define TOLD_MAX 20000 /* entries behind a mark that are looked at for what was told */

struct journal {
    sd_journal *journal;
    struct text line;
    struct loop_timer *look;
    void (*wake)(void *context);
    void *context;
    uint64_t known_last; /* hash of the last cursor that was read before */
    uint64_t known; /* how many entries before it, and with it, are still to come */
    bool is_known; /* the last one was one of them */
    bool read; /* there was an entry */
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

/* Each is good until the next is asked for. */
static void add_field(struct journal *journal, const char *name, size_t most)
{
    const struct span value = field(journal->journal, name, most);

    text_add(&journal->line, value.start, value.length);
}

static void add_pid(struct journal *journal)
{
    struct span pid = field(journal->journal, "SYSLOG_PID", WORD_MAX_LENGTH);

    if (pid.length == 0)
        pid = field(journal->journal, "_PID", WORD_MAX_LENGTH);
    if (pid.length > 0)
        text_print(&journal->line, "[%.*s]", (int)pid.length, pid.start);
}

/* As rsyslog would have written it; a message of several lines is one. */
static void make_line(struct journal *journal)
{
    size_t start;

    text_clear(&journal->line);
    add_time(journal);
    add_field(journal, "_HOSTNAME", WORD_MAX_LENGTH);
    text_add_char(&journal->line, ' ');
    add_field(journal, "SYSLOG_IDENTIFIER", WORD_MAX_LENGTH);
    add_pid(journal);
    text_add_string(&journal->line, ": ");
    start = journal->line.length;
    add_field(journal, "MESSAGE", LINE_MAX_LENGTH);
    for (size_t i = start; i < journal->line.length; i++)
        if (journal->line.bytes[i] == '\n')
            journal->line.bytes[i] = ' ';
}

/* The cursor of the entry in hand, and its hash; 0: there is none. */
static uint64_t read_cursor(sd_journal *journal, char cursor_r[MARK_CURSOR_MAX])
{
    char *cursor = NULL;
    uint64_t hash = 0;

    if (sd_journal_get_cursor(journal, &cursor) >= 0 && strlen(cursor) < MARK_CURSOR_MAX) {
        hash = hash_stable(cursor, strlen(cursor));
        if (cursor_r != NULL)
            mem_copy_bytes(cursor_r, cursor, strlen(cursor) + 1);
    }
    free(cursor);
    return hash;
}

static enum source_result next(void *state, struct span *line_r)
{
    struct journal *journal = state;

    if (sd_journal_next(journal->journal) <= 0)
        return SOURCE_NOTHING;
    journal->read = true;
    journal->is_known = journal->known > 0;
    if (journal->is_known)
        journal->known =
            read_cursor(journal->journal, NULL) == journal->known_last ? 0 : journal->known - 1;
    make_line(journal);
    *line_r = (struct span){text_string(&journal->line), journal->line.length};
    return SOURCE_LINE;
}

static bool is_known(void *state)
{
    const struct journal *journal = state;

    return journal->is_known;
}

static void mark(void *state, struct mark *mark_r)
{
    struct journal *journal = state;

    mark_r->offset = read_cursor(journal->journal, mark_r->cursor);
}

/* Where the journal's files cannot be read, libsystemd finds none. */
static int problem(void *state)
{
    struct journal *journal = state;
    uint64_t octets = 0;

    if (journal->read || sd_journal_get_usage(journal->journal, &octets) < 0 || octets > 0)
        return 0;
    return ENOENT;
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

/* --- where to begin ----------------------------------------------------------------------- */

/* At the entry of the mark.  false: it is gone. */
static bool seek_mark(sd_journal *journal, const struct mark *from)
{
    return sd_journal_seek_cursor(journal, from->cursor) >= 0 && sd_journal_next(journal) > 0 &&
           sd_journal_test_cursor(journal, from->cursor) > 0;
}

/* The last line that was told, by our own lines behind the mark's entry, or by our log's file: a
 * kill may have come between a line and its place. */
static uint64_t find_told(sd_journal *journal, const struct marks *from)
{
    struct mark mark;
    uint64_t told = 0;

    for (size_t i = 0; i < from->ntold; i++)
        if (from->told[i].file == 0)
            told = from->told[i].offset;
    for (unsigned i = 0; i < TOLD_MAX && sd_journal_next(journal) > 0; i++) {
        struct span message;

        if (!span_equals(field(journal, "SYSLOG_IDENTIFIER", WORD_MAX_LENGTH), "sluice-feedback"))
            continue;
        message = field(journal, "MESSAGE", LINE_MAX_LENGTH);
        if (place_told(message.start, message.length, &mark) && mark.file == 0)
            told = mark.offset;
    }
    return told;
}

/* How many entries behind the mark's that one is; 0: it is none of them. */
static uint64_t count_to(sd_journal *journal, uint64_t told)
{
    for (uint64_t i = 1; i <= TOLD_MAX && sd_journal_next(journal) > 0; i++)
        if (read_cursor(journal, NULL) == told)
            return i;
    return 0;
}

/* Behind the mark; what was read last is read again, for who sent which message. */
static void seek_behind(struct journal *journal, const struct marks *from)
{
    const struct mark *kept = &from->kept;
    uint64_t told, behind = 0;
    int before;

    journal->known_last = kept->offset;
    if (!seek_mark(journal->journal, kept)) {
        (void)sd_journal_seek_cursor(journal->journal, kept->cursor);
        return;
    }
    told = find_told(journal->journal, from);
    if (told != 0 && told != kept->offset && seek_mark(journal->journal, kept))
        behind = count_to(journal->journal, told);
    if (behind > 0)
        journal->known_last = told;
    (void)seek_mark(journal->journal, kept);
    before = sd_journal_previous_skip(journal->journal, KNOWN_MAX);
    journal->known = (before > 0 ? (uint64_t)before : 0) + behind;
}

/* Without a mark, as far back as is to be read. */
static int seek(struct journal *journal, const struct marks *from, int64_t first_read_sec)
{
    const uint64_t now_us = (uint64_t)clock_now_us(&clock_wall);

    if (from == NULL || from->kept.cursor[0] == '\0')
        return sd_journal_seek_realtime_usec(journal->journal,
                                             now_us - (uint64_t)first_read_sec * US_PER_SEC);
    seek_behind(journal, from);
    return 0;
}

const struct source_kind *source_journal_open(struct loop *loop, const char *name,
                                              const struct marks *from, int64_t first_read_sec,
                                              void (*wake)(void *context), void *context,
                                              void **state_r, char **problem_r)
{
    static const struct source_kind kind = {
        .next = next, .is_known = is_known, .mark = mark, .problem = problem, .free = release};
    const char *folder = strchr(name, ':');
    struct journal *journal = mem_new(1, sizeof(*journal));
    int result = folder != NULL ? sd_journal_open_directory(&journal->journal, folder + 1, 0)
                                : sd_journal_open(&journal->journal, SD_JOURNAL_LOCAL_ONLY);

    journal->wake = wake;
    journal->context = context;
    if (result >= 0)
        result = sd_journal_add_match(journal->journal, "SYSLOG_FACILITY=2", 0);
    if (result >= 0)
        result = seek(journal, from, first_read_sec);
    /* This also has new files noticed. */
    if (result >= 0)
        result = sd_journal_get_fd(journal->journal);
    if (result < 0) {
        *problem_r = mem_print("cannot read the journal%s%s: %s", folder != NULL ? " in " : "",
                               folder != NULL ? folder + 1 : "", strerror(-result));
        sd_journal_close(journal->journal);
        free(journal);
        return NULL;
    }
    journal->look = loop_timer_new(loop, on_look, journal);
    loop_timer_start(journal->look, LOOK_MS);
    *state_r = journal;
    return &kind;
}
