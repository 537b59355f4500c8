/* SPDX-License-Identifier: BSD-2-Clause */
/* DKIM and ARC from strangers: a key record in the first line, a message with signatures in the
 * rest.  It does not matter in which pieces the body comes, and what is told of it stays one value.
 */
#include "ctl/mail.h"
#include "lib/auth/arc.h"
#include "lib/auth/results.h"
#include "tests/fuzz/fuzz.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW_SEC INT64_C(1700000000)
#define SIZE_MOST 65536

/* Every name has the record, twice. */
static const struct dns_answer *find(void *context, const char *name, enum dns_type type)
{
    struct dns_answer *answer = context;

    must(lookup_is_name(name));
    answer->name = name;
    answer->type = type;
    return answer;
}

static struct verify *run(const struct mail *mail, struct dns_answer *answer, size_t piece)
{
    const struct lookup lookup = {.find = find, .context = answer};
    struct verify *verify = verify_new(mail->message, false, NOW_SEC);

    for (size_t at = 0; at < mail->body_length; at += piece) {
        size_t left = mail->body_length - at;

        verify_body(verify, mail->body + at, left < piece ? left : piece);
    }
    verify_body_end(verify);
    must(verify_learn_keys(verify, &lookup));
    verify_judge(verify);
    return verify;
}

static void check_signature(const struct verify_signature *one)
{
    char *value = dkim_signature_unsigned(one->field->value);
    char *again = dkim_signature_unsigned(value);

    must(strlen(value) <= strlen(one->field->value) && strcmp(value, again) == 0);
    must((one->status == VERIFY_PASS) == (one->problem == NULL));
    if (one->signature.problem == NULL)
        must(one->signature.domain != NULL && one->signature.selector != NULL &&
             one->signature.signature_length > 0 && one->signature.names.count > 0);
    free(value);
    free(again);
}

static void check_arc(const struct arc *arc)
{
    if (arc == NULL)
        return;
    must(arc->count <= ARC_SETS_MAX && arc->status != ARC_NONE && arc->status != ARC_UNKNOWN);
    must((arc->status == ARC_PASS) == (arc->problem == NULL));
    for (size_t i = 0; i < arc->count && arc->status == ARC_PASS; i++)
        must(arc->sets[i].sealed.status == VERIFY_PASS && arc->sets[i].results != NULL);
}

static char *tell(const struct mail *mail, struct verify *verify)
{
    struct incoming incoming = {.message = mail->message, .verify = verify};

    return results_format(&incoming, "mx.test", " ");
}

static void check_value(const char *value)
{
    for (const char *c = value; *c != '\0'; c++)
        must((unsigned char)*c >= 0x20 && *c != 0x7f);
    must(results_claim(value, "MX.test") && !results_claim(value, "mx.tes"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    const char *end = size > 0 ? memchr(bytes, '\n', size) : NULL;
    size_t length = end != NULL ? (size_t)(end - bytes) : size;
    size_t rest = end != NULL ? length + 1 : size;
    const struct dns_record record = {.text = (char *)(uintptr_t)bytes, .length = length};
    const struct dns_record records[] = {record, record};
    struct dns_answer answer = {.status = DNS_FOUND, .records = records, .count = 2};
    struct verify *whole, *pieces;
    struct mail mail;
    char *told, *told_again;

    if (size > SIZE_MOST)
        return 0;
    mail_parse(bytes + rest, size - rest, &mail);
    whole = run(&mail, &answer, SIZE_MOST);
    pieces = run(&mail, &answer, 1);
    for (size_t i = 0; i < whole->count; i++)
        check_signature(&whole->signatures[i]);
    check_arc(whole->arc);
    told = tell(&mail, whole);
    told_again = tell(&mail, pieces);
    check_value(told);
    must(strcmp(told, told_again) == 0);
    free(told);
    free(told_again);
    verify_free(&whole);
    verify_free(&pieces);
    mail_free(&mail);
    return 0;
}
