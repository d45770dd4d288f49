#!/bin/sh
# What is read of headers as cameras and programs write them, rightly or wrongly: as in headers.tsv, whose answers are exiftool's.
. "$(dirname "$0")/lib.sh"
ok "the pictures are made" python3 "$E2E/make_headers.py" "$T/pics"
ok "each is read as exiftool reads it, or as the table says" python3 "$E2E/headers.py" "$T/pics"
command -v exiftool >/dev/null || echo "# exiftool is not installed (libimage-exiftool-perl): its answers are those of the table"
done_testing
