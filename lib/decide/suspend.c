/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/suspend.h"

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/decide/subjects.h"
#include "lib/decide/suspension.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_WINDOW_MS 60000 /* where a check asks for a suspension, once is enough */

/* One cause of one message, counted for its user. */
struct counting {
    struct services *services;
    const struct cause *cause;
    struct conf_suspend suspend;
    char *user; /* the subject: "user:alice@example.com" */
    char *counter; /* the subject that the cause is counted under */
    char *identity;
    char *queue_id, *by;
    int64_t count;
};

static void counting_free(struct counting *counting)
{
    free(counting->user);
    free(counting->counter);
    free(counting->identity);
    free(counting->queue_id);
    free(counting->by);
    free(counting);
}

static void tell(const struct counting *counting, const struct suspension *suspension)
{
    struct log_event event;
    char *window = conf_duration(counting->suspend.window_ms);

    log_begin(&event, counting->services->log, LOG_WARNING, counting->queue_id, "suspend");
    log_string(&event, "user", strchr(counting->user, ':') + 1);
    suspension_log(&event, suspension);
    log_string(&event, "cause", counting->cause->id);
    log_number(&event, "n", counting->count);
    log_string(&event, "window", window);
    log_print(&event, "hint", "find out what happened, then: sluicectl unsuspend %s",
              strchr(counting->user, ':') + 1);
    log_write(&event);
    free(window);
}

static const char *value_of(const void *note, const char *name)
{
    return store_note_value(note, name);
}

/* By an operator, or since this was begun to be counted: that stands as it is. */
static bool was_suspended(const struct store_answer *answer)
{
    struct suspension suspension;

    return answer->nnotes > 0 &&
           suspension_read(value_of, &answer->notes[0], answer->now_us / 1000000, &suspension);
}

/* What was counted has had its effect: after a release, counting begins anew. */
static void counted(const struct store_answer *answer, void *context)
{
    struct counting *counting = context;
    struct store *store = counting->services->store;
    int64_t now_sec = answer->now_us / 1000000;
    char *reason = mem_print("cause %s", counting->cause->id);
    struct suspension suspension = {.since_sec = now_sec,
                                    .until_sec = now_sec + counting->suspend.life_ms / 1000,
                                    .reason = reason,
                                    .by = counting->by,
                                    .note = ""};

    if (answer->outcome == STORE_OUTCOME_DONE && !answer->known && !was_suspended(answer)) {
        counting->count = answer->limits[0].used;
        if (counting->count >= counting->suspend.after) {
            suspension_set(store, counting->user, &suspension, NULL, NULL);
            store_reset(store, counting->counter, NULL, NULL);
            tell(counting, &suspension);
        }
    }
    free(reason);
    counting_free(counting);
}

static void count(void *context)
{
    struct counting *counting = context;
    const struct store_limit limit = {
        .subject = counting->counter,
        .count = 'm',
        .window_sec = counting->suspend.window_ms / 1000,
        .amount = 1,
        .max = INT64_MAX,
    };
    const struct store_wish flag = {.subject = counting->user, .kind = SUSPENSION_KIND};
    const struct store_request request = {
        .identity = counting->identity,
        .fingerprint = hash_stable(counting->user, strlen(counting->user)),
        .limits = &limit,
        .nlimits = 1,
        .wishes = &flag,
        .nwishes = 1,
    };

    store_charge(counting->services->store, &request, counted, counting);
}

static void start(struct services *services, const struct suspend_found *found,
                  const struct conf_suspend *suspend)
{
    struct counting *counting = mem_new(1, sizeof(*counting));

    counting->services = services;
    counting->cause = found->cause;
    counting->suspend = *suspend;
    counting->user = mem_copy(found->user);
    counting->counter = mem_print("cause:%s/%s", found->cause->id, strchr(found->user, ':') + 1);
    counting->identity = found->identity[0] != '\0'
                             ? mem_print("%s/%s", found->identity, found->cause->id)
                             : mem_copy("");
    counting->queue_id = mem_copy(found->queue_id);
    counting->by = mem_print("%s@%s", found->program, found->hostname);
    loop_post(services->loop, count, counting);
}

static bool is_old(const struct conf_suspend *suspend, int64_t at_us)
{
    return at_us > 0 && (clock_now_us(&clock_wall) - at_us) / 1000 > suspend->window_ms;
}

void suspend_for_cause(struct services *services, const struct conf *conf,
                       const struct suspend_found *found)
{
    const struct conf_suspend *suspend = conf_cause_suspend(conf, found->cause->id);

    if (suspend != NULL && conf_cause_mode(conf, found->cause->id) == MODE_ENFORCE &&
        !is_old(suspend, found->at_us))
        start(services, found, suspend);
}

/* Whether the message's earlier findings are of the same cause. */
static bool is_repeated(const struct findings *findings, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (findings->items[i].cause == findings->items[index].cause)
            return true;
    return false;
}

static bool is_suspended(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].cause == cause_get(CAUSE_ACCOUNT_SUSPENDED))
            return true;
    return false;
}

void suspend_for_findings(struct services *services, const struct conf *conf,
                          const struct message *message)
{
    const struct findings *findings = &message->findings;
    struct text user = TEXT_EMPTY;
    char *identity = message_identity(message);

    if (message->direction != DIRECTION_OUT || is_suspended(findings) ||
        !subjects_name(conf, message, SUBJECT_USER, NULL, &user))
        goto done;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        const struct conf_suspend asked = {finding->suspend_ms, 1, ASKED_WINDOW_MS};
        const struct conf_suspend *suspend =
            finding->suspend_ms > 0 ? &asked : conf_cause_suspend(conf, finding->cause->id);

        if (suspend != NULL && !finding->shadow && finding->action >= (int)ACTION_LOG &&
            conf_cause_mode(conf, finding->cause->id) == MODE_ENFORCE && !is_repeated(findings, i))
            start(services,
                  &(struct suspend_found){
                      .user = text_string(&user),
                      .cause = finding->cause,
                      .identity = identity,
                      .queue_id = message->queue_id,
                      .program =
                          message->program == PROGRAM_POLICY ? "sluice-policyd" : "sluice-milter",
                      .hostname = message->hostname,
                  },
                  suspend);
    }
done:
    free(identity);
    text_free(&user);
}
