#!/bin/sh
# Write the sources that embed every file below a folder into a program: a table in C, the
# bytes in assembly (.incbin keeps them out of the compiler's way).
# usage: embed.sh FOLDER OUT.c OUT.S
set -eu
folder=$1 c=$2 s=$3
files=$(cd "$folder" && find . -type f ! -name '.*' | sed 's|^\./||' | LC_ALL=C sort)

n=0
: >"$c.externs"
: >"$c.rows"
printf '#ifdef __CET__\n#include <cet.h>\n#endif\n.section .rodata\n' >"$s"   # cet.h: no code here, so nothing that CET forbids
for f in $files; do
    echo "extern const unsigned char asset_${n}_data[], asset_${n}_end[];" >>"$c.externs"
    echo "    { \"$f\", asset_${n}_data, asset_${n}_end }," >>"$c.rows"
    cat >>"$s" <<EOF
.hidden asset_${n}_data
.hidden asset_${n}_end
.global asset_${n}_data
.global asset_${n}_end
asset_${n}_data: .incbin "$folder/$f"
asset_${n}_end: .byte 0
EOF
    n=$((n + 1))
done
echo '.section .note.GNU-stack,"",%progbits' >>"$s"
{
    printf '#include "server/assets.h"\n\n'
    cat "$c.externs"
    printf '\nconst web_asset web_assets[] = {\n'
    cat "$c.rows"
    printf '    { 0, 0, 0 },\n};\n'
} >"$c"
rm -f "$c.externs" "$c.rows"
