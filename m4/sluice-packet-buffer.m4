dnl SPDX-License-Identifier: BSD-2-Clause
dnl Reading an MTA's packets in large pieces (milter/packets.c): it takes the place of functions of libc's.

AC_DEFUN([SLUICE_PACKET_BUFFER], [
  AC_ARG_ENABLE([packet-buffer], [AS_HELP_STRING([--disable-packet-buffer],
    [let libmilter read each packet by itself (slower)])], [], [enable_packet_buffer=yes])
  AM_CONDITIONAL([PACKET_BUFFER], [test "$enable_packet_buffer" = yes])
])
