/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs of sluicectl share. */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool ctl_load(struct ctl *ctl)
{
    char *problems = NULL;

    if (ctl->conf == NULL)
        ctl->conf = options_load(&ctl->options, &problems);
    if (ctl->conf == NULL)
        fputs(problems, stderr);
    free(problems);
    return ctl->conf != NULL;
}

static void complain(const char *format, va_list arguments)
{
    fputs("sluicectl: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void ctl_complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain(format, arguments);
    va_end(arguments);
}

int ctl_usage(const char *verb, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain(format, arguments);
    va_end(arguments);
    ctl_complain("try sluicectl %s --help", verb);
    return EX_USAGE;
}

int ctl_parse(int argc, char **argv, int most, bool *json_r)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    int c;

    *json_r = false;
    while ((c = getopt_long(argc, argv, "j", longs, NULL)) != -1) {
        if (c != 'j') {
            ctl_complain("try sluicectl %s --help", argv[0]);
            return EX_USAGE;
        }
        *json_r = true;
    }
    if (argc - optind > most)
        return ctl_usage(argv[0], "unexpected argument \"%s\"", argv[optind + most]);
    return -1;
}

void ctl_print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(1));
    fputc('\n', stdout);
    json_decref(value);
}
