dnl SPDX-License-Identifier: BSD-2-Clause
dnl Keeping parsed DKIM keys (lib/auth/key_cache.h): it takes the place of a function of OpenSSL's, and
dnl needs that function's newer form to fall back on.

AC_DEFUN([SLUICE_KEY_CACHE], [
  AC_ARG_ENABLE([key-cache], [AS_HELP_STRING([--disable-key-cache],
    [let libopendkim parse the private key for every signature (slower)])], [], [enable_key_cache=yes])
  AS_IF([test "$enable_key_cache" = yes], [
    sluice_saved_LIBS=$LIBS
    LIBS="$CRYPTO_LIBS $LIBS"
    AC_CHECK_FUNC([PEM_read_bio_PrivateKey_ex], [], [enable_key_cache=no])
    LIBS=$sluice_saved_LIBS
  ])
  AM_CONDITIONAL([KEY_CACHE], [test "$enable_key_cache" = yes])
])
