#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# How contrib/lib.sh installs packages, with stand-ins for apt-get and dpkg-query: what is missing is
# installed, no daemon may start meanwhile, and the machine's own policy comes back whatever happens.
set -eu
: "${top_srcdir:=.}"
sluice_top=$(cd "$top_srcdir" && pwd)
. "$sluice_top/contrib/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

policy_file=$work/policy-rc.d
policy_kept=$work/policy-rc.d.kept
mkdir "$work/bin"
cat >"$work/bin/dpkg-query" <<'STUB'
#!/bin/sh
for package in "$@"; do :; done
case $package in
    there) echo installed ;;
    removed) echo config-files ;;
    purged) echo not-installed ;;
    *) echo "no packages found matching $package" >&2; exit 1 ;;
esac
STUB
cat >"$work/bin/apt-get" <<STUB
#!/bin/sh
echo "\$*" >>"$work/calls"
if [ -x "$policy_file" ]; then sh "$policy_file"; echo "policy \$?" >>"$work/calls"; fi
exit \$(cat "$work/result")
STUB
printf '#!/bin/sh\ncat >>"%s"\n' "$work/calls" >"$work/bin/debconf-set-selections"
printf '#!/bin/sh\necho 0\n' >"$work/bin/id"
chmod +x "$work/bin"/*
PATH=$work/bin:$PATH

# same NAME GOT WANT
same() {
    if [ "$2" != "$3" ]; then
        printf '%s: got "%s", wanted "%s"\n' "$1" "$2" "$3"
        status=1
    fi
}

same "what is missing" "$(missing_packages there removed purged unknown | tr '\n' ' ')" \
    "removed purged unknown "

echo 0 >"$work/result"
install_packages "$work/log" there
same "nothing is missing" "$(cat "$work/calls" 2>/dev/null)" ""

echo "the machine's own" >"$policy_file"
install_packages "$work/log" there purged postfix >/dev/null
same "no daemon starts" "$(grep -c 'policy 101' "$work/calls")" 2
same "only the missing ones" "$(grep -c ' purged postfix$' "$work/calls")" 1
same "nothing is removed" "$(grep -c -e --no-remove "$work/calls")" 1
same "no Postfix is set up" "$(grep -c 'No configuration' "$work/calls")" 1
same "the policy is back" "$(cat "$policy_file")" "the machine's own"

echo 100 >"$work/result"
result=0
install_packages "$work/log" purged >/dev/null 2>&1 || result=$?
same "apt-get fails" "$result" 1
same "the policy is back after a failure" "$(cat "$policy_file")" "the machine's own"

forbid_services
forbid_services
allow_services
same "the policy is back after a killed run" "$(cat "$policy_file")" "the machine's own"

rm "$policy_file"
forbid_services
allow_services
same "there was no policy" "$(find "$work" -name "policy*")" ""

printf '#!/bin/sh\necho 1000\n' >"$work/bin/id"
result=0
said=$(install_packages "$work/log" there purged 2>&1) || result=$?
same "not root" "$result $said" "1 Packages are missing; run as root: apt-get install purged "

for section in build servers test; do
    [ -n "$(packages_of $section)" ] || same "packages of $section" "" "some"
done
same "packages of two sections" "$(packages_of build test | grep -c -x -e automake -e mandoc -e nsd)" 2

exit $status
