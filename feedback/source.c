/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/source.h"

#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct source {
    const struct source_kind *kind;
    void *state;
    char *name;
};

struct source *source_open(struct loop *loop, const char *name, const struct marks *from,
                           int64_t first_read_sec, void (*wake)(void *context), void *context,
                           char **problem_r)
{
    const struct source_kind *kind;
    struct source *source;
    void *state = NULL;

    if (strcmp(name, "stdin") == 0)
        kind = source_stdin_open(loop, wake, context, &state, problem_r);
    else if (strncmp(name, "journal", strlen("journal")) == 0)
        kind =
            source_journal_open(loop, name, from, first_read_sec, wake, context, &state, problem_r);
    else
        kind = source_file_open(loop, name, from, first_read_sec, wake, context, &state, problem_r);
    if (kind == NULL)
        return NULL;
    source = mem_new(1, sizeof(*source));
    *source = (struct source){.kind = kind, .state = state, .name = mem_copy(name)};
    return source;
}

void source_free(struct source **source)
{
    if (*source == NULL)
        return;
    (*source)->kind->free((*source)->state);
    free((*source)->name);
    free(*source);
    *source = NULL;
}

enum source_result source_next(struct source *source, struct span *line_r)
{
    return source->kind->next(source->state, line_r);
}

bool source_is_known(const struct source *source)
{
    return source->kind->is_known != NULL && source->kind->is_known(source->state);
}

bool source_mark(struct source *source, struct mark *mark_r)
{
    if (source->kind->mark == NULL)
        return false;
    *mark_r = (struct mark){.file = 0};
    source->kind->mark(source->state, mark_r);
    return true;
}

int source_problem(const struct source *source)
{
    return source->kind->problem != NULL ? source->kind->problem(source->state) : 0;
}

const char *source_name(const struct source *source)
{
    return source->name;
}
