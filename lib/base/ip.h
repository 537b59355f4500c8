/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IP addresses and networks.
 *
 * An IPv4-mapped IPv6 address (::ffff:192.0.2.1) is the IPv4 address: MTAs report both for the
 * same client, and a limit must not tell them apart.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define IP_TEXT_MAX 64 /* room for any address or network as text, with NUL */

struct ip_address {
    uint8_t family; /* 0 (none), 4 or 6 */
    uint8_t bytes[16]; /* the first 4 for IPv4; the rest zero, so that memcmp(3) compares */
};

struct ip_network {
    struct ip_address address; /* host bits are zero */
    uint8_t prefix; /* in bits of its family */
};

/* "192.0.2.1", "2001:db8::1", also Postfix' and Sendmail's "IPv6:2001:db8::1" and "[...]".  false:
 * not an address. */
bool ip_parse(const char *string, struct ip_address *address_r);
bool ip_from_sockaddr(const struct sockaddr *socket_address, struct ip_address *address_r);

/* With that port, for bind(2) and connect(2).  Returns the length of what is used; 0 for family 0.
 */
socklen_t ip_to_sockaddr(const struct ip_address *address, uint16_t port,
                         struct sockaddr_storage *socket_address_r);

/* Canonical text (RFC 5952); "" for family 0. */
void ip_format(const struct ip_address *address, char text_r[IP_TEXT_MAX]);

/* "10.0.0.0/8", "::1", "[2001:db8::]/32" (Postfix writes the brackets); a set host bit is an error
 * (problem_r says so in a few words, a literal), as it is in Postfix' mynetworks. */
bool ip_network_parse(const char *string, struct ip_network *network_r, const char **problem_r);
bool ip_network_contains(const struct ip_network *network, const struct ip_address *address);
void ip_network_format(const struct ip_network *network, char text_r[IP_TEXT_MAX]);

/* The address's network of that many bits: its host bits cleared. */
struct ip_network ip_network_of(const struct ip_address *address, unsigned prefix);

/* Loopback, private (RFC 1918, 4193), link-local, unspecified, multicast, documentation:
 * addresses that no mail server on the internet can have. */
bool ip_is_public(const struct ip_address *address);

/* What kind of address it is that only its own machine or network can reach: "loopback", "private",
 * "link-local", "unspecified"; NULL for all others, those for documentation among them. */
const char *ip_local_kind(const struct ip_address *address);
bool ip_is_loopback(const struct ip_address *address);
