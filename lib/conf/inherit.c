/* SPDX-License-Identifier: BSD-2-Clause */
/* What classes inherit from each other. */
#include "lib/base/mem.h"
#include "lib/conf/private.h"

#include <stdlib.h>

enum state { UNTOUCHED, OPEN, DONE };

static void unknown_class(struct load *load, const struct conf_class *class, const char *name)
{
    const struct conf *conf = load->conf;
    const char **names = mem_new(conf->nclasses + 1, sizeof(*names));
    struct text text = TEXT_EMPTY;
    size_t count = 0;

    for (size_t i = 0; i < conf->nclasses; i++)
        if (&conf->classes[i] != class)
            names[count++] = conf->classes[i].name;
    problem_quote(&text, name);
    problem_suggest_of(&text, name, names, count);
    problem_add(load->problems, &class->place, "class %s: inherits: there is no class %s",
                class->name, text_string(&text));
    text_free(&text);
    free(names);
}

/* The heir's own and those that came before stay. */
static void hand_down(struct conf_class *heir, const struct conf_class *parent)
{
    for (size_t i = 0; i < parent->nlimits; i++) {
        bool has = parent->limits[i].limit == NULL;

        for (size_t j = 0; j < heir->nlimits && !has; j++)
            has = heir->limits[j].limit == parent->limits[i].limit;
        if (has)
            continue;
        heir->limits = mem_grow(heir->limits, heir->nlimits + 1, sizeof(*heir->limits));
        heir->limits[heir->nlimits++] = parent->limits[i];
    }
}

/* Parents first, so that they have theirs to hand down. */
static void inherit(struct load *load, enum state *states, size_t index)
{
    struct conf *conf = load->conf;
    struct conf_class *class = &conf->classes[index];

    states[index] = OPEN;
    for (size_t i = 0; i < class->inherits.count; i++) {
        const char *name = class->inherits.items[i];
        const struct conf_class *parent = conf_class(conf, name);
        size_t at = parent != NULL ? (size_t)(parent - conf->classes) : 0;

        if (parent == NULL) {
            unknown_class(load, class, name);
            continue;
        }
        if (states[at] == OPEN) {
            problem_add(load->problems, &class->place,
                        "class %s: it inherits from itself, by way of %s: expected no circle",
                        class->name, name);
            continue;
        }
        if (states[at] == UNTOUCHED)
            inherit(load, states, at);
        hand_down(class, parent);
    }
    states[index] = DONE;
}

void classes_inherit(struct load *load)
{
    enum state *states = mem_new(load->conf->nclasses + 1, sizeof(*states));

    for (size_t i = 0; i < load->conf->nclasses; i++)
        if (states[i] == UNTOUCHED)
            inherit(load, states, i);
    free(states);
}
