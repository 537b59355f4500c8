#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A program's own function of the same name as one of the library's takes its place without a word
# from the linker, for callers within the library too: every global name is there once.
set -eu
: "${top_builddir:=.}"
library=$top_builddir/libsluice.a
status=0

# names FILE...: the global names that the objects define
names() {
    nm -A -P -g --defined-only "$@" 2>/dev/null | awk '$2 != "main" { sub(/:$/, "", $1); print $2, $1 }'
}

if [ ! -e "$library" ]; then
    echo "there is no $library: run make first"
    exit 1
fi
for program in milter policy feedback ctl; do
    twice=$(
        { names "$library"; names "$top_builddir/$program"/*.o; } |
            awk '{ where[$1] = where[$1] " " $2; if (++count[$1] == 2) twice[$1] = 1 }
                 END { for (name in twice) print name ":" where[name] }'
    )
    if [ -n "$twice" ]; then
        echo "$twice"
        status=1
    fi
done
[ "$(names "$library" | wc -l)" -gt 500 ] || { echo "nm found too few names in $library"; status=1; }
exit $status
