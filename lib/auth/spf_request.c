/* SPDX-License-Identifier: BSD-2-Clause */
/* What a second SPF engine is asked: reading it. */
#include "lib/auth/spf_second.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct word {
    const char *name;
    int value;
};

static const struct word types[] = {
    {"A", DNS_A}, {"AAAA", DNS_AAAA}, {"MX", DNS_MX}, {"PTR", DNS_PTR}, {"TXT", DNS_TXT}};
static const struct word statuses[] = {
    {"found", DNS_FOUND}, {"nodata", DNS_NO_DATA}, {"absent", DNS_ABSENT}};

static bool find_word(const struct word *words, size_t count, const char *name, int *value_r)
{
    for (size_t i = 0; name != NULL && i < count; i++)
        if (strcmp(words[i].name, name) == 0) {
            *value_r = words[i].value;
            return true;
        }
    return false;
}

bool spf_status_parse(const char *name, enum spf_status *status_r)
{
    for (enum spf_status status = SPF_NONE; status <= SPF_PERMERROR; status++)
        if (strcmp(spf_status_name(status), name) == 0) {
            *status_r = status;
            return true;
        }
    return false;
}

/* "TYPE STATUS NAME" */
static bool begin_answer(struct spf_request *request, char *line)
{
    struct dns_answer *answer = &request->answers[request->count];
    int type, status;

    if (request->count == SPF_SECOND_ANSWERS_MAX ||
        !find_word(types, COUNT_OF(types), strsep(&line, " "), &type) ||
        !find_word(statuses, COUNT_OF(statuses), strsep(&line, " "), &status) || line == NULL ||
        !lookup_is_name(line))
        return false;
    *answer = (struct dns_answer){
        .status = (enum dns_status)status, .type = (enum dns_type)type, .name = line};
    request->count++;
    return true;
}

static bool add_value(struct spf_request *request, char *line)
{
    struct dns_record record = {.text = line, .length = strlen(line)};
    struct dns_answer *answer;
    struct dns_record **records;

    if (request->count == 0)
        return false;
    answer = &request->answers[request->count - 1];
    records = &request->records[request->count - 1];
    if (answer->status != DNS_FOUND)
        return false;
    if (answer->type == DNS_A || answer->type == DNS_AAAA) {
        record.text = NULL;
        if (!ip_parse(line, &record.address))
            return false;
        if (answer->type == DNS_A && record.address.family != 4)
            return false;
    }
    *records = mem_grow(*records, answer->count + 1, sizeof(**records));
    (*records)[answer->count++] = record;
    answer->records = *records;
    return true;
}

static bool read_client(struct spf_request *request, char *line)
{
    return ip_parse(line, &request->client);
}

static bool read_domain(struct spf_request *request, char *line)
{
    request->domain = line;
    return lookup_is_name(line);
}

static bool read_line(struct spf_request *request, char *line)
{
    static const struct {
        const char *word;
        bool (*read)(struct spf_request *request, char *line);
    } rows[] = {
        {"client", read_client}, {"domain", read_domain}, {"ask", begin_answer}, {"is", add_value}};
    const char *word = strsep(&line, " ");

    for (size_t i = 0; line != NULL && i < COUNT_OF(rows); i++)
        if (strcmp(word, rows[i].word) == 0)
            return rows[i].read(request, line);
    return false;
}

bool spf_request_parse(const char *bytes, size_t length, struct spf_request *request_r)
{
    char *rest = mem_copy_n(bytes, length);
    bool good = length > 0 && length <= SPF_SECOND_MAX && bytes[length - 1] == '\n' &&
                memchr(bytes, '\0', length) == NULL;

    *request_r = (struct spf_request){.bytes = rest};
    if (good)
        rest[length - 1] = '\0';
    while (good && rest != NULL)
        good = read_line(request_r, strsep(&rest, "\n"));
    good = good && request_r->client.family != 0 && request_r->domain != NULL;
    if (!good)
        spf_request_clear(request_r);
    return good;
}

void spf_request_clear(struct spf_request *request)
{
    for (size_t i = 0; i < request->count; i++)
        free(request->records[i]);
    free(request->bytes);
    *request = (struct spf_request){.bytes = NULL};
}

static const struct dns_answer *find(void *context, const char *name, enum dns_type type)
{
    static const struct dns_answer absent = {.status = DNS_ABSENT};
    struct spf_request *request = context;

    for (size_t i = 0; i < request->count; i++)
        if (request->answers[i].type == type && text_equal_case(request->answers[i].name, name))
            return &request->answers[i];
    request->missed = true;
    return &absent;
}

struct lookup spf_request_lookup(struct spf_request *request)
{
    return (struct lookup){.find = find, .context = request};
}
