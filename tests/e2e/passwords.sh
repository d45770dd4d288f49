#!/bin/sh
# Files with the password of a Milvus server: what is refused before a server is asked; files of secrets that others may read. What
# token files hold: tests/server/attacks.py.
. "$(dirname "$0")/lib.sh"

umask 077
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

# ---- modes ----
umask 022
password() { # MODE: the password file has it
    chmod "$1" "$T/password"
    SCRY_MILVUS_USER=root SCRY_MILVUS_PASSWORD_FILE=$T/password run status --store milvus://127.0.0.1:1
}
for mode in 602 622 666; do
    password $mode
    is "a password file of mode $mode: 2" $status 2
    like "mode $mode: says what mends it" "$T/err" "password file $T/password may be changed by other users \(mode $mode\): chmod 600 $T/password"
    unlike "mode $mode: no server is asked" "$T/err" '127.0.0.1:1'
done
for mode in 644 640 604 660 620; do
    password $mode
    like "mode $mode: a warning says what mends it" "$T/err" "password file $T/password may be read by other users \(mode $mode\): chmod 600 $T/password"
    like "mode $mode: it is read" "$T/err" '127.0.0.1:1'
done
for mode in 600 400 700; do
    password $mode
    unlike "a password file of mode $mode is read" "$T/err" 'password file'
done

tiny_model "$T/model"
pictures "$T/pics" 1
run index "$T/pics"
token() { # FILE: served as far as the port, which does not exist
    "$runs" serve --listen 127.0.0.1:99999 --token-file "$1"
}
runs=run
echo 0123456789abcdef0123456789abcdef >"$T/token"
token "$T/token"
like "a token that others may read: a warning" "$T/err" "token file $T/token may be read by other users \(mode 644\): chmod 600 $T/token"
like "it is read" "$T/err" 'the port must be a number'
ln -s token "$T/link"
token "$T/link"
like "through a link" "$T/err" "token file $T/link may be .* by other users"
chmod 646 "$T/token"
token "$T/token"
is "a token that others may write: 2" $status 2
unlike "it is not read" "$T/err" 'the port must be a number'
chmod 600 "$T/token"
token "$T/token"
like "mended: it goes on" "$T/err" 'the port must be a number'
chmod 440 "$T/token"
export CREDENTIALS_DIRECTORY=$T
token "$T/link"
like "a credential of systemd is read" "$T/err" 'the port must be a number'
unlike "and without a warning" "$T/err" 'token file'
unset CREDENTIALS_DIRECTORY
if command -v openssl >/dev/null; then
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$T/key.pem" -out "$T/cert.pem" -subj /CN=localhost 2>/dev/null
    chmod 600 "$T/token"
    chmod 646 "$T/key.pem"
    run serve --listen 127.0.0.1:0 --cert "$T/cert.pem" --key "$T/key.pem"
    is "a private key that others may write: 2" $status 2
    like "the key: it says what mends it" "$T/err" "key file $T/key.pem may be changed .* chmod 600 $T/key.pem"
fi

# A read-only mount, as containers have secrets on.
mkdir "$T/mount"
if unshare -m true 2>/dev/null; then
    unshare -m sh -c 'mount -t tmpfs none "$1/mount" && echo 0123456789abcdef0123456789abcdef >"$1/mount/token" && chmod 444 "$1/mount/token" &&
        mount -o remount,ro "$1/mount" && exec "$2" serve --listen 127.0.0.1:99999 --token-file "$1/mount/token"' sh "$T" "$scry" >"$T/out" 2>"$T/err"
    like "on a read-only mount it is read" "$T/err" 'the port must be a number'
    like "with a warning" "$T/err" 'token file .*/mount/token may be read by other users \(mode 444\)'
fi

# Files of another user.
if [ "$(id -u)" = 0 ] && drop_root; then
    chmod a+rx "$T/model" "$T/pics"
    chmod -R a+rX "$T/model" "$T/store"
    chgrp 65534 "$T/token"
    chmod 640 "$T/token"
    runs=run_unprivileged
    token "$T/token"
    like "root's token that the server's group may read is read" "$T/err" 'the port must be a number'
    chmod 644 "$T/token"
    token "$T/token"
    like "of root's token that all may read it is warned" "$T/err" "token file $T/token may be read .* chmod o-rwx $T/token, as its owner"
fi
done_testing
