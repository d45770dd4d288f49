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
    ok("tools", set(tools) == {"search", "get_image", "find_duplicates", "describe_index", "set_favourites", "list_favourites",
                              "list_saved_searches", "run_saved_search", "save_search", "remove_saved_search"}, tools)
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

    async def answer(tool, **arguments):
        result = await session.call_tool(tool, arguments)
        return None if is_error(result) else json.loads(result.content[0].text)

    ids = [h["id"] for h in hits]
    ok("set_favourites", await answer("set_favourites", ids=ids[:2]) == {"favourite": True, "pictures": 2})
    liked = await answer("list_favourites")
    ok("list_favourites", liked["total"] == 2 and {f["id"] for f in liked["results"]} == set(ids[:2]), liked)
    ok("... a page", [f["id"] for f in (await answer("list_favourites", limit=1, offset=1))["results"]] == [liked["results"][1]["id"]])
    ok("set_favourites: not any more", await answer("set_favourites", ids=ids[:1], favourite=False) == {"favourite": False, "pictures": 1})
    ok("... and only that one", [f["id"] for f in (await answer("list_favourites"))["results"]] == ids[1:2])
    ok("search: favourites", [h["id"] for h in (await answer("search", query="red", favourites=True))["results"]] == ids[1:2])
    folder = os.path.dirname(hits[0]["path"])
    ok("save_search", await answer("save_search", name="Red ones", search={"query": "red", "folder": os.path.relpath(folder), "format": ["png"]}) == {"saved": "Red ones"})
    ok("save_search: filters only", await answer("save_search", name="Liked", search={"favourites": True}) == {"saved": "Liked"})
    saved = {s["name"]: s["search"] for s in await answer("list_saved_searches")}
    ok("list_saved_searches, as HTTP has them", saved == {"Red ones": {"q": "red", "filter": {"in": folder, "format": ["png"]}},
                                                          "Liked": {"filter": {"favourites": True}}}, saved)
    ran = await answer("run_saved_search", name="Red ones", limit=3)
    ok("run_saved_search: what the search finds", [h["id"] for h in ran["results"]] == ids, ran)
    ok("run_saved_search: filters only", [f["id"] for f in (await answer("run_saved_search", name="Liked"))["results"]] == ids[1:2])
    ok("remove_saved_search", await answer("remove_saved_search", name="Red ones") == {"removed": "Red ones"} and len(await answer("list_saved_searches")) == 1)

    for name, tool, arguments in [
            ("an unknown favourite", "set_favourites", {"ids": ["0" * 32]}), ("no ids", "set_favourites", {"ids": []}), ("ids that are none", "set_favourites", {"ids": ["x"]}),
            ("a favourite that is neither", "set_favourites", {"ids": ids, "favourite": "maybe"}), ("a saved search that is not there", "run_saved_search", {"name": "x"}),
            ("a search with a limit to save", "save_search", {"name": "x", "search": {"query": "red", "limit": 3}}),
            ("a search with a wrong filter to save", "save_search", {"name": "x", "search": {"query": "red", "after": "sometime"}}),
            ("an empty search to save", "save_search", {"name": "x", "search": {}}), ("a search without a name", "save_search", {"search": {"query": "red"}}),
            ("removing a search that is not there", "remove_saved_search", {"name": "x"}), ("an unknown argument", "list_favourites", {"ids": ids}),
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
