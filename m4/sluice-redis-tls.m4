dnl SPDX-License-Identifier: BSD-2-Clause
dnl TLS to Redis (lib/store/redis_tls.h): hiredis has it from 1.0 on, in a library of its own.

AC_DEFUN([SLUICE_REDIS_TLS], [
  AC_ARG_ENABLE([redis-tls], [AS_HELP_STRING([--enable-redis-tls],
    [speak TLS to Redis (default: if hiredis_ssl >= 1.0 is there)])], [], [enable_redis_tls=check])
  have_HIREDIS_SSL=no
  AS_IF([test "$enable_redis_tls" != no],
    [dnl Its header needs the other one before it.
    SLUICE_FIND_LIBRARY([HIREDIS_SSL], [hiredis_ssl], [hiredis_ssl >= 1.0],
      [hiredis/hiredis.h>
    #include <hiredis/hiredis_ssl.h],
      [redisInitiateSSL], [-lhiredis_ssl])])
  AS_IF([test "$have_HIREDIS_SSL" = no], [
    HIREDIS_SSL_LIBS=
    REDIS_TLS=0
    AS_CASE([$enable_redis_tls],
      [yes], [sluice_missing="$sluice_missing
  hiredis_ssl is missing: apt-get install libhiredis-dev (1.0 or newer)"],
      [check], [AC_MSG_NOTICE([hiredis_ssl is missing, so TLS to Redis needs stunnel (contrib/stunnel)])])
  ], [REDIS_TLS=1])
  AC_SUBST([REDIS_TLS])
  AM_CONDITIONAL([REDIS_TLS], [test "$have_HIREDIS_SSL" != no])
])
