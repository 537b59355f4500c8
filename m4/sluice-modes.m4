dnl SPDX-License-Identifier: BSD-2-Clause
dnl Ways of building for tests (sanitizers, fuzzers, coverage) and where things are installed.

AC_DEFUN([SLUICE_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers=LIST],
    [build with sanitizers: address,undefined or thread])], [], [enable_sanitizers=no])
  AC_ARG_ENABLE([fuzzers], [AS_HELP_STRING([--enable-fuzzers],
    [build the libFuzzer targets; needs clang, and turns on address,undefined unless others are chosen])],
    [], [enable_fuzzers=no])
  AS_CASE([$enable_sanitizers:$enable_fuzzers],
    [yes:*|no:yes], [enable_sanitizers=address,undefined])
  AS_IF([test "$enable_sanitizers" != no], [
    MODE_CFLAGS="-fsanitize=$enable_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
    AS_IF([test -z "$sluice_user_cflags"], [CFLAGS="-g -O1"])
    MODE_LDFLAGS="-fsanitize=$enable_sanitizers"
    sluice_modes=
    SLUICE_LDFLAG([sluice_modes], [$MODE_LDFLAGS], [$MODE_CFLAGS])
    AS_IF([test -z "$sluice_modes"],
      [AC_MSG_ERROR([$CC cannot build with --enable-sanitizers=$enable_sanitizers])])
  ])
])

AC_DEFUN([SLUICE_FUZZERS], [
  AS_IF([test "$enable_fuzzers" = yes], [
    SLUICE_CFLAG([MODE_CFLAGS], [-fsanitize=fuzzer-no-link])
    AS_CASE([$MODE_CFLAGS], [*fuzzer-no-link*], [],
      [AC_MSG_ERROR([--enable-fuzzers needs clang: apt-get install clang, then ./configure CC=clang])])
    FUZZ_LDFLAGS=-fsanitize=fuzzer
  ])
  AC_SUBST([FUZZ_LDFLAGS])
  AM_CONDITIONAL([FUZZERS], [test "$enable_fuzzers" = yes])
])

AC_DEFUN([SLUICE_COVERAGE], [
  AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage],
    [count executed lines; then run: make check coverage])], [], [enable_coverage=no])
  AS_IF([test "$enable_coverage" = yes], [
    MODE_CFLAGS="$MODE_CFLAGS --coverage"
    MODE_LDFLAGS="$MODE_LDFLAGS --coverage"
    AS_IF([test -z "$sluice_user_cflags"], [CFLAGS="-g -O0"])
    AC_CHECK_TOOLS([GCOV], [gcov])
    AC_CHECK_TOOLS([LLVM_COV], [llvm-cov])
    AS_IF([$CC --version 2>/dev/null | grep clang >/dev/null], [GCOV="$LLVM_COV gcov"])
  ])
  AC_SUBST([GCOV])
  AC_SUBST([MODE_CFLAGS])
  AC_SUBST([MODE_LDFLAGS])
  AM_CONDITIONAL([COVERAGE], [test "$enable_coverage" = yes])
])

dnl Without --prefix and the like, a daemon's settings, state and sockets are where Debian's are.
AC_DEFUN([SLUICE_DIRECTORIES], [
  AS_IF([test "$prefix" = NONE], [
    AS_IF([test "$sysconfdir" = '${prefix}/etc'], [sysconfdir=/etc])
    AS_IF([test "$localstatedir" = '${prefix}/var'], [localstatedir=/var])
  ])
  AS_IF([test "$runstatedir" = '${localstatedir}/run' && test "$localstatedir" = /var], [runstatedir=/run])
])
