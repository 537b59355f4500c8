dnl SPDX-License-Identifier: BSD-2-Clause
dnl Libraries: found with pkg-config, or by header and function; all that are missing are named at once.

dnl SLUICE_FIND_LIBRARY(PREFIX, NAME, PKG-CONFIG-MODULE, HEADER, FUNCTION, LIBS): sets PREFIX_CFLAGS, PREFIX_LIBS, have_PREFIX.
dnl The include folders become system ones, so that our warnings do not judge other people's headers.
AC_DEFUN([SLUICE_FIND_LIBRARY], [
  AC_MSG_CHECKING([for $2])
  have_$1=no
  AS_IF([test -n "$$1_LIBS"], [have_$1=given],
    [test -n "$PKG_CONFIG" && $PKG_CONFIG --exists "$3" 2>/dev/null], [
      have_$1=yes
      $1_CFLAGS=`$PKG_CONFIG --cflags "$3" | $SED 's/-I */-isystem /g'`
      $1_LIBS=`$PKG_CONFIG --libs "$3"`
    ], [
      $1_LIBS="$6"
    ])
  sluice_saved_cppflags=$CPPFLAGS
  sluice_saved_libs=$LIBS
  CPPFLAGS="$CPPFLAGS $$1_CFLAGS"
  LIBS="$$1_LIBS $LIBS"
  AC_LINK_IFELSE([AC_LANG_SOURCE([[
    #include <stddef.h>
    #include <stdarg.h>
    #include <stdint.h>
    #include <setjmp.h>
    #include <sys/types.h>
    #include <netinet/in.h>
    #include <$4>
    int main(void) { return (void *)&$5 == NULL; }]])],
    [have_$1=yes], [have_$1=no])
  CPPFLAGS=$sluice_saved_cppflags
  LIBS=$sluice_saved_libs
  AC_MSG_RESULT([$have_$1])
  AC_ARG_VAR([$1_CFLAGS], [compiler flags for $2])
  AC_ARG_VAR([$1_LIBS], [linker flags for $2])
])

dnl SLUICE_LIBRARY(…, DEBIAN-PACKAGE): a library that Sluice cannot be built without.
AC_DEFUN([SLUICE_LIBRARY], [
  SLUICE_FIND_LIBRARY([$1], [$2], [$3], [$4], [$5], [$6])
  AS_IF([test "$have_$1" = no], [sluice_missing="$sluice_missing
  $2 is missing: apt-get install $7"])
])

dnl SLUICE_TEST_LIBRARY(…, DEBIAN-PACKAGE): a library that only "make check" needs.
AC_DEFUN([SLUICE_TEST_LIBRARY], [
  SLUICE_FIND_LIBRARY([$1], [$2], [$3], [$4], [$5], [$6])
  AS_IF([test "$have_$1" = no],
    [AC_MSG_WARN([$2 is missing, so there is no "make check": apt-get install $7])])
  AM_CONDITIONAL([HAVE_$1], [test "$have_$1" = yes])
])

AC_DEFUN([SLUICE_LIBRARIES_REPORT], [
  AS_IF([test -z "$PKG_CONFIG" && test -n "$sluice_missing"], [sluice_missing="$sluice_missing
  pkg-config is missing: apt-get install pkg-config"])
  AS_IF([test -n "$sluice_missing"], [AC_MSG_ERROR([libraries are missing$sluice_missing])])
])

dnl SLUICE_SYSTEMD: --with-systemd says whether the journal can be read; by default, where libsystemd is there.
AC_DEFUN([SLUICE_SYSTEMD], [
  AC_ARG_WITH([systemd],
    [AS_HELP_STRING([--with-systemd], [read logs from systemd's journal (default: if libsystemd is there)])],
    [], [with_systemd=check])
  have_SYSTEMD=no
  AS_IF([test "$with_systemd" != no],
    [SLUICE_FIND_LIBRARY([SYSTEMD], [libsystemd], [libsystemd], [systemd/sd-journal.h],
      [sd_journal_open], [-lsystemd])])
  AS_IF([test "$have_SYSTEMD" = no], [
    SYSTEMD_LIBS=
    AS_CASE([$with_systemd],
      [yes], [sluice_missing="$sluice_missing
  libsystemd is missing: apt-get install libsystemd-dev"],
      [check], [AC_MSG_NOTICE([libsystemd is missing, so the journal cannot be read: apt-get install libsystemd-dev])])
  ])
  AM_CONDITIONAL([HAVE_SYSTEMD], [test "$have_SYSTEMD" != no])
])
