/* SPDX-License-Identifier: BSD-2-Clause */
/* The catalogue of causes. */
#include "lib/causes/causes.h"

#include <stdio.h>
#include <string.h>

static const struct cause catalogue[CAUSE_COUNT] = {
#define CAUSE(symbol, name, ...) [CAUSE_##symbol] = {.id = (name), __VA_ARGS__},
#include "lib/base/count.h"
#include "lib/causes/catalogue.def"
#undef CAUSE
};

static const char *const ids[CAUSE_COUNT] = {
#define CAUSE(symbol, name, ...) [CAUSE_##symbol] = (name),
#include "lib/causes/catalogue.def"
#undef CAUSE
};

const struct cause_group cause_groups[] = {
    {"limit", "sending limits"},
    {"account", "who is sending"},
    {"config", "a client or a server that is set up wrongly"},
    {"dns", "what the world sees of the domains"},
    {"reputation", "blocklists"},
    {"content", "the message itself"},
    {"recipient", "the recipient"},
    {"destination", "the servers that the mail goes to"},
    {"self", "Sluice's own health"},
};
const size_t cause_group_count = COUNT_OF(cause_groups);

static const char *const severities[] = {
    [SEVERITY_INFO] = "info",
    [SEVERITY_WARN] = "warn",
    [SEVERITY_ERROR] = "error",
};

static const char *const actions[] = {
    [ACTION_IGNORE] = "ignore", [ACTION_LOG] = "log",     [ACTION_WARN] = "warn",
    [ACTION_HOLD] = "hold",     [ACTION_DEFER] = "defer", [ACTION_REJECT] = "reject",
};
_Static_assert(COUNT_OF(actions) == ACTION_COUNT, "an action without a name");

const struct cause *cause_get(enum cause_id id)
{
    return &catalogue[id];
}

const struct cause *cause_find(const char *id)
{
    for (size_t i = 0; i < CAUSE_COUNT; i++)
        if (strcmp(catalogue[i].id, id) == 0)
            return &catalogue[i];
    return NULL;
}

const char *const *cause_ids(void)
{
    return ids;
}

bool cause_is_in(const struct cause *cause, const char *group)
{
    size_t length = strlen(group);

    return strncmp(cause->id, group, length) == 0 && cause->id[length] == '.';
}

const char *severity_name(enum severity severity)
{
    return severities[severity];
}

const char *action_name(enum action action)
{
    return actions[action];
}

bool action_parse(const char *name, enum action *action_r)
{
    for (int i = 0; i < ACTION_COUNT; i++)
        if (strcmp(actions[i], name) == 0) {
            *action_r = (enum action)i;
            return true;
        }
    return false;
}

const char *const *action_names(void)
{
    return actions;
}

/* 452 and 552 are one meaning: no room (RFC 5321 section 4.2.3).  The other codes have no twin,
 * and the general refusal of their class stands in. */
static unsigned code_of_class(unsigned code, unsigned class)
{
    if (code / 100 == class)
        return code;
    return class * 100 + (code % 100 == 52 ? 52 : 50);
}

void cause_reply(const struct cause *cause, enum action action, unsigned *code_r,
                 char enhanced_r[CAUSE_ENHANCED_SIZE])
{
    bool refuses = action == ACTION_DEFER || action == ACTION_REJECT;
    unsigned class = action == ACTION_DEFER    ? 4
                     : action == ACTION_REJECT ? 5
                                               : cause->reply_code / 100;
    const char *enhanced = cause->enhanced;

    if (cause->reply_code == 0 && !refuses) {
        *code_r = 0;
        enhanced_r[0] = '\0';
        return;
    }
    if (enhanced == NULL)
        enhanced = "5.7.1";
    *code_r = code_of_class(cause->reply_code, class);
    (void)snprintf(enhanced_r, CAUSE_ENHANCED_SIZE, "%u%s", class, enhanced + 1);
}
