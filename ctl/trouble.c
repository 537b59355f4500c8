/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/trouble.h"

#include "lib/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trouble trouble_of(const struct finding *finding)
{
    return (struct trouble){
        .cause = finding->cause,
        .severity =
            finding->severity >= 0 ? (enum severity)finding->severity : finding->cause->severity,
        .hint = finding->hint != NULL ? finding->hint : finding->cause->remedy,
        .fields = finding->fields,
        .nfields = finding->nfields,
    };
}

void trouble_print(const struct trouble *trouble)
{
    struct log_event event;
    char *line;

    log_begin(&event, NULL, LOG_INFO, NULL, "cause");
    log_string(&event, "cause", trouble->cause->id);
    log_string(&event, "severity", severity_name(trouble->severity));
    for (size_t i = 0; i < trouble->nfields; i++)
        log_string(&event, trouble->fields[i].name, trouble->fields[i].value);
    line = log_format(&event, LOG_FORMAT_TEXT);
    printf("  %s\n    hint: %s\n", strstr(line, "cause="), trouble->hint);
    free(line);
}

json_t *trouble_json(const struct trouble *trouble)
{
    json_t *object = json_object();

    json_object_set_new(object, "cause", json_string(trouble->cause->id));
    json_object_set_new(object, "severity", json_string(severity_name(trouble->severity)));
    for (size_t i = 0; i < trouble->nfields; i++)
        json_object_set_new(object, trouble->fields[i].name, json_string(trouble->fields[i].value));
    json_object_set_new(object, "hint", json_string(trouble->hint));
    return object;
}
