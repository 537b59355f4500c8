/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom to ask. */
#include "lib/dns/servers.h"

#include "lib/base/endpoint.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PORT_DNS "53"
#define SPACE " \t\r\n"
#define LINE_MAX_OCTETS 1024 /* of resolv.conf; more of a line is a comment or broken */

/* Whether both are numeric.  getaddrinfo(3) also knows scopes (fe80::1%eth0), and asks nobody. */
static bool is_endpoint(const char *address, const char *port)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_socktype = SOCK_DGRAM,
    };
    struct addrinfo *found = NULL;
    uint16_t number;

    if (address[0] == '\0' || !endpoint_parse_port(port, strlen(port), &number))
        return false;
    if (getaddrinfo(address, port, &hints, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

/* Adds one "ADDRESS[@PORT]", an IPv6 address with or without brackets. */
static bool add_server(const char *word, struct strings *servers_r)
{
    char *address = mem_copy(word);
    char *port = strchr(address, '@');
    char *plain = address;
    size_t length;
    char *server;
    bool added;

    if (port != NULL)
        *port++ = '\0';
    length = strlen(plain);
    if (length > 2 && plain[0] == '[' && plain[length - 1] == ']') {
        plain[length - 1] = '\0';
        plain++;
    }
    added = is_endpoint(plain, port != NULL ? port : PORT_DNS);
    if (added) {
        server = mem_print("%s@%s", plain, port != NULL ? port : PORT_DNS);
        strings_add(servers_r, server);
        free(server);
    }
    free(address);
    return added;
}

static bool read_list(const char *resolver, struct strings *servers_r, char **problem_r)
{
    char *list = mem_copy(resolver);
    char *rest = list;
    bool read = true;
    char *word;

    while (read && (word = strsep(&rest, ",")) != NULL) {
        word += strspn(word, SPACE);
        word[strcspn(word, SPACE)] = '\0';
        if (servers_r->count == DNS_SERVERS_MAX) {
            *problem_r = mem_print("more than %d name servers", DNS_SERVERS_MAX);
            read = false;
        } else if (!add_server(word, servers_r)) {
            *problem_r = mem_print("\"%s\" is not an address with or without a port, as in "
                                   "192.0.2.53 or 127.0.0.1@5353",
                                   word);
            read = false;
        }
    }
    free(list);
    return read;
}

/* The nameserver lines of resolv.conf(5); what is wrong with one of them is not ours to refuse. */
static bool read_system(const char *resolv_conf, struct strings *servers_r, char **problem_r)
{
    char line[LINE_MAX_OCTETS];
    FILE *file = fopen(resolv_conf, "re");

    /* Without the file, and without a line in it, the resolver is on this host. */
    if (file == NULL && errno != ENOENT) {
        *problem_r = mem_print("%s: %s", resolv_conf, strerror(errno));
        return false;
    }
    while (file != NULL && servers_r->count < DNS_SERVERS_MAX &&
           fgets(line, sizeof(line), file) != NULL) {
        static const char keyword[] = "nameserver";
        char *word = line + sizeof(keyword) - 1;

        if (strncmp(line, keyword, sizeof(keyword) - 1) != 0 || strspn(word, SPACE) == 0)
            continue;
        word += strspn(word, SPACE);
        word[strcspn(word, SPACE)] = '\0';
        (void)add_server(word, servers_r);
    }
    if (file != NULL)
        (void)fclose(file);
    if (servers_r->count == 0)
        (void)add_server("127.0.0.1", servers_r);
    return true;
}

bool dns_servers_read(const char *resolver, const char *resolv_conf, struct strings *servers_r,
                      char **problem_r)
{
    bool read;

    *servers_r = (struct strings){0};
    if (strcmp(resolver, "system") == 0)
        read = read_system(resolv_conf, servers_r, problem_r);
    else
        read = read_list(resolver, servers_r, problem_r);
    if (!read)
        strings_free(servers_r);
    return read;
}
