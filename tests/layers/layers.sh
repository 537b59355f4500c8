#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Checks every C file's place in the house: includes go downwards only and are written from the top,
# headers compile alone and have "#pragma once", and the licence is the first line.
# Needs CC and LIBRARY_CFLAGS; top_srcdir is the tree to check, top_builddir has its generated headers.
set -eu
: "${CC:=cc}" "${LIBRARY_CFLAGS:=}" "${top_srcdir:=.}" "${top_builddir:=$top_srcdir}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$top_srcdir"

folders=
for folder in lib engine milter policy feedback ctl tests; do
    if [ -d "$folder" ]; then
        folders="$folders $folder"
    fi
done
find $folders -type f -name '*.[ch]' ! -name '*.lua.h' | LC_ALL=C sort >"$work/files"
if [ ! -s "$work/files" ]; then
    echo "no C files below $top_srcdir"
    exit 77
fi

cat >"$work/check.awk" <<'AWK'
BEGIN {
    layer["base"] = 0
    layer["conf"] = 1
    layer["message"] = layer["causes"] = layer["log"] = 2
    layer["store"] = layer["dns"] = layer["geo"] = layer["metrics"] = layer["socketmap"] = 3
    layer["auth"] = layer["content"] = 4
    layer["decide"] = layer["classify"] = 5
    layer["daemon"] = 6
    program["engine"] = program["milter"] = program["policy"] = program["feedback"] = program["ctl"] = 7
}
function complain(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    bad = 1
}
function check_include(path,   from, to, n) {
    n = split(path, to, "/")
    if (n < 2 || !(to[1] == "lib" || to[1] == "tests" || to[1] in program)) {
        complain("\"" path "\" is not written from the top of the tree")
        return
    }
    split(FILENAME, from, "/")
    if (from[1] == "tests")
        return
    if (to[1] == "lib" && !(to[2] in layer))
        complain("lib/" to[2] " has no layer")
    else if (from[1] == "lib" && to[1] != "lib")
        complain("the library may not include " to[1] "/")
    else if (from[1] == "lib" && from[2] != to[2] && layer[to[2]] == layer[from[2]])
        complain("lib/" from[2] " may not include lib/" to[2] ": they are in the same layer")
    else if (from[1] == "lib" && layer[to[2]] > layer[from[2]])
        complain("lib/" from[2] " may not include lib/" to[2] ": it is a layer above")
    else if (from[1] in program && to[1] != "lib" && to[1] != from[1])
        complain(from[1] "/ may not include " to[1] "/")
}
FNR == 1 {
    split(FILENAME, place, "/")
    if (place[1] == "lib" && !(place[2] in layer))
        complain("lib/" place[2] " has no layer")
    if ($0 != "/* SPDX-License-Identifier: BSD-2-Clause */")
        complain("the first line is not the SPDX line")
}
$0 == "#pragma once" {
    once[FILENAME] = 1
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    path = $0
    sub(/^[^"]*"/, "", path)
    sub(/".*/, "", path)
    check_include(path)
}
END {
    for (i = 1; i < ARGC; i++)
        if (ARGV[i] ~ /\.h$/ && !(ARGV[i] in once)) {
            printf "%s:1: there is no #pragma once\n", ARGV[i]
            bad = 1
        }
    exit bad
}
AWK

status=0
xargs awk -f "$work/check.awk" <"$work/files" || status=1

grep '\.h$' "$work/files" >"$work/headers" || :
while read -r header; do
    printf '#include "%s"\n' "$header" >"$work/alone.c"
    if ! $CC -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror $LIBRARY_CFLAGS -I"$top_srcdir" \
        -I"$top_builddir" -fsyntax-only "$work/alone.c" 2>"$work/errors"; then
        echo "$header:1: does not compile alone:"
        sed 's/^/    /' "$work/errors"
        status=1
    fi
done <"$work/headers"

echo "$(wc -l <"$work/files") files, $(wc -l <"$work/headers") headers looked at"
exit $status
