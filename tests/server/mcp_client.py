#!/usr/bin/env python3
"""Talk to `scry mcp` through the official MCP client: mcp_client.py SCRY; prints TAP lines.

SCRY_STORE and SCRY_MODEL name an index of p000.png, p001.png ... (tests/e2e/make_pictures.py).
"""
import asyncio
import base64
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

number = 0


def ok(name, true, seen=None):
    global number
    number += 1
    print(("ok" if true else "not ok"), number, "-", name, flush=True)
    if not true:
        print("# seen:", str(seen)[:1000], flush=True)


def is_error(result):
    return getattr(result, "isError", None) or getattr(result, "is_error", False)


async def refused(call):
    """The tool says what is wrong as a result, or the protocol does; a crash or silence is neither."""
    try:
        return is_error(await asyncio.wait_for(call, 60))
    except asyncio.TimeoutError:
        raise
    except Exception as e:
        return "Error" in type(e).__name__ and bool(str(e))


async def talk(session):
    hello = await session.initialize()
    info = getattr(hello, "serverInfo", None) or hello.server_info
    ok("initialize", info.name == "scry" and info.version, hello)
    await session.send_ping()
    ok("ping", True)
    tools = {t.name: t for t in (await session.list_tools()).tools}
    ok("tools", set(tools) == {"search", "get_image", "find_duplicates", "describe_index"}, tools)
    ok("each has a description and a schema", all(
        t.description and (getattr(t, "inputSchema", None) or t.input_schema)["type"] == "object" for t in tools.values()))

    about = await session.call_tool("describe_index", {})
    ok("describe_index", not is_error(about) and "12 picture files" in about.content[0].text, about)

    found = await session.call_tool("search", {"query": "red", "limit": 3})
    hits = json.loads(found.content[0].text)["results"]
    ok("search: as many as were asked for", len(hits) == 3, hits)
    ok("search: best first", hits == sorted(hits, key=lambda h: -h["score"]), hits)
    same = json.loads((await session.call_tool("search", {"query": f"@id:{hits[1]['id']}", "limit": 1})).content[0].text)
    ok("search: like a picture found before", same["results"][0]["id"] == hits[1]["id"], same)
    none = json.loads((await session.call_tool("search", {"query": "red", "format": "gif"})).content[0].text)
    ok("search: a filter that nothing passes", none["results"] == [], none)

    look = await session.call_tool("get_image", {"id": hits[0]["id"]})
    picture = next(c for c in look.content if c.type == "image")
    mime = getattr(picture, "mimeType", None) or picture.mime_type
    ok("get_image: a JPEG", mime == "image/jpeg" and base64.b64decode(picture.data)[:3] == b"\xff\xd8\xff", mime)
    ok("get_image: and what is known of it", any(c.type == "text" and json.loads(c.text)["id"] == hits[0]["id"] for c in look.content))

    for name, tool, arguments in [
            ("an unknown tool", "rm", {}), ("no query", "search", {}), ("a query that is no text", "search", {"query": 5}),
            ("a picture by path", "search", {"query": "@/etc/passwd"}), ("a date that is none", "search", {"query": "red", "after": "x"}),
            ("an id that is none", "get_image", {"id": "x"}), ("an id that is not there", "get_image", {"id": "0" * 32})]:
        ok("refused: " + name, await refused(session.call_tool(tool, arguments)))
    os.unlink(hits[2]["path"])
    ok("refused: a file that is gone", await refused(session.call_tool("get_image", {"id": hits[2]["id"]})))
    ok("and goes on", len((await session.list_tools()).tools) == len(tools))


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=["mcp"], env=dict(os.environ))
    async with stdio_client(server) as (read, write):
        async with ClientSession(read, write) as session:
            await talk(session)
    print(f"1..{number}")


asyncio.run(main())
