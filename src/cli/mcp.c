/* mcp.c - JSON-RPC messages and their answers. */
#include "cli/mcp.h"

#include <stdio.h>
#include <string.h>

enum { PARSE_ERROR = -32700, INVALID_REQUEST = -32600, UNKNOWN_METHOD = -32601, INVALID_PARAMS = -32602, MAX_ANSWER = 64 << 20 };

static const char *const versions[] = { "2025-06-18", "2025-03-26", "2024-11-05" };

void mcp_put_text(scry_json_writer *w, const char *text)
{
    scry_json_begin(w, '{');
    scry_json_add_str(w, "type", "text");
    scry_json_add_str(w, "text", text);
    scry_json_end(w, '}');
}

/* Begin {"jsonrpc": "2.0", "id": ID; the caller writes a member and the closing brace. */
static void begin(scry_json_writer *w, const scry_json *id)
{
    scry_json_begin(w, '{');
    scry_json_add_str(w, "jsonrpc", "2.0");
    scry_json_key(w, "id");
    if (scry_json_type_of(id) == SCRY_JSON_STRING)
        scry_json_put_str(w, scry_json_str(id, ""));
    else if (scry_json_type_of(id) == SCRY_JSON_INT)
        scry_json_put_int(w, scry_json_int(id, 0));
    else
        scry_json_put_null(w);
}

static void fail(scry_json_writer *w, const scry_json *id, int code, const char *message)
{
    begin(w, id);
    scry_json_key(w, "error");
    scry_json_begin(w, '{');
    scry_json_add_int(w, "code", code);
    scry_json_add_str(w, "message", message);
    scry_json_end(w, '}');
    scry_json_end(w, '}');
}

static void initialize(mcp *m, scry_json_writer *w, const scry_json *id, const scry_json *params)
{
    const char *wanted = scry_json_str(scry_json_get(params, "protocolVersion"), "");
    const char *version = versions[0];
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (strcmp(wanted, versions[i]) == 0)
            version = versions[i];
    m->version = version;
    begin(w, id);
    scry_json_key(w, "result");
    scry_json_begin(w, '{');
    scry_json_add_str(w, "protocolVersion", version);
    scry_json_key(w, "capabilities");
    scry_json_begin(w, '{');
    scry_json_key(w, "tools");
    scry_json_begin(w, '{');
    scry_json_end(w, '}');
    scry_json_end(w, '}');
    scry_json_key(w, "serverInfo");
    scry_json_begin(w, '{');
    scry_json_add_str(w, "name", "scry");
    scry_json_add_str(w, "version", SCRY_VERSION);
    scry_json_end(w, '}');
    scry_json_add_str(w, "instructions", "Finds pictures of a local collection by describing them. Search first; look at the most "
            "promising pictures with get_image before saying what they show.");
    scry_json_end(w, '}');
    scry_json_end(w, '}');
}

static void put_schema(scry_json_writer *w, const mcp_tool *t)
{
    scry_json_begin(w, '{');
    scry_json_add_str(w, "type", "object");
    scry_json_key(w, "required");
    scry_json_begin(w, '[');
    for (const char *at = t->required; at && *at;) {
        size_t n = strcspn(at, " ");
        scry_json_put_bytes(w, at, n);
        at += n + (at[n] == ' ');
    }
    scry_json_end(w, ']');
    scry_json_key(w, "properties");
    scry_json_begin(w, '{');
    t->schema(w);
    scry_json_end(w, '}');
    scry_json_add_bool(w, "additionalProperties", false);
    scry_json_end(w, '}');
}

static void list_tools(scry_json_writer *w, const scry_json *id)
{
    begin(w, id);
    scry_json_key(w, "result");
    scry_json_begin(w, '{');
    scry_json_key(w, "tools");
    scry_json_begin(w, '[');
    for (const mcp_tool *t = mcp_tools; t->name; t++) {
        scry_json_begin(w, '{');
        scry_json_add_str(w, "name", t->name);
        scry_json_add_str(w, "description", t->description);
        scry_json_key(w, "inputSchema");
        put_schema(w, t);
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
    scry_json_end(w, '}');
    scry_json_end(w, '}');
}

static void call_tool(mcp *m, scry_json_writer *w, const scry_json *id, const scry_json *params)
{
    const char *name = scry_json_str(scry_json_get(params, "name"), "");
    const mcp_tool *t = mcp_tools;
    while (t->name && strcmp(t->name, name) != 0)
        t++;
    if (!t->name) {
        fail(w, id, INVALID_PARAMS, "unknown tool");
        return;
    }
    scry_error err = SCRY_ERROR_INIT;
    scry_buf content = SCRY_BUF_INIT(MAX_ANSWER);
    scry_json_writer inner = SCRY_JSON_WRITER_INIT(&content);
    scry_json_begin(&inner, '[');
    int r = t->call(m, scry_json_get(params, "arguments"), &inner, &err);
    if (r < 0) {
        scry_buf_clear(&content);
        inner = (scry_json_writer)SCRY_JSON_WRITER_INIT(&content);
        scry_json_begin(&inner, '[');
        mcp_put_text(&inner, err.message);
    }
    scry_json_end(&inner, ']');
    begin(w, id);
    scry_json_key(w, "result");
    scry_json_begin(w, '{');
    scry_json_key(w, "content");
    scry_json_put_raw(w, scry_buf_str(&content));
    scry_json_add_bool(w, "isError", r < 0);
    scry_json_end(w, '}');
    scry_json_end(w, '}');
    scry_buf_dispose(&content);
}

void mcp_refuse_long(size_t max, scry_buf *out)
{
    char text[80];
    scry_json_writer w = SCRY_JSON_WRITER_INIT(out);
    snprintf(text, sizeof text, "a message may have at most %zu bytes", max);
    fail(&w, NULL, INVALID_REQUEST, text);
}

static bool wants_answer(const scry_json *message)
{
    bool response = scry_json_get(message, "result") || scry_json_get(message, "error");
    bool method = scry_json_str(scry_json_get(message, "method"), NULL) != NULL;
    return method ? scry_json_get(message, "id") != NULL : !response;
}

static void answer_one(mcp *m, const scry_json *message, scry_json_writer *w)
{
    const scry_json *id = scry_json_get(message, "id"), *params = scry_json_get(message, "params");
    const char *method = scry_json_str(scry_json_get(message, "method"), NULL);
    scry_json_type type = scry_json_type_of(id);
    if (!method)
        fail(w, id, INVALID_REQUEST, "the message has no method");
    else if (type != SCRY_JSON_STRING && type != SCRY_JSON_INT)   /* no answer could have it */
        fail(w, NULL, INVALID_REQUEST, "the id of a request is a text or a whole number");
    else if (strcmp(method, "initialize") == 0)
        initialize(m, w, id, params);
    else if (strcmp(method, "tools/list") == 0)
        list_tools(w, id);
    else if (strcmp(method, "tools/call") == 0)
        call_tool(m, w, id, params);
    else if (strcmp(method, "ping") == 0) {
        begin(w, id);
        scry_json_key(w, "result");
        scry_json_put_raw(w, "{}");
        scry_json_end(w, '}');
    } else
        fail(w, id, UNKNOWN_METHOD, "unknown method");
}

static void answer_batch(mcp *m, const scry_json *batch, scry_json_writer *w)
{
    size_t n = scry_json_size(batch), wanted = 0;
    for (size_t i = 0; i < n; i++)
        wanted += wants_answer(scry_json_at(batch, i));
    if (!m->version || strcmp(m->version, "2025-03-26") != 0 || n == 0) {
        fail(w, NULL, INVALID_REQUEST, n ? "this version of the protocol has no batches: send one message a line" : "the batch is empty");
        return;
    }
    if (wanted)
        scry_json_begin(w, '[');
    for (size_t i = 0; i < n; i++)
        if (wants_answer(scry_json_at(batch, i)))
            answer_one(m, scry_json_at(batch, i), w);
    if (wanted)
        scry_json_end(w, ']');
}

void mcp_answer(mcp *m, const char *line, size_t n, scry_buf *out)
{
    scry_json *root = NULL;
    scry_error err = SCRY_ERROR_INIT;
    scry_json_writer w = SCRY_JSON_WRITER_INIT(out);
    if (strspn(line, " \t\r\n") >= n)
        return;
    if (scry_json_parse(&root, line, n, "the message", &err) < 0) {
        fail(&w, NULL, PARSE_ERROR, err.message);
        return;
    }
    if (scry_json_type_of(root) == SCRY_JSON_ARRAY)
        answer_batch(m, root, &w);
    else if (wants_answer(root))
        answer_one(m, root, &w);
    scry_json_free(root);
}
