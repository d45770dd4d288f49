#!/bin/bash
# The program on a milvus 2.3.5 that asks for passwords, over TLS, and takes only small messages.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
tiny_model "$T/model"
P=$T/pics
pictures "$P/b" 22
# ---- authentication and TLS ----
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$T/key.pem" -out "$T/cert.pem" -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
ok "a server with passwords and TLS starts" milvus_start "$T/secure" authorization_enabled=true tls_mode=2 ca_pem_path="$T/cert.pem" \
    server_pem_path="$T/cert.pem" server_key_path="$T/key.pem" proxy.grpc.serverMaxRecvSize=65536
S=milvuss://localhost:19530
SCRY_MILVUS_CA=$T/cert.pem SCRY_MILVUS_USER=root SCRY_MILVUS_PASSWORD=Milvus run search --store $S dog
like "it asks for a client's certificate" "$T/err" 'wants another client certificate.*SCRY_MILVUS_CERT'
openssl req -newkey rsa:2048 -nodes -keyout "$T/client.key" -out "$T/client.csr" -subj /CN=scry 2>/dev/null
openssl x509 -req -in "$T/client.csr" -CA "$T/cert.pem" -CAkey "$T/key.pem" -out "$T/client.pem" -days 2 2>/dev/null
export SCRY_MILVUS_CERT=$T/client.pem
SCRY_MILVUS_CA=$T/cert.pem SCRY_MILVUS_KEY=$T/key.pem run search --store $S dog
is "the key of another certificate" "$status" 2
like "... is named" "$T/err" "cannot use $T/key.pem as the client's key"
export SCRY_MILVUS_KEY=$T/client.key
export SCRY_MILVUS_CA=$T/cert.pem
SCRY_MILVUS_USER=root SCRY_MILVUS_PASSWORD=Milvus run index --store $S "$P/b"
like "TLS with a password: indexed" "$T/err" '^22 added'
echo Milvus >"$T/password"
chmod 600 "$T/password"
SCRY_MILVUS_USER=root SCRY_MILVUS_PASSWORD_FILE=$T/password run search --store https://localhost:19530 dog
is "https:// is an address, too, and the password may stand in a file" $status 0
SCRY_MILVUS_USER=root SCRY_MILVUS_PASSWORD=wrong run search --store $S dog
is "wrong password: an error" $status 2
like "wrong password: says which variables" "$T/err" 'refuses the user and password.*SCRY_MILVUS_USER'
SCRY_MILVUS_TOKEN=root:wrong run search --store $S dog
like "wrong token: called a token" "$T/err" 'refuses the token: set SCRY_MILVUS_TOKEN'
run search --store $S dog
like "neither: says what is needed" "$T/err" 'requires authentication.*SCRY_MILVUS_USER.*SCRY_MILVUS_TOKEN'
unset SCRY_MILVUS_CA
run search --store $S dog
like "an unknown authority is refused" "$T/err" 'certificate is not accepted.*SCRY_MILVUS_CA'
run search --store milvus://127.0.0.1:19530 dog
is "plain text to a TLS port: an error" $status 2

# ---- TLS that is cut in the middle of a record ----
export SCRY_MILVUS_CA=$T/cert.pem SCRY_MILVUS_USER=root SCRY_MILVUS_PASSWORD=Milvus
proxy_start 29540
i=0
for fault in cut rst; do
    order 29540 $fault 5000 2
    pictures "$P/$fault" 8 $((i++ * 8 + 50))
    mv "$P/$fault" "$P/b/$fault"
    run index --store milvuss://localhost:29540 "$P/b"
    order 29540 count
    is "TLS, $fault: added on another connection" "$(sed -n 's/,.*//p' "$T/err") $reply" "8 added 2"
done
kill $proxy

# ---- messages that are too large, a server that is slow ----
pictures "$T/many" 600 100
run index "$T/many"
run store copy "$SCRY_STORE" $S --to-collection many
is "what is too large for the server goes in smaller pieces" "$status $(tail -n 1 "$T/err")" "0 600 copied, 0 there already"
run verify --store $S --collection many --against "$SCRY_STORE" --against-collection default
like "and is there once" "$T/out" '^both are equal: 600 files'
run search --store $S --in "$(printf '/%065000d' 0)" dog
is "a question that is too large: nothing is below that folder" $status 1
kill -STOP "$MILVUS_PID"
(sleep 3; kill -CONT "$MILVUS_PID") &
run search --store $S dog
is "a server that is slow for three seconds is waited for" $status 0
kill -STOP "$MILVUS_PID"
before=$(date +%s)
run search --store $S dog
is "one that says nothing: an error" $status 2
like "which says so" "$T/err" '127.0.0.1|localhost'
ok "within half a minute" test $(($(date +%s) - before)) -lt 30
kill -CONT "$MILVUS_PID"
milvus_kill

# ---- a server of TLS 1.2 that wants to negotiate again, which HTTP/2 forbids ----
mkfifo "$T/orders"
openssl s_server -accept 29541 -cert "$T/cert.pem" -key "$T/key.pem" -tls1_2 -alpn h2 <"$T/orders" >"$T/server.out" 2>&1 &
openssl_server=$!
exec 7>"$T/orders"
soon "a server that knows no gRPC" yes eval '(exec 3<>/dev/tcp/127.0.0.1/29541) 2>/dev/null && echo yes'
"$scry" search --store milvuss://localhost:29541 dog >"$T/out" 2>"$T/err" </dev/null &
searching=$!
soon "is connected to" 1 grep -c 'ALPN protocols selected: h2' "$T/server.out"
echo R >&7
wait $searching
is "it negotiates again: an error" $? 2
like "... that names it" "$T/err" 'localhost:29541'
is "... in one line" "$(wc -l <"$T/err")" 1
soon "since that was refused" yes eval 'grep -q "no renegotiation" "$T/server.out" && echo yes'
exec 7>&-
kill $openssl_server
done_testing
