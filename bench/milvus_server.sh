#!/bin/bash
# milvus_server.sh FOLDER - milvus 2.3.5 in a network namespace of its own, until standard input ends.
# Prints "ready PID": nsenter -t PID -U -n --preserve-credentials COMMAND... runs a command beside it.
# Installed from packages as for the tests (tests/milvus/servers.sh).
cd "$(dirname "$0")/.." || exit 1
. tests/milvus/servers.sh
in_private_network "bench/milvus_server.sh" "$@"
milvus_start "$1" common.session.ttl=600 >&2 || exit 1
echo "ready $$ $PYMILVUS"
cat >/dev/null
