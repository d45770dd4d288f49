#!/bin/sh
# Request smuggling: at scry itself, and through nginx and haproxy (Debian's packages).
top=${SCRY_TOP-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/server/lib/serve.sh"
PATH=$PATH:/usr/sbin
tiny_model "$T/model"
pictures "$T/pics" 3
"$scry" index --quiet "$T/pics" || exit 1
start || exit 1
port=${url##*:}
attack() { # NAME PORT STRICT
    python3 "$top/tests/server/smuggling.py" "$@" >"$T/tap"
    while read -r line; do
        case $line in
        'ok '*) report 0 "${line#ok * - }" ;;
        'not ok '*) report 1 "${line#not ok * - }" ;;
        '#'*) echo "$line" ;;
        esac
    done <"$T/tap"
    like "$1: complete" "$T/tap" '^1\.\.[0-9]+$'
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() { # PORT
    for _ in $(seq 600); do
        curl -s -o /dev/null -m 1 "http://127.0.0.1:$1/healthz" && return 0
        sleep 0.1
    done
    return 1
}
attack scry "$port" 1

if command -v nginx >/dev/null; then
    front=$(free_port)
    cat >"$T/nginx.conf" <<C
daemon off; master_process off; error_log $T/nginx.log; pid $T/nginx.pid;
events {}
http {
    access_log off; client_body_temp_path $T/body; proxy_temp_path $T/proxy; fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
    upstream scry { server 127.0.0.1:$port; keepalive 4; }
    server { listen 127.0.0.1:$front; location /smuggled { return 403; } location / { proxy_pass http://scry; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host \$host; } }
}
C
    nginx -c "$T/nginx.conf" 2>"$T/nginx.err" &
    proxy=$!
    ok "nginx runs" wait_for "$front"
    attack nginx "$front" 0
    kill $proxy
    wait $proxy 2>/dev/null
else
    report 1 "nginx is absent: apt-get install nginx-light"
fi
if command -v haproxy >/dev/null; then
    front=$(free_port)
    cat >"$T/haproxy.cfg" <<C
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
    http-reuse always
frontend f
    bind 127.0.0.1:$front
    http-request deny if { path /smuggled }
    default_backend scry
backend scry
    server one 127.0.0.1:$port
C
    haproxy -db -f "$T/haproxy.cfg" 2>"$T/haproxy.err" &
    proxy=$!
    ok "haproxy runs" wait_for "$front"
    attack haproxy "$front" 0
    kill $proxy
    wait $proxy 2>/dev/null
else
    report 1 "haproxy is absent: apt-get install haproxy"
fi
get "$url/healthz"
is "scry goes on" $code 200
stop
is "stops" $status 0
done_testing
