/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/protocol.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_REQUEST 16384
#define FIRST "request=smtpd_access_policy\n"

/* What a parser that is fed in pieces says in the end. */
struct outcome {
    enum protocol_status status;
    size_t used;
    char problem[64];
    char values[ATTRIBUTE_COUNT][256];
};

/* Feeds the bytes in pieces that end at the given places, each time from other memory, as after a
 * move. The outcome is that of the first piece that settles it. */
static void feed(const char *bytes, size_t length, size_t max_request, const size_t *ends,
                 size_t nends, struct outcome *outcome)
{
    struct protocol_parser parser;
    struct protocol_request request;
    const char *problem = "";
    char *memory = mem_copy_n(bytes, length);

    memset(outcome, 0, sizeof(*outcome));
    protocol_begin(&parser);
    for (size_t i = 0; i <= nends && outcome->status == PROTOCOL_MORE; i++) {
        const size_t end = i < nends ? ends[i] : length;
        /* Exactly as large as what has come, so that a sanitizer sees each octet too far. */
        char *moved = mem_copy_n(memory, end);

        moved = mem_grow(moved, end > 0 ? end : 1, 1);
        outcome->status =
            protocol_parse(&parser, moved, end, max_request, &outcome->used, &request, &problem);
        if (outcome->status == PROTOCOL_REQUEST)
            for (size_t a = 0; a < ATTRIBUTE_COUNT; a++)
                snprintf(outcome->values[a], sizeof(outcome->values[a]), "%.255s",
                         request.values[a]);
        memcpy(memory, moved, end);
        free(moved);
    }
    if (outcome->status == PROTOCOL_BAD)
        snprintf(outcome->problem, sizeof(outcome->problem), "%s", problem);
    free(memory);
}

static void assert_same(const char *name, size_t split, const struct outcome *a,
                        const struct outcome *b)
{
    if (a->status != b->status || a->used != b->used || strcmp(a->problem, b->problem) != 0 ||
        memcmp(a->values, b->values, sizeof(a->values)) != 0)
        fail_msg("%s: split at %zu: status %d used %zu \"%s\", whole: status %d used %zu \"%s\"",
                 name, split, (int)b->status, b->used, b->problem, (int)a->status, a->used,
                 a->problem);
}

/* --- tables --------------------------------------------------------------------------- */

#define POSTFIX_REQUEST                                                                            \
    FIRST "protocol_state=RCPT\n"                                                                  \
          "protocol_name=ESMTP\n"                                                                  \
          "client_address=192.0.2.7\n"                                                             \
          "client_name=another.domain.tld\n"                                                       \
          "client_port=38482\n"                                                                    \
          "reverse_client_name=another.domain.tld\n"                                               \
          "server_address=10.3.2.1\n"                                                              \
          "server_port=587\n"                                                                      \
          "helo_name=some.domain.tld\n"                                                            \
          "sender=foo@bar.tld\n"                                                                   \
          "recipient=bar@foo.tld\n"                                                                \
          "recipient_count=0\n"                                                                    \
          "queue_id=8045F2AB23\n"                                                                  \
          "instance=123.456.7\n"                                                                   \
          "size=12345\n"                                                                           \
          "etrn_domain=\n"                                                                         \
          "stress=\n"                                                                              \
          "sasl_method=plain\n"                                                                    \
          "sasl_username=you\n"                                                                    \
          "sasl_sender=\n"                                                                         \
          "ccert_subject=solaris9.porcupine.org\n"                                                 \
          "ccert_issuer=Wietse+20Venema\n"                                                         \
          "ccert_fingerprint=C2:9D:F4:87:71:73:73:D9:18:E7:C2:F3:C1:DA:6E:04\n"                    \
          "encryption_protocol=TLSv1/SSLv3\n"                                                      \
          "encryption_cipher=DHE-RSA-AES256-SHA\n"                                                 \
          "encryption_keysize=256\n"                                                               \
          "policy_context=submission\n"                                                            \
          "\n"

struct value_case {
    const char *name, *input;
    enum protocol_attribute attribute;
    const char *want;
};

static const struct value_case values[] = {
    {"Postfix' order: state", POSTFIX_REQUEST, ATTRIBUTE_PROTOCOL_STATE, "RCPT"},
    {"Postfix' order: client", POSTFIX_REQUEST, ATTRIBUTE_CLIENT_ADDRESS, "192.0.2.7"},
    {"Postfix' order: client name", POSTFIX_REQUEST, ATTRIBUTE_CLIENT_NAME, "another.domain.tld"},
    {"Postfix' order: port", POSTFIX_REQUEST, ATTRIBUTE_SERVER_PORT, "587"},
    {"Postfix' order: helo", POSTFIX_REQUEST, ATTRIBUTE_HELO_NAME, "some.domain.tld"},
    {"Postfix' order: sender", POSTFIX_REQUEST, ATTRIBUTE_SENDER, "foo@bar.tld"},
    {"Postfix' order: recipient", POSTFIX_REQUEST, ATTRIBUTE_RECIPIENT, "bar@foo.tld"},
    {"Postfix' order: count", POSTFIX_REQUEST, ATTRIBUTE_RECIPIENT_COUNT, "0"},
    {"Postfix' order: queue id", POSTFIX_REQUEST, ATTRIBUTE_QUEUE_ID, "8045F2AB23"},
    {"Postfix' order: instance", POSTFIX_REQUEST, ATTRIBUTE_INSTANCE, "123.456.7"},
    {"Postfix' order: size", POSTFIX_REQUEST, ATTRIBUTE_SIZE, "12345"},
    {"Postfix' order: method", POSTFIX_REQUEST, ATTRIBUTE_SASL_METHOD, "plain"},
    {"Postfix' order: login", POSTFIX_REQUEST, ATTRIBUTE_SASL_USERNAME, "you"},
    {"Postfix' order: protocol", POSTFIX_REQUEST, ATTRIBUTE_ENCRYPTION_PROTOCOL, "TLSv1/SSLv3"},
    {"Postfix' order: cipher", POSTFIX_REQUEST, ATTRIBUTE_ENCRYPTION_CIPHER, "DHE-RSA-AES256-SHA"},
    {"only the first = splits", FIRST "sender=a=b=c@example.com\n\n", ATTRIBUTE_SENDER,
     "a=b=c@example.com"},
    {"a value that is =", FIRST "sender==\n\n", ATTRIBUTE_SENDER, "="},
    {"an empty value", FIRST "sender=\n\n", ATTRIBUTE_SENDER, ""},
    {"a missing attribute", FIRST "\n", ATTRIBUTE_SENDER, ""},
    {"request comes last", "sender=x\nrequest=smtpd_access_policy\n\n", ATTRIBUTE_SENDER, "x"},
    {"another order", "size=7\nsender=x\n" FIRST "\n", ATTRIBUTE_SIZE, "7"},
    {"the last of two counts", FIRST "sender=x\nsender=y\n\n", ATTRIBUTE_SENDER, "y"},
    {"a prefix is another name", FIRST "sender=x\nsend=y\nsenders=z\n\n", ATTRIBUTE_SENDER, "x"},
    {"names have case", FIRST "sender=x\nSender=y\n\n", ATTRIBUTE_SENDER, "x"},
    {"spaces belong to the value", FIRST "sender= x y \n\n", ATTRIBUTE_SENDER, " x y "},
    {"a space belongs to the name", FIRST "sender =y\n\n", ATTRIBUTE_SENDER, ""},
    {"8-bit octets stay", FIRST "sender=j\xc3\xbcrgen@\xff\n\n", ATTRIBUTE_SENDER,
     "j\xc3\xbcrgen@\xff"},
    {"unknown names are nothing", FIRST "x=1\nsender=x\nzz=\n\n", ATTRIBUTE_SENDER, "x"},
};

struct bad_case {
    const char *name, *input;
    size_t length;
    const char *want;
};

#define LITERAL(text) text, sizeof(text) - 1

static const struct bad_case bads[] = {
    {"no request", LITERAL("\n"), "it is not request=smtpd_access_policy"},
    {"no request, other attributes", LITERAL("sender=x\n\n"),
     "it is not request=smtpd_access_policy"},
    {"another request", LITERAL("request=junk\n\n"), "it is not request=smtpd_access_policy"},
    {"an empty request", LITERAL("request=\n\n"), "it is not request=smtpd_access_policy"},
    {"a web browser", LITERAL("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "a line is not name=value"},
    {"an empty line with CR", LITERAL(FIRST "\r\n"), "a line is not name=value"},
    {"no =", LITERAL(FIRST "sender\n\n"), "a line is not name=value"},
    {"no name", LITERAL(FIRST "=x\n\n"), "a line has no name before its '='"},
    {"NUL in a value", LITERAL(FIRST "sender=a\0b\n\n"), "a line holds a NUL"},
    {"NUL in a name", LITERAL(FIRST "send\0er=a\n\n"), "a line holds a NUL"},
    {"NUL alone", LITERAL("\0\n"), "a line holds a NUL"},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const struct value_case *each = &values[i];
        const size_t length = strlen(each->input);
        struct outcome whole, split;

        feed(each->input, length, MAX_REQUEST, NULL, 0, &whole);
        if (whole.status != PROTOCOL_REQUEST || whole.used != length ||
            strcmp(whole.values[each->attribute], each->want) != 0)
            fail_msg("%s: status %d, used %zu of %zu, value \"%s\"", each->name, (int)whole.status,
                     whole.used, length, whole.values[each->attribute]);
        for (size_t at = 0; at <= length; at++) {
            feed(each->input, length, MAX_REQUEST, &at, 1, &split);
            assert_same(each->name, at, &whole, &split);
        }
    }
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bads); i++) {
        const struct bad_case *each = &bads[i];
        struct outcome whole, split;

        feed(each->input, each->length, MAX_REQUEST, NULL, 0, &whole);
        if (whole.status != PROTOCOL_BAD || strcmp(whole.problem, each->want) != 0)
            fail_msg("%s: status %d \"%s\", want \"%s\"", each->name, (int)whole.status,
                     whole.problem, each->want);
        for (size_t at = 0; at <= each->length; at++) {
            feed(each->input, each->length, MAX_REQUEST, &at, 1, &split);
            assert_same(each->name, at, &whole, &split);
        }
    }
}

static void test_incomplete(void **state)
{
    const size_t length = strlen(POSTFIX_REQUEST);
    struct outcome outcome;

    (void)state;
    for (size_t at = 0; at < length; at++) {
        feed(POSTFIX_REQUEST, at, MAX_REQUEST, NULL, 0, &outcome);
        if (outcome.status != PROTOCOL_MORE)
            fail_msg("the first %zu octets: status %d \"%s\"", at, (int)outcome.status,
                     outcome.problem);
    }
}

/* --- limits --------------------------------------------------------------------------- */

/* FIRST and a sender line, together with the empty line of exactly that many octets. */
static char *request_of(size_t length)
{
    static const char name[] = "sender=";
    const size_t before = strlen(FIRST) + strlen(name);
    char *request = mem_new(length + 1, 1);

    memset(request, 'x', length);
    memcpy(request, FIRST, strlen(FIRST));
    memcpy(request + strlen(FIRST), name, strlen(name));
    assert_true(length > before + 2);
    request[length - 1] = request[length - 2] = '\n';
    return request;
}

static void test_limits(void **state)
{
    static const struct {
        const char *name;
        size_t length, max;
        const char *want; /* NULL: fine */
    } cases[] = {
        {"exactly as large as allowed", 1000, 1000, NULL},
        {"one octet more", 1001, 1000, "the request is too large"},
        {"far more", 8000, 1000, "the request is too large"},
        {"the longest line", 28 + PROTOCOL_LINE_MAX + 2, 20000, NULL},
        {"one octet longer", 28 + PROTOCOL_LINE_MAX + 3, 20000, "a line is too long"},
        {"too long comes before too large", 19000, 18000, "a line is too long"},
        {"too large comes before too long", 19000, 8000, "the request is too large"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *request = request_of(cases[i].length);
        struct outcome whole, split;

        feed(request, cases[i].length, cases[i].max, NULL, 0, &whole);
        if (strcmp(whole.problem, cases[i].want != NULL ? cases[i].want : "") != 0 ||
            whole.status != (cases[i].want != NULL ? PROTOCOL_BAD : PROTOCOL_REQUEST))
            fail_msg("%s: status %d \"%s\"", cases[i].name, (int)whole.status, whole.problem);
        for (size_t at = 1; at < cases[i].length; at += at < 64 ? 1 : 61) {
            feed(request, cases[i].length, cases[i].max, &at, 1, &split);
            assert_same(cases[i].name, at, &whole, &split);
        }
        free(request);
    }
}

/* What is too long is known before its end comes. */
static void test_endless(void **state)
{
    struct outcome outcome;
    char *line = mem_new(PROTOCOL_LINE_MAX + 1, 1);

    (void)state;
    memset(line, 'x', PROTOCOL_LINE_MAX + 1);
    feed(line, PROTOCOL_LINE_MAX, MAX_REQUEST, NULL, 0, &outcome);
    assert_int_equal(outcome.status, PROTOCOL_MORE);
    feed(line, PROTOCOL_LINE_MAX + 1, MAX_REQUEST, NULL, 0, &outcome);
    assert_int_equal(outcome.status, PROTOCOL_BAD);
    assert_string_equal(outcome.problem, "a line is too long");
    feed(line, 500, 500, NULL, 0, &outcome);
    assert_string_equal(outcome.problem, "the request is too large");
    free(line);
}

static void test_attributes(void **state)
{
    static const char attribute[] = "x=y\n";
    char request[sizeof(FIRST) + (PROTOCOL_ATTRIBUTES_MAX + 1) * sizeof(attribute)];
    struct outcome outcome;

    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        size_t length = strlen(FIRST);

        memcpy(request, FIRST, length);
        for (size_t i = 1; i < PROTOCOL_ATTRIBUTES_MAX + more; i++) {
            memcpy(request + length, attribute, strlen(attribute));
            length += strlen(attribute);
        }
        request[length++] = '\n';
        feed(request, length, MAX_REQUEST, NULL, 0, &outcome);
        assert_int_equal(outcome.status, more ? PROTOCOL_BAD : PROTOCOL_REQUEST);
        assert_string_equal(outcome.problem, more ? "too many attributes" : "");
    }
}

/* --- many and at random --------------------------------------------------------------- */

static void test_many(void **state)
{
    enum { REQUESTS = 50 };
    char *bytes = mem_new(REQUESTS, 128);
    size_t length = 0, used, done = 0;
    struct protocol_parser parser;
    struct protocol_request request;
    const char *problem;

    (void)state;
    for (int i = 0; i < REQUESTS; i++)
        length += (size_t)snprintf(bytes + length, 128, FIRST "sender=u%d\n\n", i);
    for (int i = 0; i < REQUESTS; i++) {
        char want[16];

        protocol_begin(&parser);
        assert_int_equal(protocol_parse(&parser, bytes + done, length - done, MAX_REQUEST, &used,
                                        &request, &problem),
                         PROTOCOL_REQUEST);
        snprintf(want, sizeof(want), "u%d", i);
        assert_string_equal(request.values[ATTRIBUTE_SENDER], want);
        done += used;
    }
    assert_int_equal(done, length);
    free(bytes);
}

static int compare(const void *a, const void *b)
{
    const size_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* A few good and bad texts with octets changed at random, cut at random places: never another
 * outcome. */
static void test_random_splits(void **state)
{
    static const char odd[] = "=\n\n\n\0 xs";
    const size_t length = strlen(POSTFIX_REQUEST);
    const char *set = getenv("SEED");
    const unsigned seed = set != NULL ? (unsigned)strtoul(set, NULL, 10) : 20261121;

    (void)state;
    srandom(seed);
    for (int round = 0; round < 3000; round++) {
        char *request = mem_copy_n(POSTFIX_REQUEST, length);
        const long changes = round % 4 == 0 ? 0 : random() % 4;
        const size_t max = random() % 2 == 0 ? MAX_REQUEST : (size_t)(random() % 1000) + 1;
        size_t ends[8];
        struct outcome whole, split;
        char name[64];

        for (long i = 0; i < changes; i++)
            request[(size_t)random() % length] = odd[(size_t)random() % (sizeof(odd) - 1)];
        for (size_t i = 0; i < 8; i++)
            ends[i] = (size_t)random() % length;
        qsort(ends, 8, sizeof(ends[0]), compare);
        feed(request, length, max, NULL, 0, &whole);
        feed(request, length, max, ends, 8, &split);
        snprintf(name, sizeof(name), "SEED=%u round %d", seed, round);
        assert_same(name, ends[0], &whole, &split);
        free(request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_bad),
        cmocka_unit_test(test_incomplete), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_endless),    cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_random_splits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
