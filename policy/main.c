/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice-policyd: the Postfix policy service. */
#include "policy/server.h"

int main(int argc, char **argv)
{
    return daemon_main(argc, argv, &server_program);
}
