/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice-milter: counts, checks and signs mail as a milter of Postfix or Sendmail. */
#include "milter/program.h"

int main(int argc, char **argv)
{
    return daemon_main(argc, argv, &program_milter);
}
