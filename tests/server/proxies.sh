#!/bin/sh
# The examples of docs/proxies.md run: nginx and Caddy (Debian's packages) with TLS and a password, below a path.
top=${SCRY_TOP-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/server/lib/serve.sh"
PATH=$PATH:/usr/sbin
tiny_model "$T/model"
pictures "$T/pics" 3
"$scry" index --quiet "$T/pics" || exit 1
front=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=https://127.0.0.1:$front/photos
start --allow-index --public-url "https://127.0.0.1:$front/photos/" || exit 1
port=${url##*:}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=example.org -keyout "$T/key" -out "$T/cert" 2>/dev/null
printf 'me:%s\n' "$(openssl passwd -apr1 secret)" >"$T/htpasswd"

example() { # LANGUAGE: the block of the document, with this machine's names
    sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$top/docs/proxies.md" | grep -v '^```' | sed "s,127.0.0.1:8080,127.0.0.1:$port,
        s,/etc/ssl/example.org.pem,$T/cert,; s,/etc/ssl/example.org.key,$T/key,; s,/etc/nginx/scry.htpasswd,$T/htpasswd,
        s,listen 443,listen 127.0.0.1:$front,; s,example.org:443,https://127.0.0.1:$front,; s,example.org,127.0.0.1,"
}
checks() { # NAME
    for _ in $(seq 80); do
        curl -sk -o /dev/null -m 1 "$base/" && break
        sleep 0.1
    done
    get "$base/"
    is "$1: no password: 401" $code 401
    get -u me:wrong "$base/"
    is "$1: a wrong one: 401" $code 401
    get -u me:secret "$base/"
    is "$1: the page" $code 200
    for part in $(grep -oE '(href|src)="[^"#]+"' "$T/out" | sed 's/^[^"]*"//; s/"$//' | grep -v '^\./\|:'); do
        get -u me:secret "$base/$part"
        is "$1: $part" $code 200
    done
    get -u me:secret -H "Origin: https://127.0.0.1:$front" -d red "$base/search"
    is "$1: POST of the page" $code 200
    get -u me:secret -H 'Origin: https://evil.example' -d red "$base/search"
    is "$1: POST of another page: 403" $code 403
    get -u me:secret "$base/api/v1/search?q=red"
    is "$1: a search" $code 200
    get -u me:secret "$base/api/v1/images/$(json 'j["results"][0]["id"]')/thumbnail"
    is "$1: a thumbnail" $code 200
    get -u me:secret -H 'Content-Type: application/json' -d "{\"paths\":[\"$T/pics\"]}" "$base/api/v1/index"
    is "$1: an index run" $code 202
    job=$(json 'j["job"]')
    like "$1: its address" "$T/headers" "^[Ll]ocation: /photos/api/v1/index/$job"
    get -u me:secret "$base/api/v1/index/$job/events"
    like "$1: its events" "$T/out" '^event: done'
}

if command -v nginx >/dev/null; then
    { echo "daemon off; master_process off; error_log $T/nginx.log; pid $T/nginx.pid; events {} http { access_log off;"
      for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $T/$kind;"; done
      example nginx; echo '}'; } >"$T/nginx.conf"
    nginx -c "$T/nginx.conf" 2>"$T/err" &
    proxy=$!
    checks nginx
    kill $proxy
    wait $proxy 2>/dev/null
else
    report 1 "nginx is absent: apt-get install nginx-light"
fi
if command -v caddy >/dev/null; then
    hash=$(caddy hash-password --plaintext secret)
    { echo '{'; echo 'admin off'; echo 'auto_https disable_redirects'; echo '}'; example caddy | sed "s,HASH,$hash,"; } >"$T/Caddyfile"
    caddy run --adapter caddyfile --config "$T/Caddyfile" 2>"$T/err" &
    proxy=$!
    checks caddy
    kill $proxy
    wait $proxy 2>/dev/null
else
    report 1 "caddy is absent: apt-get install caddy"
fi
for wrong in example.org https:// 'https://a.example/?x' 'https://me@a.example/'; do
    run serve --listen 127.0.0.1:0 --public-url "$wrong"
    is "--public-url $wrong: 2" "$status" 2
done
stop
is "stops" $status 0
done_testing
