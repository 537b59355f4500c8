#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A Lua file must come out of its header byte for byte, whatever characters it holds.
set -eu
: "${CC:=cc}" "${AWK:=awk}" "${top_srcdir:=.}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/two-words.lua" <<'LUA'
-- "quotes", \backslash\, trigraphs ??/ ??= and 100% of them & more
local s = 'a\n\\"\t'	-- a tab, an umlaut: ü

return "\\" .. [[
]]
LUA
LC_ALL=C $AWK -f "$top_srcdir/lib/lua-to-h.awk" "$work/two-words.lua" >"$work/two-words.lua.h"
cat >"$work/print.c" <<'C'
#include <stdio.h>
#include "two-words.lua.h"
int main(void)
{
    return fwrite(two_words_lua, 1, sizeof two_words_lua - 1, stdout) == 0;
}
C
$CC -std=c11 -Wall -Wextra -Werror -o "$work/print" "$work/print.c"
"$work/print" >"$work/output"
cmp "$work/two-words.lua" "$work/output"
