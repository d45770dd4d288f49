# serve.sh - start and stop a server, ask it: after tests/e2e/lib.sh.
server= url=
start() { # OPTION...
    : >"$T/serve.err"   # or the last server's address would be read
    "$scry" serve --listen 127.0.0.1:0 "$@" >"$T/serve.out" 2>"$T/serve.err" </dev/null 5>&- &
    server=$!
    for _ in $(seq 600); do
        url=$(sed -n 's,.* at \(https*://[^ ]*\)/$,\1,p' "$T/serve.err")
        [ -z "$url" ] || return 0
        kill -0 $server 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}
stop() {
    kill -TERM $server
    wait $server
    status=$?
}
# Status in $code, body in $T/out, headers in $T/headers.
get() { # CURL-ARGUMENT... PATH
    code=$(curl -sk -m 30 -o "$T/out" -D "$T/headers" -w '%{http_code}' --path-as-is "$@" 2>"$T/err")
}
# Until the status counts the pictures whose words were read, and not, and whether some are just read: "(1, 0, False)".
words_served() { # WANTED
    for _ in $(seq 1200); do
        get "$url/api/v1/status"
        [ "$(json "j['words']['read'], j['words']['unread'], j['words']['reading']")" = "$1" ] && return 0
        sleep 0.1
    done
    return 1
}
