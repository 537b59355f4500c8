/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/leaf.h"

#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/content/archive.h"
#include "lib/content/risk.h"

#include <gmime/gmime-encodings.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 3072 /* octets that are decoded at once */
#define PIECE_ROOM (PIECE + 256) /* what GMime may make of them */
#define KEPT_FIRST 4096

/* What the decoded octets are kept for. */
enum want { WANT_NOTHING, WANT_HEAD, WANT_TEXT, WANT_ARCHIVE };

struct leaf {
    const struct conf *conf;
    struct links *links;
    size_t texts; /* octets of texts so far */

    char *name, *number;
    enum mime_encoding encoding;
    bool is_attachment, is_text, is_html, is_wide, is_shifted, is_risk;
    enum want want;
    GMimeEncoding decoder;

    /* The first octets, or an archive's last ones */
    unsigned char *kept;
    size_t nkept, room;
    uint64_t nseen; /* decoded octets, of which those are a part */

    int64_t transferred, ends; /* octets; of which line ends */
    char previous; /* the last octet */
    char last[2]; /* the last ones that are not of a line end */
    bool ends_line, ends_crlf; /* the last octets are */
    bool bad_alphabet;
};

/* --- findings ------------------------------------------------------------------------- */

/* At most CONTENT_NAME_MAX octets, no half character. */
static char *short_name(const char *name)
{
    size_t length = strnlen(name, CONTENT_NAME_MAX + 1), cut = 0, used;
    uint32_t code;

    if (length <= CONTENT_NAME_MAX)
        return mem_copy(name);
    while ((used = utf8_next(name + cut, length - cut, &code)) > 0 &&
           cut + used <= CONTENT_NAME_MAX - 3)
        cut += used;
    if (cut == 0)
        cut = CONTENT_NAME_MAX - 3;
    return mem_print("%.*s...", (int)cut, name);
}

static void add_risk(struct leaf *leaf, enum content_by by, const char *inner, const char *kind)
{
    struct content_fact *fact = leaf->links->fact;

    if (fact->nrisks_total++ >= CONTENT_RISKS_MAX)
        return;
    fact->risks[fact->nrisks++] = (struct content_risk){
        .by = by,
        .name = short_name(leaf->name),
        .inner = inner != NULL ? mem_copy(inner) : NULL,
        .kind = mem_copy(kind),
        .part = mem_copy(leaf->number),
    };
}

static void found_in_archive(void *context, const char *path, const char *kind, enum content_by by)
{
    size_t length = strlen(path);
    char *inner = mem_copy_n(path, length > 0 && path[length - 1] == '/' ? length - 1 : length);

    add_risk(context, by, inner, kind);
    free(inner);
}

static void search_archive(struct leaf *leaf)
{
    struct archive_search search = {.types = &leaf->conf->attachment_types,
                                    .budget = ARCHIVE_BUDGET,
                                    .found = found_in_archive,
                                    .context = leaf};
    struct zip_tail tail = {leaf->kept, leaf->nkept, leaf->nseen};

    /* one that is refused by its name has been told of */
    if (!leaf->is_risk)
        archive_search(&search, &tail);
}

/* --- the decoded octets --------------------------------------------------------------- */

static void keep(struct leaf *leaf, const unsigned char *bytes, size_t length)
{
    if (leaf->nkept + length > leaf->room) {
        while (leaf->nkept + length > leaf->room)
            leaf->room = leaf->room > 0 ? leaf->room * 2 : KEPT_FIRST;
        leaf->kept = mem_grow(leaf->kept, leaf->room, 1);
    }
    memcpy(leaf->kept + leaf->nkept, bytes, length);
    leaf->nkept += length;
}

/* The first octets are known: an archive is kept, anything else is judged. */
static void judge_head(struct leaf *leaf)
{
    const char *kind;

    if (!leaf->is_attachment)
        return;
    if (risk_is_zip(leaf->kept, leaf->nkept)) {
        leaf->want = WANT_ARCHIVE;
        return;
    }
    if (leaf->is_risk)
        return;
    kind = risk_by_magic(leaf->kept, leaf->nkept);
    if (kind != NULL)
        add_risk(leaf, CONTENT_BY_MAGIC, NULL, kind);
}

static void take_text(struct leaf *leaf, const unsigned char *bytes, size_t length)
{
    size_t most = LEAF_TEXT_MAX - leaf->nkept, left = LEAF_TEXTS_MAX - leaf->texts;

    if (most > left)
        most = left;
    if (length >= most)
        leaf->want = WANT_NOTHING;
    if (length > most)
        length = most;
    if (length > 0)
        keep(leaf, bytes, length);
    leaf->texts += length;
}

static void take_archive(struct leaf *leaf, const unsigned char *bytes, size_t length)
{
    if (leaf->nkept + length > 2 * (size_t)LEAF_ARCHIVE_MAX) {
        memmove(leaf->kept, leaf->kept + leaf->nkept - LEAF_ARCHIVE_MAX, LEAF_ARCHIVE_MAX);
        leaf->nkept = LEAF_ARCHIVE_MAX;
    }
    keep(leaf, bytes, length);
}

static void take(struct leaf *leaf, const unsigned char *bytes, size_t length)
{
    if (length == 0)
        return;
    leaf->nseen += length;
    if (leaf->want == WANT_TEXT) {
        take_text(leaf, bytes, length);
    } else if (leaf->want == WANT_ARCHIVE) {
        take_archive(leaf, bytes, length);
    } else if (leaf->want == WANT_HEAD) {
        keep(leaf, bytes, length);
        if (leaf->nkept < RISK_MAGIC_OCTETS)
            return;
        leaf->want = WANT_NOTHING;
        judge_head(leaf);
    }
}

static void decode(struct leaf *leaf, const char *bytes, size_t length)
{
    char decoded[PIECE_ROOM];

    if (leaf->encoding == MIME_IDENTITY) {
        take(leaf, (const unsigned char *)bytes, length);
        return;
    }
    while (length > 0 && leaf->want != WANT_NOTHING) {
        size_t piece = length < PIECE ? length : PIECE;
        size_t got = g_mime_encoding_step(&leaf->decoder, bytes, piece, decoded);

        take(leaf, (const unsigned char *)decoded, got);
        bytes += piece;
        length -= piece;
    }
}

/* --- the transferred octets ----------------------------------------------------------- */

static bool is_base64(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=' || c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

static void check_alphabet(struct leaf *leaf, const char *bytes, size_t length)
{
    const size_t left = (size_t)(LEAF_CHECKED_MAX - leaf->transferred);

    if (length > left)
        length = left;
    for (size_t i = 0; i < length && !leaf->bad_alphabet; i++)
        leaf->bad_alphabet = !is_base64((unsigned char)bytes[i]);
}

/* The last two octets that are not of a line end. */
static void keep_last(struct leaf *leaf, const char *bytes, size_t length)
{
    char found[2];
    size_t count = 0;

    while (length > 0 && count < sizeof(found)) {
        char c = bytes[--length];

        if (c != '\r' && c != '\n')
            found[count++] = c;
    }
    if (count == 0)
        return;
    leaf->last[0] = count > 1 ? found[1] : leaf->last[1];
    leaf->last[1] = found[0];
}

static void count(struct leaf *leaf, const char *bytes, size_t length)
{
    const char *end = bytes + length, *at = bytes;
    const char before = leaf->previous;

    leaf->transferred += (int64_t)length;
    leaf->previous = end[-1];
    leaf->ends_line = end[-1] == '\n';
    leaf->ends_crlf = leaf->ends_line && (length > 1 ? end[-2] : before) == '\r';
    if (leaf->encoding != MIME_BASE64)
        return;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        leaf->ends += (at > bytes ? at[-1] : before) == '\r' ? 2 : 1;
        at++;
    }
    keep_last(leaf, bytes, length);
}

void leaf_octets(struct leaf *leaf, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    if (leaf->encoding == MIME_BASE64 && leaf->transferred < LEAF_CHECKED_MAX)
        check_alphabet(leaf, bytes, length);
    count(leaf, bytes, length);
    if (leaf->want != WANT_NOTHING)
        decode(leaf, bytes, length);
}

/* The size of the file, for which not all of it was decoded. */
static int64_t decoded_size(const struct leaf *leaf, bool delimited)
{
    int64_t size = leaf->transferred;

    switch (leaf->encoding) {
    case MIME_BASE64:
        size = (size - leaf->ends) / 4 * 3;
        if (leaf->last[1] == '=' && size > 2)
            size -= leaf->last[0] == '=' ? 2 : 1;
        return size;
    case MIME_QUOTED:
    case MIME_UUENCODE:
        return leaf->want != WANT_NOTHING ? (int64_t)leaf->nseen : size;
    case MIME_IDENTITY:
    case MIME_ENCODING_UNKNOWN:
        break;
    }
    if (delimited && leaf->ends_line)
        size -= leaf->ends_crlf ? 2 : 1;
    return size;
}

/* --- texts ---------------------------------------------------------------------------- */

/* In UTF-16 and UTF-32 what matters here has zeros around it. */
static size_t narrowed(unsigned char *bytes, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        if (bytes[i] != '\0')
            bytes[count++] = bytes[i];
    return count;
}

/* ISO-2022: two-octet characters, which may look like tags, stand between ESC $ B and ESC ( B. */
static size_t unshifted(unsigned char *bytes, size_t length)
{
    size_t count = 0;
    bool shifted = false;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == 0x1b && i + 2 < length && (bytes[i + 1] == '$' || bytes[i + 1] == '(')) {
            shifted = bytes[i + 1] == '$';
            i += shifted && bytes[i + 2] == '(' && i + 3 < length ? 3 : 2;
        } else if (!shifted) {
            bytes[count++] = bytes[i];
        }
    }
    return count;
}

static void read_text(struct leaf *leaf)
{
    size_t length = leaf->nkept;

    if (leaf->is_wide)
        length = narrowed(leaf->kept, length);
    if (leaf->is_shifted)
        length = unshifted(leaf->kept, length);
    if (length == 0)
        return;
    if (leaf->is_html)
        links_html(leaf->links, (const char *)leaf->kept, length);
    else
        links_plain(leaf->links, (const char *)leaf->kept, length);
}

/* --- parts ---------------------------------------------------------------------------- */

static void start_decoder(struct leaf *leaf)
{
    static const GMimeContentEncoding encodings[] = {
        [MIME_IDENTITY] = GMIME_CONTENT_ENCODING_8BIT,
        [MIME_BASE64] = GMIME_CONTENT_ENCODING_BASE64,
        [MIME_QUOTED] = GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE,
        [MIME_UUENCODE] = GMIME_CONTENT_ENCODING_UUENCODE,
        [MIME_ENCODING_UNKNOWN] = GMIME_CONTENT_ENCODING_BINARY,
    };

    g_mime_encoding_init_decode(&leaf->decoder, encodings[leaf->encoding]);
}

static char *refused_name(const struct conf *conf, const char *name)
{
    char *extension = risk_by_name(name, &conf->attachment_types);

    return extension != NULL ? extension : risk_by_name(name, &conf->attachment_types_bare);
}

void leaf_begin(struct leaf *leaf, const struct mime_fields *fields, const char *number)
{
    const bool is_text = strncmp(fields->type, "text/", 5) == 0;
    char *extension;

    leaf->name = mem_copy(fields->name);
    leaf->number = mem_copy(number);
    leaf->encoding = fields->encoding;
    leaf->is_html = strcmp(fields->type, "text/html") == 0;
    leaf->is_text =
        !fields->is_attachment && (leaf->is_html || strcmp(fields->type, "text/plain") == 0);
    leaf->is_attachment = fields->is_attachment || fields->name[0] != '\0' ||
                          (!is_text && strncmp(fields->type, "message/", 8) != 0 &&
                           strncmp(fields->type, "multipart/", 10) != 0);
    leaf->is_wide =
        strncmp(fields->charset, "utf-16", 6) == 0 || strncmp(fields->charset, "utf-32", 6) == 0;
    leaf->is_shifted = strncmp(fields->charset, "iso-2022", 8) == 0;
    leaf->want = leaf->is_text && leaf->texts < LEAF_TEXTS_MAX ? WANT_TEXT
                 : leaf->is_attachment                         ? WANT_HEAD
                                                               : WANT_NOTHING;
    start_decoder(leaf);
    extension = refused_name(leaf->conf, fields->name);
    /* mail programs differ in which of two names they save a file by */
    if (extension == NULL && fields->other_name != NULL) {
        extension = refused_name(leaf->conf, fields->other_name);
        if (extension != NULL) {
            free(leaf->name);
            leaf->name = mem_copy(fields->other_name);
        }
    }
    if (extension != NULL)
        add_risk(leaf, CONTENT_BY_NAME, NULL, extension);
    leaf->is_risk = extension != NULL;
    free(extension);
}

static void add_attachment(struct leaf *leaf, int64_t size)
{
    struct content_fact *fact = leaf->links->fact;

    fact->nattachments++;
    fact->attachment_octets += size;
    if (fact->largest_name != NULL && size <= fact->largest_octets)
        return;
    free(fact->largest_name);
    fact->largest_name = short_name(leaf->name);
    fact->largest_octets = size;
}

static void forget(struct leaf *leaf)
{
    struct leaf next = {.conf = leaf->conf,
                        .links = leaf->links,
                        .texts = leaf->texts,
                        .kept = leaf->kept,
                        .room = leaf->room};

    free(leaf->name);
    free(leaf->number);
    *leaf = next;
}

const char *leaf_end(struct leaf *leaf, bool delimited)
{
    const char *problem = leaf->bad_alphabet ? "its base64 holds characters that are none" : NULL;
    int64_t size = decoded_size(leaf, delimited);

    if (leaf->is_text)
        read_text(leaf);
    if (leaf->want == WANT_HEAD || leaf->is_text)
        judge_head(leaf);
    /* of what was said to be a text the beginning is kept, which has to be all then */
    if (leaf->want == WANT_ARCHIVE && (!leaf->is_text || leaf->nkept == leaf->nseen))
        search_archive(leaf);
    if (leaf->is_attachment)
        add_attachment(leaf, size);
    forget(leaf);
    return problem;
}

struct leaf *leaf_new(const struct conf *conf, struct links *links)
{
    struct leaf *leaf = mem_new(1, sizeof(*leaf));

    leaf->conf = conf;
    leaf->links = links;
    return leaf;
}

void leaf_free(struct leaf **leaf)
{
    if (*leaf == NULL)
        return;
    free((*leaf)->name);
    free((*leaf)->number);
    free((*leaf)->kept);
    free(*leaf);
    *leaf = NULL;
}
