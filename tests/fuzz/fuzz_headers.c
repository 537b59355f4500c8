/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers of strangers: MIME fields, what scanners say and how to unsubscribe.  A part's header and
 * a message's are read alike. */
#include "lib/causes/causes.h"
#include "lib/content/field.h"
#include "lib/content/scanner.h"
#include "lib/content/unsubscribe.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/content/look.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define SIZE_MOST 65536

static const char conf_text[] = "hostname = mx.test\n"
                                "trusted-scanners = {\"mx.test\"}\n"
                                "trusted-scanner-clients = {\"192.0.2.1\"}\n";

static void read_fields(const char *bytes, size_t size)
{
    struct mime_fields fields;

    mime_fields_read(bytes, size, "text/plain", &fields);
    must(strchr(fields.type, '/') != NULL);
    for (const char *c = fields.type; *c != '\0'; c++)
        must(!isupper((unsigned char)*c));
    mime_fields_clear(&fields);
}

static void read_verdict(const struct conf *conf, struct message *message)
{
    struct scanner_verdict verdict;
    struct unsubscribe unsubscribe;

    for (int i = 0; i < 2; i++) {
        if (scanner_says_spam(conf, message, &verdict)) {
            must(strspn(verdict.score, "+-.0123456789") == strlen(verdict.score));
            must(strlen(verdict.symbols) < SCANNER_SYMBOLS_ROOM && verdict.header != NULL);
        }
        (void)ip_parse("192.0.2.1", &message->client);
    }
    unsubscribe_read(message, &unsubscribe);
    must(!unsubscribe.is_covered || unsubscribe.is_signed);
    must(!unsubscribe.has_https || unsubscribe.has_field);
    (void)unsubscribe_precedence(message);
    (void)unsubscribe_is_discussion(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conf *conf;
    struct mail mail;

    if (size > SIZE_MOST)
        return 0;
    if (conf == NULL)
        conf = fuzz_conf(conf_text);
    read_fields((const char *)data, size);
    mail_parse((const char *)data, size, &mail);
    read_verdict(conf, mail.message);
    mail_free(&mail);
    return 0;
}
