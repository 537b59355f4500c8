/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading a configuration: defaults, files and overrides, one text after the other. */
#include "lib/base/mem.h"
#include "lib/conf/overrides.h"
#include "lib/conf/print.h"
#include "lib/conf/private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The defaults as statements, so that += adds to them and they are read as everything else is. */
static void add_defaults(struct source *source, struct problems *problems)
{
    const struct conf_place place = {conf_defaults_place, 0};
    struct text text = TEXT_EMPTY;

    for (size_t i = 0; i < schema_option_count; i++) {
        const struct conf_option *option = &schema_options[i];

        if (option->section != SECTION_ROOT)
            continue;
        text_print(&text, "%s = ", option->name);
        if (option->list)
            text_print(&text, "{%s}", option->fallback);
        else
            print_quoted(&text, option->fallback);
        text_add_char(&text, '\n');
    }
    text_add_string(&text, schema_default_limits);
    scan_text(source, problems, place, false, text_string(&text), text.length);
    text_free(&text);
}

/* The limits that are built in make way for the first one that is written. */
static void drop_default_limits(struct raw_section *root)
{
    bool written = false;

    for (size_t i = 0; i < root->nchildren; i++)
        written = written || (root->children[i].kind == SECTION_LIMIT &&
                              root->children[i].place.file != conf_defaults_place &&
                              root->children[i].place.file != conf_command_line);
    for (size_t i = root->nchildren; written && i > 0; i--)
        if (root->children[i - 1].place.file == conf_defaults_place)
            raw_remove_child(root, i - 1);
}

static void find_hostname(struct load *load)
{
    const struct conf_place place = {conf_defaults_place, 0};
    const struct conf_option *option = schema_option(SECTION_ROOT, "hostname");

    if (load->conf->hostname == NULL || load->conf->hostname[0] != '\0')
        return;
    free(load->conf->hostname);
    load->conf->hostname = hostname_find();
    raw_set(&load->kept->root, option, load->conf->hostname, &place);
}

static void index_local_domains(struct load *load)
{
    const struct strings *domains = &load->conf->local_domains;

    load->kept->local_domains = map_new();
    for (size_t i = 0; i < domains->count; i++)
        map_put(load->kept->local_domains, domains->items[i], strlen(domains->items[i]),
                domains->items[i]);
}

/* From a source that has everything.  The conf is complete where no problem was found. */
static void finish(struct load *load, struct source *source)
{
    struct raw_section *root = &load->kept->root;
    bool parsed;

    if (source->broken)
        return;
    parsed = raw_parse(source, load->problems, root);
    root->place = (struct conf_place){conf_defaults_place, 0};
    drop_default_limits(root);
    overrides_merge(root, load->problems);
    sections_read(load);
    /* Where reading stopped early, what seems to be missing may stand behind. */
    if (parsed)
        sections_check(load);
    find_hostname(load);
    index_local_domains(load);
    classes_inherit(load);
    classes_index(load->conf, &load->kept->classes);
}

/* Reads path, or text where path is NULL. */
static struct conf *load_all(const char *path, const char *name, const char *text, size_t length,
                             struct problems *problems, const struct conf_words *words)
{
    static atomic_uint_fast64_t numbers;
    struct load load = {.problems = problems, .words = words};
    struct source source = {.broken = false};

    load.conf = mem_new(1, sizeof(*load.conf));
    load.kept = mem_new(1, sizeof(*load.kept));
    load.conf->number = atomic_fetch_add(&numbers, 1) + 1;
    load.conf->private_ = load.kept;
    atomic_init(&load.kept->references, 1);
    add_defaults(&source, problems);
    if (path != NULL) {
        scan_file(&source, problems, path);
    } else if (text != NULL) {
        struct conf_place place = {NULL, 1};

        strings_add(&source.files, name);
        place.file = source.files.items[0];
        scan_text(&source, problems, place, true, text, length);
    }
    if (!source.broken && !source.lost)
        overrides_add(&source, problems);
    finish(&load, &source);
    load.kept->files = source.files;
    memset(&source.files, 0, sizeof(source.files));
    source_clear(&source);
    if (problems->count > 0)
        conf_release(&load.conf);
    return load.conf;
}

static void give_problems(struct problems *problems, const struct conf *conf, char **problems_r)
{
    if (problems->count > PROBLEMS_MAX)
        text_print(&problems->text, "and %zu more\n", problems->count - PROBLEMS_MAX);
    if (conf == NULL)
        *problems_r = text_take(&problems->text);
    else
        text_free(&problems->text);
}

struct conf *conf_load(const char *path, const char *const *overrides, size_t noverrides,
                       const struct conf_words *words, char **problems_r)
{
    struct problems problems = {.overrides = overrides, .noverrides = noverrides};
    struct conf *conf;

    if (path == NULL && (access(SLUICE_CONF_FILE, F_OK) == 0 || errno != ENOENT))
        path = SLUICE_CONF_FILE;
    conf = load_all(path, SLUICE_CONF_FILE, NULL, 0, &problems, words);
    give_problems(&problems, conf, problems_r);
    return conf;
}

struct conf *conf_load_text(const char *name, const char *text, size_t length,
                            const char *const *overrides, size_t noverrides,
                            const struct conf_words *words, char **problems_r)
{
    struct problems problems = {.overrides = overrides, .noverrides = noverrides};
    struct conf *conf = load_all(NULL, name, text, length, &problems, words);

    give_problems(&problems, conf, problems_r);
    return conf;
}
