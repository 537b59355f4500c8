#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Shows that layers.sh finds each kind of fault, and nothing in a tree that has none.
set -eu
: "${top_srcdir:=.}"
layers=$(cd "$top_srcdir" && pwd)/tests/layers/layers.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# put PATH LINE...: a file in the tree under test, with the licence line unless its first line is "bare"
put() {
    path=$work/tree/$1
    shift
    mkdir -p "${path%/*}"
    if [ "$1" = bare ]; then
        shift
        : >"$path"
    else
        echo '/* SPDX-License-Identifier: BSD-2-Clause */' >"$path"
    fi
    printf '%s\n' "$@" >>"$path"
}

clean_tree() {
    rm -rf "$work/tree"
    put lib/base/str.h '#pragma once' '#include <stddef.h>' 'size_t str_length(const char *s);'
    put lib/base/str.c '#include "lib/base/str.h"'
    put lib/store/store.h '#pragma once' '#include "lib/base/str.h"'
    put lib/dns/dns.h '#pragma once'
    put policy/policy.h '#pragma once' '#include "lib/store/store.h"'
    put milter/main.c '#include "lib/dns/dns.h"'
    put tests/lib/base/test_str.c '#include "policy/policy.h"'
}

# expect NAME RESULT TEXT: what layers.sh says about the tree as it is now
expect() {
    result=0
    top_srcdir=$work/tree top_builddir=$work/tree sh "$layers" >"$work/output" 2>&1 || result=$?
    if [ "$result" -ne "$2" ] || ! grep -F -e "$3" "$work/output" >/dev/null; then
        echo "$1: wanted exit $2 and \"$3\", got exit $result and:"
        sed 's/^/    /' "$work/output"
        status=1
    fi
    clean_tree
}

clean_tree
expect "no fault" 0 "7 files, 4 headers looked at"

put lib/base/str.c '#include "lib/store/store.h"'
expect "upwards" 1 "lib/base/str.c:2: lib/base may not include lib/store: it is a layer above"

put lib/store/store.c '#include "lib/dns/dns.h"'
expect "sideways" 1 "lib/store may not include lib/dns: they are in the same layer"

put lib/store/store.c '  #  include "policy/policy.h"'
expect "a program from the library" 1 "the library may not include policy/"

put lib/store/store.c '#include "tests/support/clock.h"'
expect "a test from the library" 1 "the library may not include tests/"

put milter/main.c '#include "policy/policy.h"'
expect "a program from another" 1 "milter/ may not include policy/"

put lib/base/str.c '#include "str.h"'
expect "not from the top" 1 '"str.h" is not written from the top of the tree'

put lib/store/store.c '#include "../dns/dns.h"'
expect "around the corner" 1 '"../dns/dns.h" is not written from the top of the tree'

put lib/extra/extra.c 'int extra;'
expect "a folder without a layer" 1 "lib/extra/extra.c:1: lib/extra has no layer"

put lib/dns/dns.h '#include <stddef.h>'
expect "no pragma" 1 "lib/dns/dns.h:1: there is no #pragma once"

put tests/lib/base/test_str.c bare 'int a;'
expect "no licence" 1 "tests/lib/base/test_str.c:1: the first line is not the SPDX line"

put lib/dns/dns.h '#pragma once' 'size_t dns_count(void);'
expect "not alone" 1 "lib/dns/dns.h:1: does not compile alone"

rm -rf "$work/tree"
mkdir -p "$work/tree/lib"
expect "nothing there" 77 "no C files"

exit $status
