/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaded into opendkim-testmsg: sends its DNS questions to 127.0.0.1, port $SITE_DNS_PORT, since
 * resolv.conf(5) knows no ports. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdint.h>
#include <stdlib.h>

int __res_ninit(res_state state)
{
    int (*real)(res_state) = (int (*)(res_state))dlsym(RTLD_NEXT, "__res_ninit");
    const char *port = getenv("SITE_DNS_PORT");
    int result = real != NULL ? real(state) : -1;

    if (port != NULL) {
        state->nscount = 1;
        state->nsaddr_list[0].sin_family = AF_INET;
        state->nsaddr_list[0].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        state->nsaddr_list[0].sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    }
    return result;
}
