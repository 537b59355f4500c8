dnl SPDX-License-Identifier: BSD-2-Clause
dnl Compiler and linker flags: each is tried before it is used.

dnl SLUICE_DEFAULT_CFLAGS: coverage and sanitizers choose their own optimisation unless the user did.
AC_DEFUN([SLUICE_DEFAULT_CFLAGS], [
  AC_BEFORE([$0], [AC_PROG_CC])
  sluice_user_cflags=${CFLAGS+yes}
])

dnl SLUICE_CFLAG(VARIABLE, FLAGS, [EXTRA-FLAGS-FOR-THE-TRY]): append FLAGS to VARIABLE if the compiler takes them silently.
AC_DEFUN([SLUICE_CFLAG], [
  AS_VAR_PUSHDEF([sluice_cv], [sluice_cv_cflag_$2])
  AC_CACHE_CHECK([whether $CC takes $2], [sluice_cv], [
    sluice_saved_cflags=$CFLAGS
    CFLAGS="$CFLAGS -Werror $3 $2"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[char b[16]; memset(b, 0, sizeof b); return b[3];]])],
      [AS_VAR_SET([sluice_cv], [yes])], [AS_VAR_SET([sluice_cv], [no])])
    CFLAGS=$sluice_saved_cflags
  ])
  AS_VAR_IF([sluice_cv], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([sluice_cv])
])

dnl SLUICE_LDFLAG(VARIABLE, FLAGS, [COMPILER-FLAGS]): append FLAGS to VARIABLE if a program links with them.
AC_DEFUN([SLUICE_LDFLAG], [
  AS_VAR_PUSHDEF([sluice_cv], [sluice_cv_ldflag_$2])
  AC_CACHE_CHECK([whether the linker takes $2], [sluice_cv], [
    sluice_saved_ldflags=$LDFLAGS
    sluice_saved_cflags=$CFLAGS
    LDFLAGS="$LDFLAGS $2"
    CFLAGS="$CFLAGS -Werror $3"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdlib.h>]], [[char *p = malloc(1); free(p);]])],
      [AS_VAR_SET([sluice_cv], [yes])], [AS_VAR_SET([sluice_cv], [no])])
    LDFLAGS=$sluice_saved_ldflags
    CFLAGS=$sluice_saved_cflags
  ])
  AS_VAR_IF([sluice_cv], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([sluice_cv])
])

AC_DEFUN([SLUICE_WARNINGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [make every compiler warning an error])],
    [], [enable_werror=no])
  m4_foreach_w([sluice_flag], [-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wold-style-definition -Wformat-security -Wvla -Wpointer-arith -Wundef -Wwrite-strings],
    [SLUICE_CFLAG([WARN_CFLAGS], m4_quote(sluice_flag))])
  AS_IF([test "$enable_werror" = yes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
])

dnl Every program gets every library; the linker keeps those that it uses.
AC_DEFUN([SLUICE_LINK_AS_NEEDED], [
  SLUICE_LDFLAG([LINK_LDFLAGS], [-Wl,--as-needed])
  AC_SUBST([LINK_LDFLAGS])
])

dnl With a sanitizer FORTIFY stays off: its wrappers hide reads and writes from the sanitizer.
AC_DEFUN([SLUICE_HARDENING], [
  AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening],
    [leave out PIE, RELRO, FORTIFY, the stack protector and control-flow protection])],
    [], [enable_hardening=yes])
  AS_IF([test "$enable_hardening" != no], [
    SLUICE_LDFLAG([HARDEN_LDFLAGS], [-pie], [-fPIE])
    AS_IF([test -n "$HARDEN_LDFLAGS"], [HARDEN_CFLAGS="$HARDEN_CFLAGS -fPIE"])
    m4_foreach([sluice_flag], [[[-Wl,-z,relro,-z,now]], [[-Wl,-z,noexecstack]]],
      [SLUICE_LDFLAG([HARDEN_LDFLAGS], m4_quote(sluice_flag))])
    m4_foreach_w([sluice_flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection=full],
      [SLUICE_CFLAG([HARDEN_CFLAGS], m4_quote(sluice_flag))])
    SLUICE_FORTIFY
  ])
  AC_SUBST([HARDEN_CFLAGS])
  AC_SUBST([HARDEN_CPPFLAGS])
  AC_SUBST([HARDEN_LDFLAGS])
])

AC_DEFUN([SLUICE_FORTIFY], [
  sluice_optimised=no
  for sluice_flag in $CFLAGS; do
    AS_CASE([$sluice_flag], [-O0], [sluice_optimised=no], [-O|-O?*], [sluice_optimised=yes])
  done
  AS_IF([test "$sluice_optimised$enable_sanitizers" = yesno], [
    SLUICE_CFLAG([HARDEN_CPPFLAGS], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3])
    AS_IF([test -z "$HARDEN_CPPFLAGS"],
      [SLUICE_CFLAG([HARDEN_CPPFLAGS], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2])])
  ])
])
