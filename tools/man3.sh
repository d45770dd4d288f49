#!/bin/sh
# man3.sh VERSION DIR - man pages of the C interface in DIR: one a header, made of its comments, and a link for each function.
set -eu
cd "$(dirname "$0")/.."
version=$1
out=$2
mkdir -p "$out"
rm -f "$out"/*.3
for header in include/scry/*.h; do
    name=$(basename "$header" .h)
    awk -v name="$name" -v version="$version" '
        function text(line) {
            gsub(/\\/, "\\e", line)
            gsub(/-/, "\\-", line)
            return line ~ /^[.\x27]/ ? "\\&" line : line
        }
        NR == 1 {
            sub(/^\/\* [a-z_]*\.h - /, "")
            ended = sub(/ ?\*\/$/, "")
            sub(/\.$/, "")
            print ".TH scry_" name " 3 \"\" \"scry " version "\" \"scry in C\"\n.SH NAME\nscry_" name " \\- " text($0)
            print ".SH SYNOPSIS\n.nf\n#include <scry/" name ".h>\n\ncc PROGRAM.c $(pkg\\-config \\-\\-cflags \\-\\-libs scry)\n.fi"
            if (!ended)
                print ".SH DESCRIPTION\n.nf"
            about = !ended
            next
        }
        about && / \*\/$/ { about = 0; sub(/ ?\*\/$/, ""); sub(/^ \* ?/, ""); if ($0) print text($0); next }
        about { sub(/^ \* ?/, ""); print text($0); next }
        /^#ifdef __cplusplus/ { skip = 1 }
        skip { if (/^#endif/) skip = 0; next }
        /^#(ifndef|define) SCRY_[A-Z0-9_]*_H$/ || /^#include/ || /^#endif$/ { next }
        !started && /^$/ { next }
        !started { print (ended ? "" : ".fi\n") ".SH DECLARATIONS\n.nf"; started = 1 }
        { print text($0) }
        END { print ".fi\n.SH SEE ALSO\n.BR scry (1)" }' "$header" >"$out/scry_$name.3"
    # Declarations begin a line with the type and end with a semicolon, some lines later.
    sed -n '/^typedef/d; s/^[A-Za-z][A-Za-z0-9_ ]*[ *]\(scry_[a-z0-9_]*\)(.*/\1/p' "$header" | sort -u | while read -r function; do
        [ -e "$out/$function.3" ] || echo ".so man3/scry_$name.3" >"$out/$function.3"
    done
done
