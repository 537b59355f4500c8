/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/follower.h"

#include "feedback/accuse.h"
#include "feedback/delivery.h"
#include "feedback/learn.h"
#include "feedback/logins.h"
#include "feedback/notice.h"
#include "feedback/place.h"
#include "feedback/result.h"
#include "feedback/source.h"

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 1024 /* results whose answer is to come, one line's recipients aside */
#define TURN_LINES 2000 /* of one log, before others have their turn */
#define SYNC_MS 1000
#define MINUTE_MS 60000

/* A result that waits for the store, or for those before it. */
struct waiting {
    struct follower *follower;
    struct result *result;
    struct learned learned;
    bool answered;
    struct waiting *next;
};

/* Those recipients of the first line that were told before a kill: see struct marks. */
struct part {
    uint64_t told[MARKS_PART_MAX];
    size_t count;
};

struct follower {
    struct services *services;
    struct conf_slot *conf;
    struct rules *rules;
    struct classify_scratch *scratch;
    struct mails *mails;
    struct logins *logins;
    struct summary *summary;
    struct source **sources; /* NULL: came to its end */
    struct place **places;
    struct part *parts; /* of each, what of the next line was told */
    int *problems; /* of each, as they were told: errno, or 0 */
    size_t count, running;
    struct waiting *first, **last;
    size_t nwaiting;
    uint64_t lines; /* read so far */
    struct loop_timer *turn, *sync, *minute;
    bool draining, told_ended;
    void (*ended)(void *context);
    void *context;
};

/* --- done ----------------------------------------------------------------------------------- */

static void check_end(struct follower *follower)
{
    if (follower->told_ended || follower->first != NULL || logins_open(follower->logins) > 0 ||
        !(follower->draining || follower->running == 0))
        return;
    follower->told_ended = true;
    follower->ended(follower->context);
}

static void finish(struct follower *follower, struct waiting *waiting)
{
    struct result *result = waiting->result;
    struct place *place = follower->places[result->source];

    struct conf *conf = conf_slot_get(follower->conf);

    if (!result->told) {
        delivery_report(follower->services->log, result, &waiting->learned);
        notice_delivery(follower->services, conf, result);
        summary_add(follower->summary, result);
    }
    conf_release(&conf);
    if (mark_is_set(&result->mark))
        place_set(place, &result->mark);
    result_free(&waiting->result);
    free(waiting);
}

/* Those at the head that are answered; the order of the log is that of our lines. */
static void finish_answered(struct follower *follower)
{
    while (follower->first != NULL && follower->first->answered) {
        struct waiting *waiting = follower->first;

        follower->first = waiting->next;
        if (follower->first == NULL)
            follower->last = &follower->first;
        follower->nwaiting--;
        finish(follower, waiting);
    }
    if (follower->nwaiting < WAITING_MAX / 2)
        loop_timer_start(follower->turn, 0);
}

static void answered(const struct learned *learned, void *context)
{
    struct waiting *waiting = context;

    if (waiting->follower == NULL) {
        result_free(&waiting->result);
        free(waiting);
        return;
    }
    waiting->learned = *learned;
    waiting->answered = true;
    finish_answered(waiting->follower);
}

/* --- one line ------------------------------------------------------------------------------- */

static void wait_for(struct follower *follower, struct result *result)
{
    struct waiting *waiting = mem_new(1, sizeof(*waiting));
    struct conf *conf = conf_slot_get(follower->conf);

    *waiting = (struct waiting){.follower = follower, .result = result};
    *follower->last = waiting;
    follower->last = &waiting->next;
    follower->nwaiting++;
    accuse_delivery(follower->services, conf, result);
    learn_result(follower->services->store, conf, result, answered, waiting);
    conf_release(&conf);
}

static uint64_t fingerprint_of(const struct line *line, uint64_t place)
{
    const struct span time = line->fields[FIELD_TIME];
    const struct span body = line->fields[FIELD_BODY];
    uint64_t hash = hash_stable(time.start, time.length);

    hash = hash_stable_more(hash, body.start, body.length);
    return hash_stable_more(hash, &place, sizeof(place));
}

static void see_login(struct follower *follower, const struct line *line, uint64_t fingerprint)
{
    struct conf *conf = conf_slot_get(follower->conf);
    struct classification classification;

    classify_line(follower->rules, follower->scratch, line, &classification);
    logins_see(follower->logins, conf, line, &classification, fingerprint);
    conf_release(&conf);
}

static bool was_told(const struct part *part, const struct result *result)
{
    const uint64_t hash = mark_part(result->queue_id, result->recipient);

    for (size_t i = 0; i < part->count; i++)
        if (part->told[i] == hash)
            return true;
    return false;
}

/* Of several results of one line the last one's is the place behind it. */
static void see_results(struct follower *follower, size_t index, struct result **results,
                        size_t count, const struct mark *mark)
{
    for (size_t i = 0; i < count; i++) {
        results[i]->source = index;
        if (i + 1 == count)
            results[i]->mark = *mark;
        else
            results[i]->told = was_told(&follower->parts[index], results[i]);
        wait_for(follower, results[i]);
    }
    if (count > 0)
        follower->parts[index].count = 0;
}

static void see_line(struct follower *follower, size_t index, struct span text)
{
    struct source *source = follower->sources[index];
    struct result *results[RESULTS_MAX];
    struct mark mark = {.file = 0};
    bool known = source_is_known(source);
    bool marked = source_mark(source, &mark);
    uint64_t fingerprint;
    struct line line;
    size_t count;

    follower->lines++;
    (void)line_parse(text.start, text.length, &line);
    mails_see(follower->mails, &line);
    fingerprint = fingerprint_of(&line, marked ? mark.offset : follower->lines);
    count = result_read(follower->rules, follower->scratch, follower->mails, &line,
                        clock_now_us(&clock_wall), fingerprint, results);
    if (known) {
        for (size_t i = 0; i < count; i++)
            result_free(&results[i]);
        return;
    }
    see_results(follower, index, results, count, &mark);
    if (line.kind == LINE_LOGIN)
        see_login(follower, &line, fingerprint);
    if (marked && follower->first == NULL && logins_open(follower->logins) == 0)
        place_later(follower->places[index], &mark);
}

/* --- turns ---------------------------------------------------------------------------------- */

/* true: there is more. */
static bool read_lines(struct follower *follower, size_t index)
{
    for (unsigned i = 0; i < TURN_LINES; i++) {
        struct span text;

        if (follower->nwaiting >= WAITING_MAX)
            return false;
        switch (source_next(follower->sources[index], &text)) {
        case SOURCE_LINE:
            see_line(follower, index, text);
            break;
        case SOURCE_NOTHING:
            return false;
        case SOURCE_END:
            source_free(&follower->sources[index]);
            follower->running--;
            return false;
        }
    }
    return true;
}

static void on_turn(void *context)
{
    struct follower *follower = context;
    bool more = false;

    for (size_t i = 0; i < follower->count && !follower->draining; i++)
        if (follower->sources[i] != NULL && read_lines(follower, i))
            more = true;
    if (more)
        loop_timer_start(follower->turn, 0);
    check_end(follower);
}

static void on_wake(void *context)
{
    struct follower *follower = context;

    loop_timer_start(follower->turn, 0);
}

/* Once when it begins, and once when it is over. */
static void report_problem(struct follower *follower, size_t index)
{
    const struct source *source = follower->sources[index];
    const int unwritten = place_problem(follower->places[index]);
    const int problem = unwritten != 0 ? unwritten : source != NULL ? source_problem(source) : 0;
    struct log_event event;

    if (problem == follower->problems[index])
        return;
    follower->problems[index] = problem;
    log_begin(&event, follower->services->log, problem != 0 ? LOG_WARNING : LOG_NOTICE, NULL,
              "mail-log");
    log_string(&event, "log", source != NULL ? source_name(source) : "stdin");
    log_string(&event, "state", problem != 0 ? "trouble" : "reading");
    if (problem != 0) {
        log_print(&event, "problem", "%s: %s",
                  unwritten != 0 ? "cannot keep the place" : "cannot read it", strerror(problem));
        log_string(&event, "hint",
                   unwritten != 0 ? "make room in state-directory, or after a restart lines are "
                                    "told again"
                                  : "it is tried again all the time; see that it is where mail-log "
                                    "says, and that the user of sluice-feedback may read it");
    }
    log_write(&event);
}

static void on_sync(void *context)
{
    struct follower *follower = context;

    for (size_t i = 0; i < follower->count; i++) {
        place_sync(follower->places[i]);
        report_problem(follower, i);
    }
    loop_timer_start(follower->sync, SYNC_MS);
    check_end(follower);
}

static void on_minute(void *context)
{
    struct follower *follower = context;
    struct conf *conf = conf_slot_get(follower->conf);

    summary_report(follower->summary, follower->services->log, conf->delivery_summary);
    conf_release(&conf);
    loop_timer_start(follower->minute, MINUTE_MS);
}

/* --- beginning and end ---------------------------------------------------------------------- */

static bool open_log(struct follower *follower, const struct conf *conf, const char *name,
                     char **problem_r)
{
    static const char file[] = "file:";
    /* By syslog our lines come into the log that is followed. */
    const char *own = strncmp(conf->log, file, strlen(file)) == 0 ? conf->log + strlen(file)
                      : *name == '/'                              ? name
                                                                  : NULL;
    const size_t index = follower->count;
    struct marks marks;

    follower->places[index] = place_open(conf->state_directory, name, own, &marks, problem_r);
    if (follower->places[index] == NULL)
        return false;
    memcpy(follower->parts[index].told, marks.part, sizeof(marks.part));
    follower->parts[index].count = marks.npart;
    follower->count++;
    follower->sources[index] =
        source_open(follower->services->loop, name, &marks, conf->feedback_first_read_ms / 1000,
                    on_wake, follower, problem_r);
    if (follower->sources[index] == NULL)
        return false;
    follower->running++;
    return true;
}

static struct loop_timer *timer(struct follower *follower, void (*call)(void *context), int64_t ms)
{
    struct loop_timer *made = loop_timer_new(follower->services->loop, call, follower);

    loop_timer_start(made, ms);
    return made;
}

struct follower *follower_new(struct services *services, struct conf_slot *slot,
                              struct rules *rules, void (*ended)(void *context), void *context,
                              char **problem_r)
{
    struct follower *follower = mem_new(1, sizeof(*follower));
    struct conf *conf = conf_slot_get(slot);
    bool opened = true;

    *follower = (struct follower){
        .services = services,
        .conf = slot,
        .mails = mails_new(),
        .logins = logins_new(services),
        .summary = summary_new(),
        .sources = mem_new(conf->mail_log.count + 1, sizeof(struct source *)),
        .places = mem_new(conf->mail_log.count + 1, sizeof(struct place *)),
        .parts = mem_new(conf->mail_log.count + 1, sizeof(struct part)),
        .problems = mem_new(conf->mail_log.count + 1, sizeof(int)),
        .ended = ended,
        .context = context,
    };
    follower->last = &follower->first;
    follower->turn = timer(follower, on_turn, 0);
    follower->sync = timer(follower, on_sync, SYNC_MS);
    follower->minute = timer(follower, on_minute, MINUTE_MS);
    for (size_t i = 0; i < conf->mail_log.count && opened; i++)
        opened = open_log(follower, conf, conf->mail_log.items[i], problem_r);
    conf_release(&conf);
    if (!opened) {
        follower_free(&follower);
        return NULL;
    }
    follower_set_rules(follower, rules);
    return follower;
}

void follower_set_rules(struct follower *follower, struct rules *rules)
{
    classify_scratch_free(&follower->scratch);
    rules_free(&follower->rules);
    follower->rules = rules;
    follower->scratch = classify_scratch_new(rules);
}

void follower_drain(struct follower *follower)
{
    follower->draining = true;
    check_end(follower);
}

/* What still waits is not done, and is read again by the next process; its answers find nobody. */
static void leave_waiting(struct follower *follower)
{
    while (follower->first != NULL) {
        struct waiting *waiting = follower->first;

        follower->first = waiting->next;
        waiting->follower = NULL;
        if (waiting->answered)
            answered(&waiting->learned, waiting);
    }
}

void follower_free(struct follower **follower_p)
{
    struct follower *follower = *follower_p;

    on_minute(follower);
    leave_waiting(follower);
    for (size_t i = 0; i < follower->count; i++) {
        source_free(&follower->sources[i]);
        place_free(&follower->places[i]);
    }
    free(follower->sources);
    free(follower->places);
    free(follower->parts);
    free(follower->problems);
    loop_timer_free(&follower->turn);
    loop_timer_free(&follower->sync);
    loop_timer_free(&follower->minute);
    classify_scratch_free(&follower->scratch);
    rules_free(&follower->rules);
    summary_free(&follower->summary);
    logins_free(&follower->logins);
    mails_free(&follower->mails);
    free(follower);
    *follower_p = NULL;
}
