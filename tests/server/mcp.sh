#!/bin/sh
# scry mcp, used by the official MCP client library for Python.
top=${SCRY_TOP-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/server/lib/python.sh"
python_with mcp==2.3.0
. "$top/tests/e2e/lib.sh"
tiny_model "$T/model"
pictures "$T/pics" 12
"$scry" index --quiet "$T/pics" || exit 1
timeout 300 "$python" "$top/tests/server/mcp_client.py" "$scry"
