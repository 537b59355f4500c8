# SPDX-License-Identifier: BSD-2-Clause
# Shell functions that contrib/test and contrib/quickstart share: Debian packages and the build.
# Source it with sluice_top set to the top of the source tree.

# packages_of SECTION...: the packages of these sections of contrib/packages.
packages_of() (
    for section in "$@"; do
        awk -v want="$section:" '/^# [a-z]+:/ { on = ($2 == want) } /^[^#]/ && on' \
            "$sluice_top/contrib/packages"
    done
)

# missing_packages PACKAGE...: those that are not installed; none where there is no dpkg to ask.
missing_packages() (
    command -v dpkg-query >/dev/null || exit 0
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            echo "$package"
    done
)

policy_file=/usr/sbin/policy-rc.d
policy_kept=$policy_file.before-sluice

# forbid_services: until allow_services, no package that is installed may start its daemon. A policy
# that was there comes back unchanged, also after a run that was killed between the two.
forbid_services() {
    allow_services
    if [ -e "$policy_file" ]; then
        mv "$policy_file" "$policy_kept"
    fi
    printf '#!/bin/sh\n# made by sluice, for a moment\nexit 101\n' >"$policy_file"
    chmod 755 "$policy_file"
}

allow_services() {
    if grep -q 'made by sluice' "$policy_file" 2>/dev/null; then
        rm -f "$policy_file"
    fi
    if [ -e "$policy_kept" ]; then
        mv "$policy_kept" "$policy_file"
    fi
}

# apt_install PACKAGE...: install without questions, without starting a daemon, without removing
# a package (another mail server, for instance), leaving existing configuration files alone.
apt_install() {
    (
        trap allow_services EXIT
        trap 'exit 1' HUP INT TERM
        forbid_services
        export DEBIAN_FRONTEND=noninteractive
        case " $* " in
            *" postfix "*)
                echo "postfix postfix/main_mailer_type select No configuration" |
                    debconf-set-selections
                ;;
        esac
        apt-get update -q || echo "apt-get update failed; going on with the lists that are there"
        apt-get install -y -q --no-install-recommends --no-remove \
            -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
            -o DPkg::Lock::Timeout=120 "$@"
    )
}

# install_packages LOG PACKAGE...: install what is missing, saying so; apt's output goes to LOG.
install_packages() {
    apt_log=$1
    shift
    apt_missing=$(missing_packages "$@" | tr '\n' ' ')
    if [ -z "$apt_missing" ]; then
        return 0
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "Packages are missing; run as root: apt-get install $apt_missing" >&2
        return 1
    fi
    echo "Installing $apt_missing"
    # The list is split into words on purpose.
    # shellcheck disable=SC2086
    if ! apt_install $apt_missing >"$apt_log" 2>&1; then
        echo "apt-get could not install $apt_missing; the end of $apt_log:" >&2
        tail -n 5 "$apt_log" | sed 's/^/    /' >&2
        return 1
    fi
}

# bootstrap_if_needed LOG: make ./configure when it is missing or older than what it is made from.
bootstrap_if_needed() {
    if [ -x "$sluice_top/configure" ] && [ -f "$sluice_top/Makefile.in" ]; then
        newer=$(find "$sluice_top/configure.ac" "$sluice_top/m4" -newer "$sluice_top/configure" -type f)
        if [ -z "$newer" ]; then
            return 0
        fi
    fi
    if ! "$sluice_top/bootstrap" >"$1" 2>&1; then
        echo "./bootstrap failed:" >&2
        tail -n 15 "$1" | sed 's/^/    /' >&2
        return 1
    fi
}

# configure_in FOLDER ARGUMENT...: configure there, unless that has been done with the same arguments.
# The output goes to FOLDER/configure.out.
configure_in() {
    build_folder=$1
    shift
    mkdir -p "$build_folder"
    if [ -f "$build_folder/Makefile" ] && [ "$(cat "$build_folder/arguments" 2>/dev/null)" = "$*" ]; then
        return 0
    fi
    if ! (cd "$build_folder" && "$sluice_top/configure" "$@") >"$build_folder/configure.out" 2>&1; then
        echo "configure $* failed; the end of $build_folder/configure.out:" >&2
        tail -n 15 "$build_folder/configure.out" | sed 's/^/    /' >&2
        return 1
    fi
    echo "$*" >"$build_folder/arguments"
}

# make_in FOLDER ARGUMENT...: make there, with all processors; the output goes to FOLDER/make.out.
make_in() {
    build_folder=$1
    shift
    if ! make -C "$build_folder" -j"$(getconf _NPROCESSORS_ONLN)" "$@" >"$build_folder/make.out" 2>&1; then
        echo "make $* failed; from $build_folder/make.out:" >&2
        { grep -E -B 2 -A 6 '(error|warning|undefined reference|\*\*\*)' "$build_folder/make.out" ||
            tail -n 15 "$build_folder/make.out"; } | head -n 40 | sed 's/^/    /' >&2
        return 1
    fi
}
