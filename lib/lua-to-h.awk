# SPDX-License-Identifier: BSD-2-Clause
# Turns charge.lua into a header that defines: static const char charge_lua[] = "...";
# Several files are one; -v name=charge.lua says what they are together.
# Run with the C locale. A question mark is escaped because of C's trigraphs.

BEGIN {
    if (name == "")
        name = ARGV[1]
    sub(/.*\//, "", name)
    gsub(/[^A-Za-z0-9]/, "_", name)
    print "/* Made from the Lua file of the same name; do not edit. */"
    print "#pragma once"
    printf "static const char %s[] = \"\"", name
}
{
    gsub(/\\/, "&&")
    gsub(/["?]/, "\\\\&")
    gsub(/\t/, "\\t")
    printf "\n    \"%s\\n\"", $0
}
END {
    print ";"
}
