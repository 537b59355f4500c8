/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/libspf2.h"

#include "lib/base/mem.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <arpa/nameser.h>
#include <spf2/spf.h>

#define TTL_SEC 60

static const char *result_name(SPF_result_t result)
{
    switch (result) {
    case SPF_RESULT_PASS:
        return "pass";
    case SPF_RESULT_FAIL:
        return "fail";
    case SPF_RESULT_SOFTFAIL:
        return "softfail";
    case SPF_RESULT_NEUTRAL:
        return "neutral";
    case SPF_RESULT_NONE:
        return "none";
    case SPF_RESULT_TEMPERROR:
        return "temperror";
    case SPF_RESULT_PERMERROR:
        return "permerror";
    default:
        return "permerror";
    }
}

static void add_octets(SPF_dns_rr_t *answer, int at, const void *bytes, size_t length)
{
    if (SPF_dns_rr_buf_realloc(answer, at, length) != SPF_E_SUCCESS)
        abort();
    memcpy(answer->rr[at], bytes, length);
    answer->num_rr = at + 1;
}

/* An AAAA record may hold an IPv4 address, too. */
static struct in6_addr v6_octets(const struct ip_address *address)
{
    struct in6_addr v6 = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

    if (address->family == 4)
        memcpy(v6.s6_addr + 12, address->bytes, 4);
    else
        memcpy(v6.s6_addr, address->bytes, sizeof(v6.s6_addr));
    return v6;
}

static void add_record(SPF_dns_rr_t *answer, const struct dns_record *record)
{
    int at = answer->num_rr;

    if (answer->rr_type == ns_t_a)
        add_octets(answer, at, record->address.bytes, 4);
    else if (answer->rr_type == ns_t_aaaa)
        add_octets(answer, at, v6_octets(&record->address).s6_addr, 16);
    else
        add_octets(answer, at, record->text, record->length + 1);
}

static SPF_dns_rr_t *look_up(SPF_dns_server_t *layer, const char *name, ns_type type, int cache)
{
    static const int errors[] = {
        [DNS_FOUND] = NETDB_SUCCESS, [DNS_NO_DATA] = NO_DATA, [DNS_ABSENT] = HOST_NOT_FOUND,
        [DNS_FAILED] = TRY_AGAIN,    [DNS_BOGUS] = TRY_AGAIN,
    };
    const struct lookup *lookup = layer->hook;
    const struct dns_answer *found = NULL;
    SPF_dns_rr_t *answer;

    (void)cache;
    if (type != ns_t_spf && lookup_is_name(name))
        found = lookup_find(lookup, name, (enum dns_type)type);
    answer = SPF_dns_rr_new_init(layer, name, type, TTL_SEC,
                                 found != NULL ? errors[found->status] : HOST_NOT_FOUND);
    for (size_t i = 0; found != NULL && found->status == DNS_FOUND && i < found->count; i++)
        add_record(answer, &found->records[i]);
    return answer;
}

static SPF_dns_server_t layer = {.lookup = look_up, .name = "answers"};
static SPF_server_t *server;

void libspf2_open(void)
{
    SPF_error_handler = NULL;
    SPF_warning_handler = NULL;
    SPF_info_handler = NULL;
    SPF_debug_handler = NULL;
    server = SPF_server_new_dns(&layer, 0);
    if (server == NULL)
        abort();
}

void libspf2_close(void)
{
    SPF_server_free(server);
}

static void set_client(SPF_request_t *request, const struct ip_address *client)
{
    struct in_addr v4;

    memcpy(&v4, client->bytes, sizeof(v4));
    if (client->family == 4)
        SPF_request_set_ipv4(request, v4);
    else
        SPF_request_set_ipv6(request, v6_octets(client));
}

/* No macro is left in the records, so that neither the HELO name nor the local part matters; and
 * whoever asks counts the lookups. */
const char *libspf2_check(const struct ip_address *client, const char *domain,
                          const struct lookup *lookup)
{
    SPF_request_t *request = SPF_request_new(server);
    SPF_response_t *response = NULL;
    char *sender = mem_print("postmaster@%s", domain);
    const char *name;

    layer.hook = (void *)(uintptr_t)lookup;
    set_client(request, client);
    SPF_request_set_helo_dom(request, domain);
    SPF_request_set_env_from(request, sender);
    SPF_request_query_mailfrom(request, &response);
    name = result_name(SPF_response_result(response));
    free(sender);
    SPF_response_free(response);
    SPF_request_free(request);
    return name;
}
