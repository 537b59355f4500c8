/* SPDX-License-Identifier: BSD-2-Clause */
/* IP addresses and networks. */
#include "lib/base/ip.h"

#include "lib/base/count.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAPPED_PREFIX 96 /* ::ffff:0:0/96, RFC 4291 section 2.5.5.2 */

static const uint8_t mapped_start[12] = {[10] = 0xff, [11] = 0xff};

static unsigned family_bits(uint8_t family)
{
    return family == 4 ? 32 : family == 6 ? 128 : 0;
}

static void set_v4(struct ip_address *address, const void *octets)
{
    *address = (struct ip_address){.family = 4};
    memcpy(address->bytes, octets, 4);
}

static void set_v6(struct ip_address *address, const uint8_t octets[16])
{
    if (memcmp(octets, mapped_start, sizeof(mapped_start)) == 0) {
        set_v4(address, octets + sizeof(mapped_start));
        return;
    }
    *address = (struct ip_address){.family = 6};
    memcpy(address->bytes, octets, 16);
}

/* mapped_r: written as an IPv4-mapped IPv6 address, so a prefix behind it counts in 128 bits. */
static bool parse(const char *string, size_t length, struct ip_address *address_r, bool *mapped_r)
{
    static const char tag[] = "IPv6:";
    char plain[IP_TEXT_MAX];
    uint8_t octets[16];
    bool tagged;

    if (length >= 2 && string[0] == '[' && string[length - 1] == ']') {
        string++;
        length -= 2;
    }
    tagged = length > sizeof(tag) - 1 && strncasecmp(string, tag, sizeof(tag) - 1) == 0;
    if (tagged) {
        string += sizeof(tag) - 1;
        length -= sizeof(tag) - 1;
    }
    if (length >= sizeof(plain))
        return false;
    memcpy(plain, string, length);
    plain[length] = '\0';
    if (!tagged && inet_pton(AF_INET, plain, octets) == 1) {
        set_v4(address_r, octets);
        *mapped_r = false;
        return true;
    }
    if (inet_pton(AF_INET6, plain, octets) != 1)
        return false;
    set_v6(address_r, octets);
    *mapped_r = address_r->family == 4;
    return true;
}

bool ip_parse(const char *string, struct ip_address *address_r)
{
    struct ip_address address;
    bool mapped;

    if (!parse(string, strlen(string), &address, &mapped))
        return false;
    *address_r = address;
    return true;
}

bool ip_from_sockaddr(const struct sockaddr *socket_address, struct ip_address *address_r)
{
    /* Copies, since a struct sockaddr may be aligned for less than its family's struct. */
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    switch (socket_address->sa_family) {
    case AF_INET:
        memcpy(&v4, socket_address, sizeof(v4));
        set_v4(address_r, &v4.sin_addr);
        return true;
    case AF_INET6:
        memcpy(&v6, socket_address, sizeof(v6));
        set_v6(address_r, v6.sin6_addr.s6_addr);
        return true;
    default:
        return false;
    }
}

socklen_t ip_to_sockaddr(const struct ip_address *address, uint16_t port,
                         struct sockaddr_storage *socket_address_r)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)socket_address_r;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)socket_address_r;

    memset(socket_address_r, 0, sizeof(*socket_address_r));
    switch (address->family) {
    case 4:
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, address->bytes, sizeof(v4->sin_addr));
        return sizeof(*v4);
    case 6:
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        memcpy(&v6->sin6_addr, address->bytes, sizeof(v6->sin6_addr));
        return sizeof(*v6);
    default:
        return 0;
    }
}

void ip_format(const struct ip_address *address, char text_r[IP_TEXT_MAX])
{
    text_r[0] = '\0';
    if (address->family != 0)
        (void)inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, text_r,
                        IP_TEXT_MAX);
}

/* One to three digits and nothing else. */
static bool parse_prefix(const char *string, unsigned *prefix_r)
{
    size_t digits = strspn(string, "0123456789");
    unsigned prefix = 0;

    if (digits == 0 || digits > 3 || string[digits] != '\0')
        return false;
    for (; *string != '\0'; string++)
        prefix = prefix * 10 + (unsigned)(*string - '0');
    *prefix_r = prefix;
    return true;
}

bool ip_network_parse(const char *string, struct ip_network *network_r, const char **problem_r)
{
    const char *slash = strchr(string, '/');
    size_t length = slash != NULL ? (size_t)(slash - string) : strlen(string);
    struct ip_address address;
    struct ip_network network;
    unsigned prefix;
    bool mapped;

    if (!parse(string, length, &address, &mapped)) {
        *problem_r = "not an IP address";
        return false;
    }
    prefix = mapped ? 128 : family_bits(address.family);
    if (slash != NULL && !parse_prefix(slash + 1, &prefix)) {
        *problem_r = "what follows the slash is not a number of bits";
        return false;
    }
    if (mapped && prefix < MAPPED_PREFIX) {
        *problem_r = "a network of IPv4-mapped addresses has at least 96 bits";
        return false;
    }
    if (mapped)
        prefix -= MAPPED_PREFIX;
    if (prefix > family_bits(address.family)) {
        *problem_r = address.family == 4 ? "an IPv4 network has at most 32 bits"
                                         : "an IPv6 network has at most 128 bits";
        return false;
    }
    network = ip_network_of(&address, prefix);
    if (memcmp(&network.address, &address, sizeof(address)) != 0) {
        *problem_r = "a bit is set behind the network's prefix";
        return false;
    }
    *network_r = network;
    return true;
}

bool ip_network_contains(const struct ip_network *network, const struct ip_address *address)
{
    size_t whole = network->prefix / 8;
    unsigned rest = network->prefix % 8;

    if (network->address.family != address->family || address->family == 0)
        return false;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

void ip_network_format(const struct ip_network *network, char text_r[IP_TEXT_MAX])
{
    size_t length;

    ip_format(&network->address, text_r);
    length = strlen(text_r);
    if (length > 0 && network->prefix < family_bits(network->address.family))
        (void)snprintf(text_r + length, IP_TEXT_MAX - length, "/%u", network->prefix);
}

struct ip_network ip_network_of(const struct ip_address *address, unsigned prefix)
{
    struct ip_network network = {.address = *address};
    unsigned bits = family_bits(address->family);
    size_t whole;

    if (prefix > bits)
        prefix = bits;
    network.prefix = (uint8_t)prefix;
    whole = prefix / 8;
    if (prefix % 8 != 0) {
        network.address.bytes[whole] &= (uint8_t)(0xff00 >> prefix % 8);
        whole++;
    }
    if (whole < bits / 8)
        memset(network.address.bytes + whole, 0, bits / 8 - whole);
    return network;
}

#define V4(a, b, c, bits) .address = {4, {a, b, c}}, .prefix = bits
#define V6(a, b, c, d, bits) .address = {6, {a, b, c, d}}, .prefix = bits

/* What IANA's special-purpose registries (RFC 6890) hold and does not reach globally; multicast. */
static const struct ip_network special[] = {
    {V4(0, 0, 0, 8)},
    {V4(10, 0, 0, 8)},
    {V4(100, 64, 0, 10)},
    {V4(127, 0, 0, 8)},
    {V4(169, 254, 0, 16)},
    {V4(172, 16, 0, 12)},
    {V4(192, 0, 0, 24)},
    {V4(192, 0, 2, 24)},
    {V4(192, 88, 99, 24)},
    {V4(192, 168, 0, 16)},
    {V4(198, 18, 0, 15)},
    {V4(198, 51, 100, 24)},
    {V4(203, 0, 113, 24)},
    {V4(224, 0, 0, 4)},
    {V4(240, 0, 0, 4)},
    {V6(0x20, 0x01, 0, 0, 23)},
    {V6(0x20, 0x01, 0x0d, 0xb8, 32)},
    {V6(0x3f, 0xff, 0, 0, 20)},
};

bool ip_is_public(const struct ip_address *address)
{
    /* All of IPv6 that was ever given out (RFC 4291 section 2.4), and IPv4 behind NAT64 (RFC 6052).
     */
    static const struct ip_network global = {V6(0x20, 0, 0, 0, 3)};
    static const struct ip_network nat64 = {V6(0x00, 0x64, 0xff, 0x9b, 96)};
    struct ip_address inner;

    if (address->family == 0)
        return false;
    if (ip_network_contains(&nat64, address)) {
        set_v4(&inner, address->bytes + 12);
        return ip_is_public(&inner);
    }
    if (address->family == 6 && !ip_network_contains(&global, address))
        return false;
    for (size_t i = 0; i < COUNT_OF(special); i++)
        if (ip_network_contains(&special[i], address))
            return false;
    return true;
}

const char *ip_local_kind(const struct ip_address *address)
{
    static const char private[] = "private", loopback[] = "loopback", link[] = "link-local",
                      unspecified[] = "unspecified";
    static const struct {
        struct ip_network network;
        const char *kind;
    } kinds[] = {
        {{V4(0, 0, 0, 8)}, unspecified},
        {{V4(10, 0, 0, 8)}, private},
        {{V4(100, 64, 0, 10)}, private}, /* RFC 6598 */
        {{V4(127, 0, 0, 8)}, loopback},
        {{V4(169, 254, 0, 16)}, link},
        {{V4(172, 16, 0, 12)}, private},
        {{V4(192, 168, 0, 16)}, private},
        {{.address = {6, {0}}, .prefix = 128}, unspecified},
        {{.address = {6, {[15] = 1}}, .prefix = 128}, loopback},
        {{V6(0xfc, 0, 0, 0, 7)}, private}, /* RFC 4193 */
        {{V6(0xfe, 0x80, 0, 0, 10)}, link},
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (ip_network_contains(&kinds[i].network, address))
            return kinds[i].kind;
    return NULL;
}

bool ip_is_loopback(const struct ip_address *address)
{
    const char *kind = ip_local_kind(address);

    return kind != NULL && strcmp(kind, "loopback") == 0;
}
