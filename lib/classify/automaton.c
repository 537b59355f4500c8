/* SPDX-License-Identifier: BSD-2-Clause */
/* An Aho-Corasick automaton. */
#include "lib/classify/automaton.h"

#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define OCTETS 256
#define ROOT 0
#define NONE UINT32_MAX

/* A string's end: the list of what a state has found. */
struct found {
    uint32_t number;
    uint32_t next; /* index, or NONE */
};

struct automaton {
    uint8_t classes[OCTETS]; /* an octet's column; 0: it is in no string */
    uint32_t nclasses;
    uint32_t nstates;
    uint32_t room;
    uint16_t *next; /* while adding: OCTETS a state, 0 for none; then nclasses a state */
    uint32_t *found; /* of each state: index of struct found, or NONE */
    struct found *list;
    uint32_t nlist;
};

static uint16_t add_state(struct automaton *automaton)
{
    uint32_t state = automaton->nstates++;

    if (state == automaton->room) {
        automaton->room = automaton->room * 2 + 64;
        automaton->next =
            mem_grow(automaton->next, (size_t)automaton->room * OCTETS, sizeof(uint16_t));
        automaton->found = mem_grow(automaton->found, automaton->room, sizeof(uint32_t));
    }
    memset(automaton->next + (size_t)state * OCTETS, 0, OCTETS * sizeof(uint16_t));
    automaton->found[state] = NONE;
    return (uint16_t)state;
}

struct automaton *automaton_new(void)
{
    struct automaton *automaton = mem_new(1, sizeof(*automaton));

    automaton->nclasses = 1;
    (void)add_state(automaton);
    return automaton;
}

void automaton_free(struct automaton **automaton)
{
    if (*automaton == NULL)
        return;
    free((*automaton)->next);
    free((*automaton)->found);
    free((*automaton)->list);
    free(*automaton);
    *automaton = NULL;
}

static void add_found(struct automaton *automaton, uint32_t state, uint32_t number)
{
    automaton->list = mem_grow(automaton->list, automaton->nlist + 1, sizeof(*automaton->list));
    automaton->list[automaton->nlist] = (struct found){number, automaton->found[state]};
    automaton->found[state] = automaton->nlist++;
}

bool automaton_add(struct automaton *automaton, struct span string, uint32_t number)
{
    uint16_t state = ROOT;

    if (automaton->nstates + string.length > AUTOMATON_STATES_MAX)
        return false;
    for (size_t i = 0; i < string.length; i++) {
        uint8_t octet = (uint8_t)string.start[i];
        uint16_t next = automaton->next[(size_t)state * OCTETS + octet];

        if (next == 0) {
            next = add_state(automaton);
            automaton->next[(size_t)state * OCTETS + octet] = next;
        }
        if (automaton->classes[octet] == 0 && automaton->nclasses < OCTETS)
            automaton->classes[octet] = (uint8_t)automaton->nclasses++;
        state = next;
    }
    add_found(automaton, state, number);
    return true;
}

/* What a state has found includes what the state of its longest proper end has found. */
static void inherit(struct automaton *automaton, uint32_t state, uint32_t from)
{
    for (uint32_t i = automaton->found[from]; i != NONE; i = automaton->list[i].next)
        add_found(automaton, state, automaton->list[i].number);
}

/* In the order of their depth: each state gets the transitions that it lacks from its fall-back. */
static void complete(struct automaton *automaton, uint16_t *fallback, uint16_t *queue)
{
    size_t head = 0;
    size_t tail = 0;

    queue[tail++] = ROOT;
    while (head < tail) {
        uint16_t state = queue[head++];

        for (size_t octet = 0; octet < OCTETS; octet++) {
            uint16_t *next = &automaton->next[(size_t)state * OCTETS + octet];
            uint16_t other =
                state == ROOT ? ROOT : automaton->next[(size_t)fallback[state] * OCTETS + octet];

            if (*next == 0) {
                *next = other;
                continue;
            }
            fallback[*next] = other;
            inherit(automaton, *next, other);
            queue[tail++] = *next;
        }
    }
}

/* One column per octet that occurs, so that the table stays in the processor's cache. */
static void compress(struct automaton *automaton)
{
    uint16_t *next = mem_new((size_t)automaton->nstates * automaton->nclasses, sizeof(*next));

    for (size_t state = 0; state < automaton->nstates; state++)
        for (size_t octet = 0; octet < OCTETS; octet++)
            if (automaton->classes[octet] != 0)
                next[state * automaton->nclasses + automaton->classes[octet]] =
                    automaton->next[state * OCTETS + octet];
    free(automaton->next);
    automaton->next = next;
}

void automaton_build(struct automaton *automaton)
{
    uint16_t *fallback = mem_new(automaton->nstates, sizeof(*fallback));
    uint16_t *queue = mem_new(automaton->nstates, sizeof(*queue));

    complete(automaton, fallback, queue);
    compress(automaton);
    free(fallback);
    free(queue);
}

void automaton_scan(const struct automaton *automaton, struct span text, uint64_t *marks)
{
    size_t state = ROOT;

    for (size_t i = 0; i < text.length; i++) {
        state =
            automaton
                ->next[state * automaton->nclasses + automaton->classes[(uint8_t)text.start[i]]];
        for (uint32_t at = automaton->found[state]; at != NONE; at = automaton->list[at].next) {
            uint32_t number = automaton->list[at].number;

            marks[number / 64] |= UINT64_C(1) << (number % 64);
        }
    }
}
