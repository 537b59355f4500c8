/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts and ports. */
#include "lib/base/endpoint.h"

#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

_Static_assert(ENDPOINT_PATH_MAX == sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1,
               "a path and its NUL fill the address");

bool endpoint_parse_port(const char *bytes, size_t length, uint16_t *port_r)
{
    int64_t port;

    if (!text_number(bytes, length, &port) || port < 1 || port > 65535)
        return false;
    *port_r = (uint16_t)port;
    return true;
}

bool endpoint_parse(const char *bytes, size_t length, uint16_t fallback, char **host_r,
                    uint16_t *port_r)
{
    const bool brackets = length > 0 && *bytes == '[';
    const char *host = bytes + brackets;
    const char *last = bytes + length;
    const char *end = memchr(host, brackets ? ']' : ':', (size_t)(last - host));
    struct ip_address address;
    uint16_t port = fallback;
    char *copy;
    bool parsed;

    if (end == NULL && !brackets)
        end = last;
    if (end == NULL || end == host)
        return false;
    copy = mem_copy_n(host, (size_t)(end - host));
    end += brackets;
    parsed = (!brackets || (ip_parse(copy, &address) && address.family == 6)) &&
             (end == last ||
              (*end == ':' && endpoint_parse_port(end + 1, (size_t)(last - end - 1), &port)));
    if (!parsed) {
        free(copy);
        return false;
    }
    *host_r = copy;
    *port_r = port;
    return true;
}

bool endpoint_is_path(const char *path)
{
    return path[0] == '/' && strlen(path) <= ENDPOINT_PATH_MAX;
}
