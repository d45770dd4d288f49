# What the scripts of this folder begin with that run the program: a network of their own, helpers, and nothing left behind.
#     cd "$(dirname "$0")/../.." || exit 1
#     . tests/milvus/lib.sh
. tests/milvus/servers.sh
in_private_network "$0" "$@"
. tests/e2e/lib.sh
trap 'servers_stop; chmod -R u+rwx "$T"; rm -rf "$T"' EXIT
M=milvus://127.0.0.1:19530

# The outside checker: the last line of compare.py (pymilvus).
compare() { "$PYMILVUS" tests/milvus/compare.py "$@" 2>&1 | tail -n 1; }

# A line of Python with a client `c` of pymilvus; its arguments are sys.argv[1:]. The last line that it prints.
client() {
    "$PYMILVUS" -c "import os, sys; from pymilvus import MilvusClient
c = MilvusClient('http://127.0.0.1:19530', user=os.environ.get('SCRY_MILVUS_USER', ''), password=os.environ.get('SCRY_MILVUS_PASSWORD', ''))
$1" "${@:2}" 2>&1 | tail -n 1
}

# For collections that are embedded again: two models, $T/one and $T/two, and 50 pictures in $P/a and $P/b; paths OPTION... QUERY ranks
# all of them.
two_models() {
    unset SCRY_MODEL
    P=$T/pics
    tiny_model "$T/one"
    tiny_model "$T/two" 2
    pictures "$P/a" 30
    pictures "$P/b" 20 30
    paths() { "$scry" search "$@" --by look --paths --limit 60 2>"$T/err"; }
}

# proxy_start PORT...: each leads to the server, and injects faults. order WORDS: of proxy.py; the answer is in $reply.
proxy_start() {
    "$PYMILVUS" tests/milvus/proxy.py 29539 "$@" &
    proxy=$!
    until (exec 3<>/dev/tcp/127.0.0.1/29539) 2>/dev/null; do sleep 0.1; done
}
order() {
    exec 3<>/dev/tcp/127.0.0.1/29539
    echo "$*" >&3
    read -r reply <&3
    exec 3>&-
}
