/* SPDX-License-Identifier: BSD-2-Clause */
/* Preloaded into the tests' Postfix: it asks the site's name server, whatever /etc/resolv.conf
 * says. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <sys/types.h>

int __res_ninit(res_state state)
{
    int (*real)(res_state) = (int (*)(res_state))dlsym(RTLD_NEXT, "__res_ninit");
    const char *port = getenv("RESOLVER_PORT");
    int result = real(state);

    state->nscount = 1;
    state->retrans = 1;
    state->nsaddr_list[0] = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)strtoul(port != NULL ? port : "0", NULL, 10)),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    return result;
}
