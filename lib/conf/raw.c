/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Having libConfuse parse.
 *
 * Every option is a list of strings to libConfuse, so that it accepts any value and our own types
 * can say what is wrong with it and where: the callbacks put the line before each value.
 */
#include "lib/conf/raw.h"

#include "lib/base/mem.h"

#include <confuse.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_OPTION                                                                               \
    " " /* no name in a file can be this: it takes the line where a section begins */
#define PLACE_MARK '\001' /* between a line number and the value */

/* The parse that is going on.  libConfuse's lexer is global, and its callbacks have no argument of
 * ours. */
struct parse {
    const struct source *source;
    struct problems *problems;
    struct raw_section *root;
    struct raw_section pending; /* the children of a section that has not ended */
    struct text value;
};
static pthread_mutex_t parse_lock = PTHREAD_MUTEX_INITIALIZER;
static struct parse *current;

static struct conf_place place_of_line(long line)
{
    static const struct conf_place nowhere = {conf_defaults_place, 0};
    const struct source *source = current->source;

    if (source->nlines == 0)
        return nowhere;
    if (line < 1)
        line = 1;
    if ((size_t)line > source->nlines)
        line = (long)source->nlines;
    return source->lines[line - 1];
}

/* cfg_callback_t: keeps the value's line with it. */
static int keep_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    const char **string = result;

    (void)opt;
    text_clear(&current->value);
    text_print(&current->value, "%d%c%s", cfg->line, PLACE_MARK, value);
    *string = text_string(&current->value);
    return 0;
}

/* cfg_errfunc_t */
static void keep_error(cfg_t *cfg, const char *format, va_list arguments)
{
    struct conf_place place = place_of_line(cfg->line);
    struct text what = TEXT_EMPTY;

    /* Told with what was expected in its place. */
    if (current->source->lost)
        return;
    text_vprint(&what, format, arguments);
    problem_add(current->problems, &place, "%s", text_string(&what));
    text_free(&what);
}

static struct raw_value decode(const char *kept)
{
    const char *mark = strchr(kept, PLACE_MARK);
    struct raw_value value;

    value.place = place_of_line(strtol(kept, NULL, 10));
    value.text = mem_copy(mark + 1);
    return value;
}

static void add_child(struct raw_section *section, const struct raw_section *child)
{
    section->children =
        mem_grow(section->children, section->nchildren + 1, sizeof(*section->children));
    section->children[section->nchildren++] = *child;
}

static void add_option(struct raw_section *section, const struct raw_option *option)
{
    section->options = mem_grow(section->options, section->noptions + 1, sizeof(*section->options));
    section->options[section->noptions++] = *option;
}

/* Takes what was set in a section that has ended. */
static void take_options(const cfg_t *cfg, struct raw_section *section)
{
    for (const cfg_opt_t *opt = cfg->opts; opt->name != NULL; opt++) {
        struct raw_option option = {.option = schema_option(section->kind, opt->name)};

        if (option.option == NULL || (opt->flags & CFGF_MODIFIED) == 0)
            continue;
        option.nvalues = opt->nvalues;
        option.values = mem_new(option.nvalues + 1, sizeof(*option.values));
        for (size_t i = 0; i < option.nvalues; i++)
            option.values[i] = decode(opt->values[i]->string);
        add_option(section, &option);
    }
}

/* cfg_validate_callback_t, called where a section ends.  Its values are given back to libConfuse,
 * which would otherwise replace a section by the next one of the same title without a word. */
static int take_section(cfg_t *parent, cfg_opt_t *opt)
{
    struct raw_section section = {.kind = SECTION_COUNT};
    const cfg_t *cfg = opt->values[opt->nvalues - 1]->section;
    enum section_kind outer = SECTION_ROOT;
    const cfg_opt_t *first = cfg->opts;

    if (strcmp(parent->name, "root") != 0)
        outer = schema_section(SECTION_ROOT, parent->name);
    section.kind = schema_section(outer, opt->name);
    section.title = mem_copy(cfg->title);
    while (strcmp(first->name, PLACE_OPTION) != 0)
        first++;
    /* The line of the opening brace; the name stands two tokens before. */
    section.place = place_of_line(strtol(first->values[0]->string, NULL, 10) - 2);
    take_options(cfg, &section);
    if (outer == SECTION_ROOT) {
        section.children = current->pending.children;
        section.nchildren = current->pending.nchildren;
        current->pending.children = NULL;
        current->pending.nchildren = 0;
        add_child(current->root, &section);
    } else {
        add_child(&current->pending, &section);
    }
    cfg_free_value(opt);
    return 0;
}

/* What libConfuse reads as PLACE_OPTION's default, which is how it calls keep_value() where a
 * section begins. */
static char place_default[] = "x";

static void free_options(cfg_opt_t *options)
{
    for (cfg_opt_t *option = options; option->name != NULL; option++)
        if (option->subopts != NULL)
            free_options(option->subopts);
    free(options);
}

/* The schema's section as libConfuse wants it.  The names stay the schema's. */
static cfg_opt_t *make_options(enum section_kind kind)
{
    cfg_opt_t *options = mem_new(schema_option_count + SECTION_COUNT + 2, sizeof(*options));
    cfg_opt_t *option = options;

    *option++ = (cfg_opt_t){.name = PLACE_OPTION,
                            .type = CFGT_STR,
                            .def = {.parsed = place_default},
                            .parsecb = keep_value};
    for (size_t i = 0; i < schema_option_count; i++)
        if (schema_options[i].section == kind)
            *option++ = (cfg_opt_t){.name = schema_options[i].name,
                                    .type = CFGT_STR,
                                    .flags = CFGF_LIST | CFGF_NODEFAULT,
                                    .parsecb = keep_value};
    for (enum section_kind child = SECTION_ROOT + 1; child < SECTION_COUNT; child++)
        if (schema_sections[child].parent == kind)
            *option++ = (cfg_opt_t){.name = schema_sections[child].name,
                                    .type = CFGT_SEC,
                                    .flags = CFGF_MULTI | CFGF_TITLE,
                                    .subopts = make_options(child),
                                    .validcb = take_section};
    return options;
}

static int parse_text(cfg_t *cfg, const struct text *text)
{
    FILE *stream;
    int result;

    if (text->length == 0)
        return CFG_SUCCESS;
    stream = fmemopen(text->bytes, text->length, "r");
    if (stream == NULL)
        return CFG_FILE_ERROR;
    result = cfg_parse_fp(cfg, stream);
    fclose(stream);
    return result;
}

bool raw_parse(const struct source *source, struct problems *problems, struct raw_section *root_r)
{
    struct parse parse = {.source = source, .problems = problems, .root = root_r};
    cfg_opt_t *options = make_options(SECTION_ROOT);
    size_t before = problems->count;
    bool done;
    cfg_t *cfg;

    memset(root_r, 0, sizeof(*root_r));
    pthread_mutex_lock(&parse_lock);
    current = &parse;
    cfg = cfg_init(options, CFGF_NONE);
    if (cfg == NULL)
        abort(); /* out of memory */
    cfg_set_error_function(cfg, keep_error);
    done = parse_text(cfg, &source->text) == CFG_SUCCESS;
    if (!done && problems->count == before && !source->lost) {
        struct conf_place place = place_of_line(cfg->line);

        problem_add(problems, &place, "the syntax is wrong");
    }
    take_options(cfg, root_r);
    cfg_free(cfg);
    raw_clear(&parse.pending);
    text_free(&parse.value);
    current = NULL;
    pthread_mutex_unlock(&parse_lock);
    free_options(options);
    return done;
}

const struct raw_option *raw_find(const struct raw_section *section,
                                  const struct conf_option *option)
{
    for (size_t i = 0; i < section->noptions; i++)
        if (section->options[i].option == option)
            return &section->options[i];
    return NULL;
}

static void clear_option(struct raw_option *option)
{
    for (size_t i = 0; i < option->nvalues; i++)
        free(option->values[i].text);
    free(option->values);
    memset(option, 0, sizeof(*option));
}

/* Puts an option into a section, in the place of what was there. */
static void put_option(struct raw_section *section, const struct raw_option *option)
{
    for (size_t i = 0; i < section->noptions; i++) {
        if (section->options[i].option == option->option) {
            clear_option(&section->options[i]);
            section->options[i] = *option;
            return;
        }
    }
    add_option(section, option);
}

static struct raw_section *find_child(struct raw_section *section, const struct raw_section *like)
{
    for (size_t i = 0; i < section->nchildren; i++) {
        struct raw_section *child = &section->children[i];

        if (child->kind == like->kind && strcmp(child->title, like->title) == 0)
            return child;
    }
    return NULL;
}

void raw_merge(struct raw_section *into, struct raw_section *from)
{
    for (size_t i = 0; i < from->noptions; i++)
        put_option(into, &from->options[i]);
    from->noptions = 0;
    for (size_t i = 0; i < from->nchildren; i++) {
        struct raw_section *child = &from->children[i];
        struct raw_section *same = find_child(into, child);

        /* Sections nest no deeper than the schema has them, and so does this. */
        if (same == NULL)
            add_child(into, child);
        else
            raw_merge(same, child);
    }
    from->nchildren = 0;
    raw_clear(from);
}

void raw_remove_child(struct raw_section *section, size_t index)
{
    raw_clear(&section->children[index]);
    section->nchildren--;
    memmove(&section->children[index], &section->children[index + 1],
            (section->nchildren - index) * sizeof(*section->children));
}

/* A section's options alone. */
static void clear_options(struct raw_section *section)
{
    for (size_t i = 0; i < section->noptions; i++)
        clear_option(&section->options[i]);
    free(section->options);
    free(section->title);
}

void raw_clear(struct raw_section *section)
{
    /* A root has sections that have sections, and there it ends. */
    for (size_t i = 0; i < section->nchildren; i++) {
        struct raw_section *child = &section->children[i];

        for (size_t j = 0; j < child->nchildren; j++)
            clear_options(&child->children[j]);
        free(child->children);
        clear_options(child);
    }
    free(section->children);
    clear_options(section);
    memset(section, 0, sizeof(*section));
}

void raw_set(struct raw_section *section, const struct conf_option *option, const char *value,
             const struct conf_place *place)
{
    struct raw_option raw = {.option = option, .nvalues = 1};

    raw.values = mem_new(1, sizeof(*raw.values));
    raw.values[0].text = mem_copy(value);
    raw.values[0].place = *place;
    put_option(section, &raw);
}
