/* mcp.h - the Model Context Protocol: JSON-RPC 2.0, one message a line.
 *
 * Source: modelcontextprotocol.io, revision 2025-06-18 (and earlier ones, in which the messages used
 * here are the same: initialize, ping, tools/list, tools/call).
 */
#ifndef SCRY_CLI_MCP_H
#define SCRY_CLI_MCP_H

#include "base/json.h"
#include "cli/cli.h"
#include "engine/search_request.h"
#include "image/image.h"
#include "scry/model.h"
#include "scry/score.h"
#include "scry/store.h"

typedef struct mcp {
    const cli_common *common;  /* what the store is opened with, again when it was replaced */
    scry_store *store;
    scry_model *model;
    scry_session *session;
    scry_decoder *decoder;
    scry_threshold *threshold; /* NULL when not known */
    const char *version;       /* of the protocol, as agreed; NULL before "initialize" */
} mcp;

/* Runs a tool and writes the items of its "content" array to `w`. A negative return
 * is reported to the assistant as an error of the tool, with its message. */
typedef int mcp_call(mcp *m, const scry_json *arguments, scry_json_writer *w, scry_error *err);

typedef struct mcp_tool {
    const char *name, *description;
    const char *required;      /* its required arguments, separated by spaces; NULL: none */
    void (*schema)(scry_json_writer *w);   /* JSON Schema of the arguments: the members of "properties" */
    mcp_call *call;
} mcp_tool;

extern const mcp_tool mcp_tools[];   /* ended by a NULL name; mcp_tools.c */

/* See what other programs wrote; a collection that was replaced is opened again. */
int mcp_refresh(mcp *m, scry_error *err) SCRY_NODISCARD;

/* Run the search and write its answer; `q` is finished and has a query. */
int mcp_search_for(mcp *m, scry_search_request *q, scry_json_writer *w, scry_error *err) SCRY_NODISCARD;

/* The tools for favourites and saved searches (mcp_marks.c). */
mcp_call mcp_set_favourites, mcp_list_favourites, mcp_list_saved, mcp_run_saved, mcp_save_search, mcp_remove_saved;
void mcp_set_favourites_schema(scry_json_writer *w);
void mcp_page_schema(scry_json_writer *w);
void mcp_run_saved_schema(scry_json_writer *w);
void mcp_save_search_schema(scry_json_writer *w);
void mcp_name_schema(scry_json_writer *w);

/* Answer one message, or a batch of them where the version has batches (2025-03-26). `out` gets the answer, a line of JSON;
 * it stays empty for notifications, for responses of the client and for blank lines. */
void mcp_answer(mcp *m, const char *line, size_t n, scry_buf *out);

/* The answer to a message that was longer than `max` bytes. */
void mcp_refuse_long(size_t max, scry_buf *out);

/* {"type": "text", "text": ...} */
void mcp_put_text(scry_json_writer *w, const char *text);

#endif
