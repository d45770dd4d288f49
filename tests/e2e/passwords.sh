#!/bin/sh
# Files with the password of a Milvus server: what is refused before a server is asked. Token files: tests/server/attacks.py.
. "$(dirname "$0")/lib.sh"

refused() { # NAME PRINTF-FORMAT REASON
    printf "$2" >"$T/password"
    SCRY_MILVUS_USER=root SCRY_MILVUS_PASSWORD_FILE=$T/password run status --store milvus://127.0.0.1:1
    is "$1: 2" $status 2
    like "$1: says why" "$T/err" "password file .*$3"
}
refused "UTF-16" '\377\376s\0e\0c\0r\0e\0t\0\n\0' 'UTF-16'
refused "UTF-16 of the other order" '\376\377\0s\0e\0c\0r\0e\0t' 'UTF-16'
refused "UTF-16 without a mark" 's\0e\0c\0r\0e\0t\0' 'zero byte'
refused "a byte order mark" '\357\273\277secret\n' 'byte order mark'
refused "a zero byte" 'secret\n\0' 'zero byte'
refused "an empty file" '' 'empty'
refused "an empty first line" '\nsecret\n' 'empty'
SCRY_MILVUS_USER=root SCRY_MILVUS_PASSWORD_FILE=$T/nothing run status --store milvus://127.0.0.1:1
is "no file: 2" $status 2
like "no file: says which" "$T/err" "$T/nothing"
printf 'secret\r\n' >"$T/password"
SCRY_MILVUS_USER=root SCRY_MILVUS_PASSWORD_FILE=$T/password run status --store milvus://127.0.0.1:1
unlike "a line that ends with CR LF is read" "$T/err" 'password file'
done_testing
