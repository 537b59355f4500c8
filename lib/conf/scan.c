/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading configuration text before libConfuse does. */
#include "lib/conf/scan.h"

#include "lib/base/mem.h"
#include "lib/conf/files.h"
#include "lib/conf/preset.h"
#include "lib/conf/schema.h"
#include "lib/conf/tokens.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PHRASE_WORD "after" /* the second of its words */
#define PHRASE_WORDS 5
#define LEVELS_MAX 4 /* deeper than the schema's sections nest */

/* What may come next. */
enum expected {
    EXPECT_NAME,
    EXPECT_ASSIGN,
    EXPECT_VALUE,
    EXPECT_ITEM,
    EXPECT_COMMA,
    EXPECT_TITLE,
    EXPECT_OPEN,
};

/* In words that the name of the option or the section follows. */
static const char *const expected_words[] = {
    [EXPECT_NAME] = "the name of an option or a section",
    [EXPECT_ASSIGN] = "= and a value after",
    [EXPECT_VALUE] = "a value of",
    [EXPECT_ITEM] = "a value or } in the list of",
    [EXPECT_COMMA] = "a comma or } in the list of",
    [EXPECT_TITLE] = "a name behind",
    [EXPECT_OPEN] = "{ and the options of",
};

/* One text that is being read, and the one that includes it. */
struct scan {
    struct source *source;
    struct problems *problems;
    struct tokens tokens;
    enum expected expected;
    struct {
        enum section_kind kind;
        unsigned line; /* where it begins */
    } levels[LEVELS_MAX];
    size_t level;
    enum section_kind opening;
    const char *name; /* of the option or the section that has begun */
    bool phrase; /* the value may be several words */
    const struct scan *parent;
    unsigned depth;
    dev_t device; /* which file this is, to find a cycle */
    ino_t inode;
};

static void scan_run(struct scan *scan);

static void complain(const struct scan *scan, unsigned line, const char *what)
{
    tokens_complain(&scan->tokens, line, what);
    scan->source->broken = true;
}

static struct token scan_token(struct scan *scan)
{
    struct token token = tokens_next(&scan->tokens);

    if (token.type == TOKEN_BAD)
        scan->source->broken = true;
    return token;
}

static void add_expected(const struct scan *scan, struct text *what)
{
    text_print(what, ": expected %s", expected_words[scan->expected]);
    if (scan->expected != EXPECT_NAME)
        text_print(what, " %s", scan->name);
}

/* A token that cannot stand where it does: what follows it has no sense. */
static void unexpected(struct scan *scan, const struct token *token)
{
    const struct conf_place place = {scan->tokens.file, token->line};
    struct text what = TEXT_EMPTY;
    char *word = mem_copy_n(token->bytes, token->length);

    if (scan->expected == EXPECT_NAME && token->type == TOKEN_CLOSE) {
        text_add_string(&what, "this } closes nothing");
    } else {
        text_add_string(&what, "unexpected ");
        problem_quote(&what, word);
    }
    add_expected(scan, &what);
    problem_add(scan->problems, &place, "%s", text_string(&what));
    scan->source->lost = true;
    text_free(&what);
    free(word);
}

/* Hands a token on, on its own line. */
static void emit(struct scan *scan, const struct token *token)
{
    struct source *source = scan->source;

    text_add(&source->text, token->bytes, token->length);
    text_add_char(&source->text, '\n');
    if (source->nlines == source->lines_room) {
        source->lines_room = source->lines_room * 2 + 64;
        source->lines = mem_grow(source->lines, source->lines_room, sizeof(*source->lines));
    }
    source->lines[source->nlines++] = (struct conf_place){scan->tokens.file, token->line};
}

/* Reads on to the token that closes what open has opened. */
static bool skip_to_close(struct scan *scan, enum token_type open, enum token_type close)
{
    unsigned line = scan->tokens.line;
    size_t depth = 1;

    while (depth > 0) {
        struct token token = scan_token(scan);

        if (token.type == TOKEN_BAD)
            return false;
        if (token.type == TOKEN_END) {
            complain(scan, line, "what is opened here is never closed");
            return false;
        }
        if (token.type == open)
            depth++;
        else if (token.type == close)
            depth--;
    }
    return true;
}

/* Reads over a statement whose name is unknown.  false: where it ends cannot be told. */
static bool skip_statement(struct scan *scan, struct token token)
{
    if (token.type == TOKEN_ASSIGN || token.type == TOKEN_APPEND) {
        token = scan_token(scan);
        if (token_is_text(&token))
            return true;
    } else if (token.type == TOKEN_LEFT) {
        return skip_to_close(scan, TOKEN_LEFT, TOKEN_RIGHT);
    } else if (token_is_text(&token)) {
        token = scan_token(scan);
    }
    if (token.type == TOKEN_OPEN)
        return skip_to_close(scan, TOKEN_OPEN, TOKEN_CLOSE);
    return false;
}

static void unknown_name(struct scan *scan, const struct token *name, const char *string)
{
    enum section_kind kind = scan->levels[scan->level].kind;
    const struct conf_option *elsewhere = schema_elsewhere(kind, string);
    struct conf_place place = {scan->tokens.file, name->line};
    struct token next = scan_token(scan);
    bool section = token_is_text(&next) || next.type == TOKEN_OPEN;
    struct text what = TEXT_EMPTY;

    if (next.type == TOKEN_BAD)
        return;
    if (name->type == TOKEN_STRING) {
        problem_add(scan->problems, &place, "%s: expected the name of an option, without quotes",
                    string);
        scan->source->broken = true;
        return;
    }
    problem_quote(&what, string);
    if (kind != SECTION_ROOT)
        text_print(&what, " in a %s section", schema_sections[kind].name);
    if (elsewhere == NULL)
        problem_suggest(&what, schema_nearest(kind, string));
    else if (elsewhere->section == SECTION_ROOT)
        text_add_string(&what, "; it stands outside of sections");
    else
        text_print(&what, "; it stands in a %s section%s", schema_sections[elsewhere->section].name,
                   kind == SECTION_CLASS_LIMIT ? " outside of classes" : "");
    problem_add(scan->problems, &place, "unknown %s %s", section ? "section" : "option",
                text_string(&what));
    text_free(&what);
    if (!skip_statement(scan, next))
        scan->source->broken = true;
}

/* The text of a file, or of a preset. */
static bool read_included(const char *path, struct text *text, struct stat *status, char **name_r,
                          char **problem_r)
{
    if (strncmp(path, PRESET_PREFIX, strlen(PRESET_PREFIX)) == 0)
        return preset_read(path, text, name_r, problem_r);
    *name_r = mem_copy(path);
    return file_read(path, SCAN_FILE_MAX, text, status, problem_r);
}

/* A preset includes nothing, so it is not looked for. */
static bool includes_itself(const struct scan *scan)
{
    for (const struct scan *outer = scan->parent; outer != NULL && scan->inode != 0;
         outer = outer->parent)
        if (outer->inode == scan->inode && outer->device == scan->device)
            return true;
    return false;
}

/* Reads a file into the source, in the place of an include (parent not NULL) or as the first. */
static bool include_file(struct source *source, struct problems *problems, const char *path,
                         const struct scan *parent, const struct conf_place *place)
{
    struct text text = TEXT_EMPTY;
    struct scan scan = {.source = source,
                        .problems = problems,
                        .tokens = {.line = 1, .problems = problems},
                        .parent = parent};
    char *problem = NULL;
    char *name = NULL;
    struct stat status = {.st_ino = 0};
    bool done = false;

    if (!read_included(path, &text, &status, &name, &problem)) {
        problem_add(problems, place, "%s", problem);
        source->broken = true;
        goto done;
    }
    strings_add(&source->files, name);
    scan.tokens.file = source->files.items[source->files.count - 1];
    scan.device = status.st_dev;
    scan.inode = status.st_ino;
    scan.depth = parent != NULL ? parent->depth + 1 : 0;
    if (includes_itself(&scan)) {
        problem_add(problems, place, "%s includes itself", path);
        source->broken = true;
        goto done;
    }
    scan.tokens.at = text_string(&text);
    scan.tokens.end = scan.tokens.at + text.length;
    scan_run(&scan);
    done = true;
done:
    text_free(&text);
    free(problem);
    free(name);
    return done;
}

/* Beside the file that includes it; a preset only where nothing is there. */
static char *full_path(const struct scan *scan, const char *path)
{
    const char *slash = strrchr(scan->tokens.file, '/');
    char *full;

    if (path[0] == '/' || slash == NULL)
        full = mem_copy(path);
    else
        full = mem_print("%.*s/%s", (int)(slash - scan->tokens.file), scan->tokens.file, path);
    if (strncmp(path, PRESET_PREFIX, strlen(PRESET_PREFIX)) == 0 && access(full, F_OK) != 0) {
        free(full);
        full = mem_copy(path);
    }
    return full;
}

static void include_statement(struct scan *scan, const struct token *name)
{
    struct conf_place place = {scan->tokens.file, name->line};
    struct token token = scan_token(scan);
    bool parenthesis = token.type == TOKEN_LEFT;
    struct strings files = {NULL, 0, 0};
    char *path = NULL;
    char *full = NULL;

    if (parenthesis)
        token = scan_token(scan);
    if (token_is_text(&token))
        path = token_text(&token);
    if (parenthesis && path != NULL)
        token = scan_token(scan);
    if (path == NULL || (parenthesis && token.type != TOKEN_RIGHT)) {
        complain(scan, name->line, "expected include \"path\"");
    } else if (scan->level > 0) {
        complain(scan, name->line, "include works outside of sections only");
    } else if (scan->depth >= SCAN_INCLUDE_DEPTH) {
        complain(scan, name->line, "files include each other more than 10 deep");
    } else {
        full = full_path(scan, path);
        files = files_named(full);
        for (size_t i = 0; i < files.count; i++)
            include_file(scan->source, scan->problems, files.items[i], scan, &place);
    }
    strings_free(&files);
    free(path);
    free(full);
}

static void take_name(struct scan *scan, const struct token *token)
{
    enum section_kind kind = scan->levels[scan->level].kind;
    char *name;

    if (token->type == TOKEN_CLOSE && scan->level > 0) {
        scan->level--;
        emit(scan, token);
        return;
    }
    if (!token_is_text(token)) {
        unexpected(scan, token);
        emit(scan, token);
        return;
    }
    name = mem_copy_n(token->bytes, token->length);
    scan->opening = schema_section(kind, name);
    if (scan->opening != SECTION_COUNT) {
        scan->expected = EXPECT_TITLE;
        scan->name = schema_sections[scan->opening].name;
        emit(scan, token);
    } else if (schema_option(kind, name) != NULL) {
        scan->expected = EXPECT_ASSIGN;
        scan->name = schema_option(kind, name)->name;
        scan->phrase = schema_option(kind, name)->type == TYPE_SUSPEND;
        emit(scan, token);
    } else if (strcmp(name, "include") == 0) {
        include_statement(scan, token);
    } else {
        unknown_name(scan, token, name);
    }
    free(name);
}

/* "12h after 3 in 10m" is one value, although libConfuse would have it in quotes. */
static void emit_value(struct scan *scan, const struct token *token)
{
    struct tokens before = scan->tokens;
    struct token next = scan->phrase && token->type == TOKEN_WORD ? scan_token(scan) : *token;
    struct text value = TEXT_EMPTY;
    struct token whole = *token;

    scan->tokens = before;
    if (next.type != TOKEN_WORD || next.length != strlen(PHRASE_WORD) ||
        memcmp(next.bytes, PHRASE_WORD, next.length) != 0) {
        emit(scan, token);
        return;
    }
    text_add_char(&value, '"');
    text_add(&value, token->bytes, token->length);
    for (size_t i = 1; i < PHRASE_WORDS; i++) {
        before = scan->tokens;
        next = scan_token(scan);
        if (next.type != TOKEN_WORD) {
            scan->tokens = before;
            break;
        }
        text_add_char(&value, ' ');
        text_add(&value, next.bytes, next.length);
    }
    text_add_char(&value, '"');
    whole.type = TOKEN_STRING;
    whole.bytes = text_string(&value);
    whole.length = value.length;
    emit(scan, &whole);
    text_free(&value);
}

/* libConfuse's grammar inside a statement.  false: the token does not fit. */
static bool next_expected(enum expected expected, const struct token *token, enum expected *next_r)
{
    switch (expected) {
    case EXPECT_ASSIGN:
        *next_r = EXPECT_VALUE;
        return token->type == TOKEN_ASSIGN || token->type == TOKEN_APPEND;
    case EXPECT_VALUE:
        *next_r = token->type == TOKEN_OPEN ? EXPECT_ITEM : EXPECT_NAME;
        return token_is_text(token) || token->type == TOKEN_OPEN;
    case EXPECT_ITEM:
        *next_r = token->type == TOKEN_CLOSE ? EXPECT_NAME : EXPECT_COMMA;
        return token_is_text(token) || token->type == TOKEN_CLOSE;
    case EXPECT_COMMA:
        *next_r = token->type == TOKEN_CLOSE ? EXPECT_NAME : EXPECT_ITEM;
        return token->type == TOKEN_COMMA || token->type == TOKEN_CLOSE;
    case EXPECT_TITLE:
        *next_r = EXPECT_OPEN;
        return token_is_text(token);
    case EXPECT_NAME:
    case EXPECT_OPEN:
        break;
    }
    return false;
}

static void open_section(struct scan *scan, const struct token *token)
{
    scan->level++;
    scan->levels[scan->level].kind = scan->opening;
    scan->levels[scan->level].line = token->line;
    scan->expected = EXPECT_NAME;
}

/* Inside a statement. */
static void take_rest(struct scan *scan, const struct token *token)
{
    enum expected next = EXPECT_NAME;
    bool fits;

    if (scan->expected == EXPECT_VALUE)
        emit_value(scan, token);
    else
        emit(scan, token);
    fits = scan->expected == EXPECT_OPEN ? token->type == TOKEN_OPEN && scan->level + 1 < LEVELS_MAX
                                         : next_expected(scan->expected, token, &next);
    if (!fits)
        unexpected(scan, token);
    else if (scan->expected == EXPECT_OPEN)
        open_section(scan, token);
    else
        scan->expected = next;
}

/* The text's end: nothing may be left open, or what follows would belong to it. */
static void check_end(struct scan *scan)
{
    struct conf_place place = {scan->tokens.file, scan->levels[scan->level].line};
    struct text what = TEXT_EMPTY;

    if (scan->level > 0) {
        problem_add(scan->problems, &place,
                    "the %s section that begins here has no end: expected }",
                    schema_sections[scan->levels[scan->level].kind].name);
        scan->source->broken = true;
    } else if (scan->expected != EXPECT_NAME) {
        text_add_string(&what, "the file ends in the middle of a statement");
        add_expected(scan, &what);
        complain(scan, scan->tokens.line, text_string(&what));
        text_free(&what);
    }
}

static void scan_run(struct scan *scan)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors begin UTF-8 files with it */

    if (scan->tokens.end - scan->tokens.at >= 3 && memcmp(scan->tokens.at, mark, 3) == 0)
        scan->tokens.at += 3;
    while (!scan->source->broken && !scan->source->lost) {
        struct token token = scan_token(scan);

        if (token.type == TOKEN_BAD)
            return;
        if (token.type == TOKEN_END) {
            check_end(scan);
            return;
        }
        if (scan->expected == EXPECT_NAME)
            take_name(scan, &token);
        else
            take_rest(scan, &token);
    }
}

void scan_text(struct source *source, struct problems *problems, struct conf_place start,
               bool count_lines, const char *text, size_t length)
{
    struct scan scan = {.source = source,
                        .problems = problems,
                        .tokens = {.at = text,
                                   .end = text + length,
                                   .file = start.file,
                                   .line = start.line,
                                   .fixed_line = !count_lines,
                                   .problems = problems}};

    scan_run(&scan);
}

bool scan_file(struct source *source, struct problems *problems, const char *path)
{
    struct conf_place place = {path, 0};

    return include_file(source, problems, path, NULL, &place);
}

void source_clear(struct source *source)
{
    text_free(&source->text);
    free(source->lines);
    strings_free(&source->files);
    memset(source, 0, sizeof(*source));
}
