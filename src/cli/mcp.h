/* mcp.h - the Model Context Protocol: JSON-RPC 2.0, one message a line.
 *
 * Source: modelcontextprotocol.io, revision 2025-06-18 (and the earlier ones, which have the
 * same messages for what is used here: initialize, ping, tools/list, tools/call).
 */
#ifndef SCRY_CLI_MCP_H
#define SCRY_CLI_MCP_H

#include "base/json.h"
#include "image/image.h"
#include "scry/model.h"
#include "scry/score.h"
#include "scry/store.h"

typedef struct mcp {
    scry_store *store;
    scry_model *model;
    scry_session *session;
    scry_decoder *decoder;
    scry_line *line;           /* NULL when not known */
} mcp;

/* What a tool answers: the items of a "content" array, written through `w`. A negative return
 * is told to the assistant as the tool's own error, in words. */
typedef int mcp_call(mcp *m, const scry_json *arguments, scry_json_writer *w, scry_error *err);

typedef struct mcp_tool {
    const char *name, *description;
    const char *schema;        /* JSON Schema of the arguments */
    mcp_call *call;
} mcp_tool;

extern const mcp_tool mcp_tools[];   /* ended by a NULL name; mcp_tools.c */

/* Answer one message. `out` gets the answer, a line of JSON; it stays empty for notifications. */
void mcp_answer(mcp *m, const char *line, size_t n, scry_buf *out);

/* {"type": "text", "text": ...} */
void mcp_put_text(scry_json_writer *w, const char *text);

#endif
