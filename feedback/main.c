/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice-feedback: learns from the MTA's log what becomes of mail. */
#include "feedback/program.h"

int main(int argc, char **argv)
{
    return daemon_main(argc, argv, &feedback_program);
}
