/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/daemon/spf_engine_log.h"

static void log_state(const struct spf_engine_event *happened, struct log *log)
{
    const bool down = happened->happening == SPF_ENGINE_DOWN;
    struct log_event event;

    log_begin(&event, log, down ? LOG_WARNING : LOG_NOTICE, NULL, "spf-engine");
    log_string(&event, "state", down ? "down" : "up");
    log_string(&event, "problem", happened->problem);
    log_string(&event, "hint",
               down ? "our own result of SPF stands; libspf2 is started anew with the next message"
                    : "nothing to do: libspf2 is asked again");
    log_write(&event);
}

static void log_difference(const struct spf_engine_event *happened, struct log *log)
{
    const struct spf_question *question = happened->question;
    const struct spf_opinion *opinion = happened->opinion;
    char ip[IP_TEXT_MAX];
    struct log_event event;

    ip_format(question->client, ip);
    log_begin(&event, log, LOG_NOTICE, NULL, "spf-engine");
    log_string(&event, "state", "differs");
    log_string(&event, "domain", question->domain);
    log_string(&event, "ip", ip);
    log_string(&event, "own", spf_status_name(question->own));
    log_string(&event, "libspf2", spf_status_name(opinion->said));
    log_string(&event, "stands", spf_status_name(opinion->stands));
    log_string(&event, "mechanism", question->mechanism);
    log_write(&event);
}

void spf_engine_log(const struct spf_engine_event *event, void *log)
{
    if (event->happening == SPF_ENGINE_DIFFERS)
        log_difference(event, log);
    else
        log_state(event, log);
}
