/* SPDX-License-Identifier: BSD-2-Clause */
/* One message's signatures: one by each of its keys. */
#include "lib/auth/ed25519.h"
#include "lib/auth/signer.h"
#include "lib/auth/tags.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* libopendkim cuts its list of the names that it signs, silently, at DKIM_MAXHEADER octets: what is
 * longer would leave headers unsigned. */
#define SIGNED_NAMES_MAX (DKIM_MAXHEADER - 256)

/* The signature by one key. */
struct part {
    const struct signer_key *key;
    const struct signer_form *form;
    size_t names_length; /* of the signed fields, in h= */
    char *name; /* "s1/example.com" */
    char *domain;
    DKIM *dkim; /* RSA */
    struct ed25519 *ed25519; /* or this */
    char *value; /* once it has ended well */
    bool failed;
};

struct signature {
    struct signer *signer;
    struct part parts[CONF_SIGNS_MAX];
    size_t nparts;
    struct text names; /* of those that have ended well */
    char last[2]; /* octets of the body */
};

/* --- whether, and with which keys ----------------------------------------------------- */

/* The keys for a message, and the From address that chose them. */
struct choice {
    struct address from;
    const struct signer_keys *keys;
    struct signer_match matches[CONF_SIGNS_MAX];
    size_t count;
};

static const struct signer_key *chosen_key(const struct choice *choice, size_t n)
{
    return &choice->keys->items[choice->matches[n].key];
}

/* For d=. */
static const char *chosen_domain(const struct choice *choice, size_t n)
{
    const char *domain = chosen_key(choice, n)->domain;

    return strcmp(domain, "%") == 0 ? choice->from.domain : domain;
}

/* The one From address.  NULL: *address_r is it. */
static const char *find_from(const struct message *message, struct address *address_r)
{
    const struct header *from = message_header(message, "From", 0);
    struct address addresses[2];
    int count;

    if (from == NULL)
        return SIGN_NO_FROM;
    if (message_header(message, "From", 1) != NULL)
        return SIGN_MANY_FROM;
    memset(addresses, 0, sizeof(addresses));
    count = address_list_parse(from->value, addresses, 2);
    if (count != 1 || addresses[0].domain == NULL || addresses[0].domain[0] == '\0') {
        address_clear(&addresses[0]);
        address_clear(&addresses[1]);
        return count > 1 ? SIGN_MANY_FROM : SIGN_NO_FROM;
    }
    *address_r = addresses[0];
    return NULL;
}

static bool is_by(const struct header *signature, const struct choice *choice, size_t n)
{
    return tags_equal(signature->value, "d", chosen_domain(choice, n)) &&
           tags_equal(signature->value, "s", chosen_key(choice, n)->selector);
}

/* Mail comes back from a content filter, or from the queue by postsuper -r, with our signatures;
 * one of them is enough, since they are added together. */
static bool has_our_signature(const struct message *message, const struct choice *choice)
{
    const struct header *header;

    for (size_t n = 0; (header = message_header(message, DKIM_SIGNHEADER, n)) != NULL; n++)
        for (size_t i = 0; i < choice->count; i++)
            if (is_by(header, choice, i) && tags_have(header->value, "v") &&
                tags_have(header->value, "h") && tags_have(header->value, "bh") &&
                tags_have(header->value, "b"))
                return true;
    return false;
}

/* Leaves only the keys that work and are in use.  NULL, or why there are none. */
static const char *drop_unusable(struct choice *choice)
{
    const char *reason = SIGN_NO_KEY;
    size_t usable = 0;

    for (size_t i = 0; i < choice->count; i++) {
        const struct signer_key *key = chosen_key(choice, i);

        if (key->problem != NULL)
            reason = key->trouble == KEY_TOO_SHORT ? SIGN_KEY_WEAK : SIGN_KEY_UNREADABLE;
        else if (key->state == KEY_STATE_PUBLISH && !key_life_signs(key->life) &&
                 strcmp(reason, SIGN_NO_KEY) == 0)
            reason = SIGN_NOT_VISIBLE;
        else if (key->state != KEY_STATE_RETIRE && key_life_signs(key->life))
            choice->matches[usable++] = choice->matches[i];
    }
    choice->count = usable;
    return usable > 0 ? NULL : reason;
}

bool signature_trouble(const struct signer *signer, const struct message *message,
                       struct signer_note *note_r)
{
    struct choice choice = {.keys = signer_keys(signer)};
    bool found = false;

    if (find_from(message, &choice.from) == NULL)
        choice.count = signer_rules_match(choice.keys->rules, &choice.from, choice.matches);
    for (size_t i = 0; i < choice.count && !found; i++) {
        found = chosen_key(&choice, i)->problem != NULL;
        if (found)
            signer_note_key(chosen_key(&choice, i), note_r);
    }
    address_clear(&choice.from);
    return found;
}

/* again: although it has a signature of ours. */
static const char *choose_keys(const struct signer *signer, const struct conf *conf,
                               const struct message *message, bool again, struct choice *choice_r)
{
    const char *reason;

    if (message->direction != DIRECTION_OUT)
        return SIGN_INBOUND;
    reason = find_from(message, &choice_r->from);
    if (reason != NULL)
        return message->headers_cut ? SIGN_HEADERS_CUT : reason;
    choice_r->keys = signer_keys(signer);
    choice_r->count = signer_rules_match(choice_r->keys->rules, &choice_r->from, choice_r->matches);
    if (choice_r->count == 0)
        reason = SIGN_NO_KEY;
    else if (message->user[0] != '\0' &&
             !conf_login_may_use(conf, message->user, choice_r->from.text))
        reason = SIGN_NOT_ALLOWED; /* or one customer could sign as another */
    else if (message->headers_cut)
        reason = SIGN_HEADERS_CUT;
    if (reason != NULL)
        return reason;
    if (!again && has_our_signature(message, choice_r))
        return SIGN_ALREADY_SIGNED;
    return drop_unusable(choice_r);
}

/* --- headers -------------------------------------------------------------------------- */

/* MTAs hand over folded values with bare LF; on the wire it is CRLF. */
static void make_field(const struct header *header, struct text *field)
{
    text_clear(field);
    text_add_string(field, header->name);
    text_add_char(field, ':');
    for (const char *rest = header->value; *rest != '\0';) {
        size_t length = strcspn(rest, "\n");

        text_add(field, rest, length);
        rest += length;
        if (*rest != '\n')
            continue;
        if (field->bytes[field->length - 1] != '\r')
            text_add_char(field, '\r');
        text_add_char(field, '\n');
        rest++;
    }
}

static bool has_failed(const struct signature *signature)
{
    for (size_t i = 0; i < signature->nparts; i++)
        if (!signature->parts[i].failed)
            return false;
    return true;
}

/* false: there are more than can be signed. */
static bool add_header(struct part *part, const char *name, const struct text *field)
{
    if (!fields_is_signed(&part->form->fields, name))
        return true;
    part->names_length += strlen(name) + 1;
    if (part->dkim != NULL && !part->failed)
        part->failed =
            dkim_header(part->dkim, (u_char *)field->bytes, field->length) != DKIM_STAT_OK;
    return part->names_length <= SIGNED_NAMES_MAX;
}

static const char *add_headers(struct signature *signature, const struct message *message)
{
    struct text field = TEXT_EMPTY;
    bool fits = true;

    for (size_t i = 0; i < message->nheaders && fits; i++) {
        make_field(&message->headers[i], &field);
        for (size_t n = 0; n < signature->nparts && fits; n++)
            fits = add_header(&signature->parts[n], message->headers[i].name, &field);
    }
    text_free(&field);
    if (!fits)
        return SIGN_HEADERS_CUT;
    for (size_t i = 0; i < signature->nparts; i++) {
        struct part *part = &signature->parts[i];

        if (part->dkim != NULL && !part->failed)
            part->failed = dkim_eoh(part->dkim) != DKIM_STAT_OK;
    }
    return has_failed(signature) ? SIGN_ERROR : NULL;
}

/* --- the signatures ------------------------------------------------------------------- */

/* Whether identity is an address in the domain or below it (RFC 6376 §3.5). */
static bool may_be_identity(const char *identity, const char *domain)
{
    const char *at = strrchr(identity, '@');
    size_t length = strlen(domain), host;

    if (at == NULL || identity[strcspn(identity, "; \t")] != '\0')
        return false;
    host = strlen(at + 1);
    return host >= length && strcasecmp(at + 1 + host - length, domain) == 0 &&
           (host == length || at[host - length] == '.');
}

/* What i= is to say, as the SigningTable has it, or NULL; what conflicts with d= is left out.  The
 * caller frees it. */
static char *make_identity(const char *signer, const char *from_domain, const char *domain)
{
    struct text identity = TEXT_EMPTY;

    for (; signer != NULL && *signer != '\0'; signer++)
        if (*signer == '%')
            text_add_string(&identity, from_domain);
        else
            text_add_char(&identity, *signer);
    if (may_be_identity(text_string(&identity), domain))
        return text_take(&identity);
    text_free(&identity);
    return NULL;
}

static dkim_canon_t library_canon(enum dkim_canon canon)
{
    return canon == DKIM_RELAXED ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE;
}

/* libopendkim's relaxed form takes vertical tabs and form feeds for white space, which they are not
 * to verifiers (RFC 6376 sections 2.8 and 3.4.2): its simple one leaves them as they are. */
static enum dkim_canon headers_canon(const struct signer_form *form, const struct message *message)
{
    for (size_t i = 0; i < message->nheaders; i++)
        if (strpbrk(message->headers[i].value, "\v\f") != NULL &&
            fields_is_signed(&form->fields, message->headers[i].name))
            return DKIM_SIMPLE;
    return form->headers;
}

static DKIM *start_rsa(const struct part *part, const struct message *message, const char *domain,
                       const char *identity)
{
    const struct signer_form *form = part->form;
    const struct signer_key *key = part->key;
    DKIM_STAT status;
    DKIM *dkim = dkim_sign(signer_form_library(form, message), (const u_char *)part->name, NULL,
                           (u_char *)key->key.pem, (const u_char *)key->selector,
                           (const u_char *)domain, library_canon(headers_canon(form, message)),
                           library_canon(form->body), DKIM_SIGN_RSASHA256, -1, &status);

    if (dkim != NULL && identity != NULL)
        (void)dkim_set_signer(dkim, (const u_char *)identity);
    return dkim;
}

static struct ed25519 *start_ed25519(const struct part *part, const struct message *message,
                                     const char *domain, const char *identity)
{
    const struct ed25519_form form = {
        .headers = part->form->headers,
        .body = part->form->body,
        .expire_sec = part->form->expire_sec,
        .fields = &part->form->fields,
    };

    return ed25519_begin(part->key->key.private_key, domain, part->key->selector, identity, message,
                         &form);
}

static void start_part(struct part *part, const struct signer *signer, const struct choice *choice,
                       size_t n, const struct message *message)
{
    const struct signer_key *key = chosen_key(choice, n);
    const char *domain = chosen_domain(choice, n);
    char *identity = make_identity(choice->matches[n].signer, choice->from.domain, domain);

    part->key = key;
    part->form = signer_form(signer, key);
    part->domain = mem_copy(domain);
    part->name = mem_print("%s/%s", key->selector, domain);
    if (key->key.algorithm == KEY_ED25519)
        part->ed25519 = start_ed25519(part, message, domain, identity);
    else
        part->dkim = start_rsa(part, message, domain, identity);
    part->failed = part->dkim == NULL && part->ed25519 == NULL;
    free(identity);
}

static struct signature *begin(struct signer *signer, const struct conf *conf,
                               const struct message *message, bool again, const char **reason_r)
{
    struct signature *signature = NULL;
    struct choice choice = {.count = 0};
    const char *reason = choose_keys(signer, conf, message, again, &choice);

    if (reason != NULL)
        goto done;
    signature = mem_new(1, sizeof(*signature));
    signature->signer = signer_hold(signer);
    for (; signature->nparts < choice.count; signature->nparts++)
        start_part(&signature->parts[signature->nparts], signer, &choice, signature->nparts,
                   message);
    reason = add_headers(signature, message);
done:
    address_clear(&choice.from);
    if (reason != NULL) {
        signature_free(&signature);
        *reason_r = reason;
    }
    return signature;
}

struct signature *signature_begin(struct signer *signer, const struct conf *conf,
                                  const struct message *message, const char **reason_r)
{
    return begin(signer, conf, message, false, reason_r);
}

struct signature *signature_begin_again(struct signer *signer, const struct conf *conf,
                                        const struct message *message)
{
    const char *reason;

    return begin(signer, conf, message, true, &reason);
}

bool signature_key(const struct signature *signature, size_t n, struct signing_fact *key_r)
{
    if (n >= signature->nparts)
        return false;
    *key_r = (struct signing_fact){
        .domain = signature->parts[n].domain,
        .selector = signature->parts[n].key->selector,
        .key = &signature->parts[n].key->key,
    };
    return true;
}

bool signature_has_body(const struct signature *signature, enum dkim_canon canon)
{
    for (size_t i = 0; i < signature->nparts; i++)
        if (signature->parts[i].form->body == canon)
            return true;
    return false;
}

static void remember_last(struct signature *signature, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    signature->last[0] = length > 1 ? bytes[length - 2] : signature->last[1];
    signature->last[1] = bytes[length - 1];
}

/* A body that does not end with CRLF gets one on its way (RFC 6376 §3.4.4); libopendkim refuses it.
 */
static void end_last_line(struct signature *signature)
{
    const char *last = signature->last;

    if (last[1] != '\0' && !(last[0] == '\r' && last[1] == '\n'))
        (void)signature_body(signature, "\r\n", 2);
}

static void add_body(struct part *part, const void *bytes, size_t length)
{
    if (part->ed25519 != NULL)
        ed25519_body(part->ed25519, bytes, length);
    /* libopendkim only reads the body, its prototype lacks the const. */
    else if (!part->failed)
        part->failed = dkim_body(part->dkim, (u_char *)(uintptr_t)bytes, length) != DKIM_STAT_OK;
}

bool signature_body(struct signature *signature, const void *bytes, size_t length)
{
    remember_last(signature, bytes, length);
    for (size_t i = 0; i < signature->nparts && length > 0; i++)
        add_body(&signature->parts[i], bytes, length);
    return !has_failed(signature);
}

/* The field's value, or NULL. */
static char *end_part(struct part *part)
{
    struct text value = TEXT_EMPTY;
    u_char *bytes = NULL;
    size_t length = 0;

    if (part->ed25519 != NULL)
        return ed25519_end(part->ed25519);
    if (dkim_eom(part->dkim, NULL) != DKIM_STAT_OK ||
        dkim_getsighdr_d(part->dkim, sizeof(DKIM_SIGNHEADER ": ") - 1, &bytes, &length) !=
            DKIM_STAT_OK)
        return NULL;
    for (size_t begin = 0, end; begin < length; begin = end + 1) {
        const u_char *found = memchr(bytes + begin, '\r', length - begin);

        end = found != NULL ? (size_t)(found - bytes) : length;
        text_add(&value, (const char *)bytes + begin, end - begin);
    }
    return value.length > 0 ? text_take(&value) : NULL;
}

bool signature_end(struct signature *signature, const char **reason_r)
{
    end_last_line(signature);
    for (size_t i = 0; i < signature->nparts; i++) {
        struct part *part = &signature->parts[i];

        if (!part->failed)
            part->value = end_part(part);
        part->failed = part->value == NULL;
        if (part->failed)
            continue;
        if (signature->names.length > 0)
            text_add_char(&signature->names, ',');
        text_add_string(&signature->names, part->name);
    }
    if (has_failed(signature))
        *reason_r = SIGN_ERROR;
    return !has_failed(signature);
}

bool signature_is_made(const struct signature *signature, size_t n)
{
    return n < signature->nparts && signature->parts[n].value != NULL;
}

const char *signature_value(const struct signature *signature, size_t n)
{
    for (size_t i = 0; i < signature->nparts; i++)
        if (signature->parts[i].value != NULL && n-- == 0)
            return signature->parts[i].value;
    return NULL;
}

const char *signature_names(const struct signature *signature)
{
    return text_string(&signature->names);
}

void signature_free(struct signature **signature)
{
    if (*signature == NULL)
        return;
    for (size_t i = 0; i < (*signature)->nparts; i++) {
        if ((*signature)->parts[i].dkim != NULL)
            dkim_free((*signature)->parts[i].dkim);
        ed25519_free(&(*signature)->parts[i].ed25519);
        free((*signature)->parts[i].name);
        free((*signature)->parts[i].domain);
        free((*signature)->parts[i].value);
    }
    text_free(&(*signature)->names);
    signer_release(&(*signature)->signer);
    free(*signature);
    *signature = NULL;
}
