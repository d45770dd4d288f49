# servers.sh - Milvus servers for tests: installed from packages into a private folder, run in
# a private network namespace, stopped by process id. Sourced, not run.
#
#     . tests/milvus/servers.sh
#     in_private_network "$0" "$@"          # re-runs the script inside unshare -rn
#     milvus_start "$dir" authorization_enabled=true && ... ; milvus_stop
#     lite_start "$dir" && ... ; lite_stop
#
# The namespace is needed, not only clean: the server binds nine ports on all interfaces and
# its etcd always takes 2379 and 2380, so that a second one in the same namespace dies.
# Both listen on 127.0.0.1:19530 inside it.

export SCRY_TEST_CACHE=${SCRY_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/scry-tests}
MILVUS_VENV=$SCRY_TEST_CACHE/milvus-2.3.5
MILVUS_BIN=$SCRY_TEST_CACHE/milvus-2.3.5-unpacked
LITE_VENV=$SCRY_TEST_CACHE/milvus-lite-3.2.2
PYMILVUS=$LITE_VENV/bin/python
MILVUS_PID= LITE_PID=

# Install what is absent. Needs a package index; call it outside of the namespace.
servers_install() {
    mkdir -p "$SCRY_TEST_CACHE" || return 1
    [ -x "$MILVUS_VENV/bin/milvus-server" ] || {
        python3 -m venv "$MILVUS_VENV" && "$MILVUS_VENV/bin/pip" -q install milvus==2.3.5; } || return 1
    [ -x "$LITE_VENV/bin/milvus-lite" ] || {
        python3 -m venv "$LITE_VENV" &&
        "$LITE_VENV/bin/pip" -q install milvus-lite==3.2.2 pymilvus==3.0.2; } || return 1
    [ -x "$MILVUS_BIN/bin/milvus" ] || "$MILVUS_VENV/bin/python" -c \
        'import sys, milvus; milvus._initialize_data_files(sys.argv[1])' "$MILVUS_BIN"
}

# Run this script again where nothing else listens, once.
in_private_network() {
    [ -z "$SCRY_TEST_NETNS" ] || { ip link set lo up; return; }
    servers_install >&2 || { echo "1..0 # SKIP no package index to install the servers from"; exit 0; }
    exec env SCRY_TEST_NETNS=1 unshare -rn "$@"
}

# $1: absolute data folder; further arguments are settings, used when the folder is new.
# The configuration file is kept over restarts: the package would move the ports of a
# server that was killed a moment ago.
# common.session.ttl (30 seconds without it): a server that a busy machine keeps from renewing its session for so long ends itself,
# and one that was killed starts again only after it.
milvus_start() {
    MILVUS_DIR=$1; shift
    [ -f "$MILVUS_DIR/configs/milvus.yaml" ] || "$MILVUS_VENV/bin/python" - "$MILVUS_DIR" "$@" <<'PY' || return 1
import sys, milvus
c = milvus.MilvusServerConfig(data_dir=sys.argv[1])
for kv in sys.argv[2:]:
    k, v = kv.split('=', 1)
    c.set(k, c.get_value(v, c.get_type(k)) if k in c.configurable_items else v)
c.resolve()
sys.exit(0 if c.get('proxy_port') == 19530 else 'port 19530 is taken: not a private network namespace')
PY
    ( cd "$MILVUS_DIR" && exec env LD_LIBRARY_PATH="$MILVUS_BIN/bin" DEPLOY_MODE=STANDALONE \
        METRICS_PORT=9091 MILVUS_RUN_DIR="$MILVUS_DIR/run" nice "$MILVUS_BIN/bin/milvus" run standalone ) \
        >>"$MILVUS_DIR/logs/out.log" 2>>"$MILVUS_DIR/logs/err.log" </dev/null &
    MILVUS_PID=$!
    [ -n "$(trap -p EXIT)" ] || trap servers_stop EXIT   # else the caller stops them
    trap 'exit 130' INT TERM
    tries=0
    while [ $tries -lt 900 ]; do
        curl -fs -m 2 http://127.0.0.1:9091/healthz 2>/dev/null | grep -q OK && return 0
        kill -0 "$MILVUS_PID" 2>/dev/null || { tail -n 5 "$MILVUS_DIR/logs/err.log" >&2; return 1; }
        sleep 0.1
        tries=$((tries + 1))
    done
    return 1
}

milvus_kill() { kill -9 "$MILVUS_PID" 2>/dev/null; wait "$MILVUS_PID" 2>/dev/null; MILVUS_PID=; }

# It may hang on SIGTERM while collections are loaded: killed after three seconds.
milvus_stop() {
    [ -n "$MILVUS_PID" ] || return 0
    kill -TERM "$MILVUS_PID" 2>/dev/null
    tries=0
    while kill -0 "$MILVUS_PID" 2>/dev/null && [ $tries -lt 30 ]; do sleep 0.1; tries=$((tries + 1)); done
    milvus_kill
}

lite_start() {
    "$LITE_VENV/bin/milvus-lite" server --data-dir "$1" --host 127.0.0.1 --port 19530 >"$1.log" 2>&1 </dev/null &
    LITE_PID=$!
    [ -n "$(trap -p EXIT)" ] || trap servers_stop EXIT   # else the caller stops them
    trap 'exit 130' INT TERM
    tries=0
    while [ $tries -lt 300 ]; do
        (exec 3<>/dev/tcp/127.0.0.1/19530) 2>/dev/null && return 0
        kill -0 "$LITE_PID" 2>/dev/null || return 1
        sleep 0.1
        tries=$((tries + 1))
    done
    return 1
}

lite_stop() {
    [ -n "$LITE_PID" ] || return 0
    kill -TERM "$LITE_PID" 2>/dev/null
    wait "$LITE_PID" 2>/dev/null
    LITE_PID=
}

servers_stop() { milvus_stop; lite_stop; }

# As a whole script: a test program against both servers, each with an amount of work of its own, as TAP.
on_both() {  # PROGRAM, what it tests, the variable with the amount, that for milvus-lite, that for milvus
    work=$(mktemp -d) || exit 1
    trap 'servers_stop; rm -rf "$work"' EXIT
    export CMOCKA_MESSAGE_OUTPUT=TAP XDG_DATA_HOME=$work/data SCRY_TEST_STORE=milvus://127.0.0.1:19530
    echo 1..2
    lite_start "$work/lite" && run_on 1 "milvus-lite 3.2.2" "$1" "$2" "$3=$4"
    lite_stop
    rm -rf "$XDG_DATA_HOME"
    milvus_start "$work/milvus" && run_on 2 "milvus 2.3.5" "$1" "$2" "$3=$5"
}
run_on() {  # number, server, program, what it tests, VARIABLE=amount
    env "$5" "$SCRY_BUILD/tests/$3" >"$work/out" 2>&1
    status=$?
    sed 's/^/# /' "$work/out"
    [ $status = 0 ] && echo "ok $1 - $4 on $2" || echo "not ok $1 - $4 on $2"
}
