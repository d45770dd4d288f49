/* cmd_mcp.c - `scry mcp`: tools for assistants, on standard input and output. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/mcp.h"

#include <stdlib.h>

enum { MAX_ANSWER_BYTES = 64 << 20, MAX_LINE_BYTES = 4 << 20 };

static int open_all(mcp *m, const cli_common *c, scry_error *err)
{
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    int r = cli_open_store(&m->store, c, SCRY_STORE_READ, err);
    if (r == 0)
        r = cli_open_model(&m->model, c, m->store, err);
    if (r == 0)
        r = scry_session_new(&m->session, m->model, 0, err);
    if (r == 0)
        r = scry_line_known(&m->line, m->store, m->model, err);
    return r < 0 ? r : scry_decoder_new(&m->decoder, &d, err);
}

/* One message a line until the other side closes. */
static int talk(mcp *m)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    int status = CLI_OK;
    while (status == CLI_OK && (n = getline(&line, &capacity, stdin)) > 0) {
        if (n > MAX_LINE_BYTES) {
            status = cli_usage("a message is longer than %d bytes", MAX_LINE_BYTES);
            break;
        }
        scry_buf out = SCRY_BUF_INIT(MAX_ANSWER_BYTES);
        mcp_answer(m, line, (size_t)n, &out);
        if (out.size) {
            puts(scry_buf_str(&out));
            fflush(stdout);
        }
        scry_buf_dispose(&out);
    }
    free(line);
    return status;
}

static int run_mcp(int argc, char **argv)
{
    cli_args a;
    const char *value;
    mcp m = { 0 };
    scry_error err = SCRY_ERROR_INIT;
    cli_begin(&a, &cmd_mcp, argc, argv);
    while (cli_next(&a, &value))
        continue;
    int status = a.status;
    if (status < 0)
        status = open_all(&m, &a.common, &err) < 0 ? cli_fail(&err) : talk(&m);
    scry_decoder_free(m.decoder);
    scry_session_free(m.session);
    scry_line_free(m.line);
    scry_model_free(m.model);
    if (m.store)
        scry_store_close(m.store, NULL);
    cli_end(&a);
    return status;
}

const cli_command cmd_mcp = {
    .name = "mcp",
    .usage = "[OPTION]...",
    .summary = "Let an assistant search the pictures (Model Context Protocol on stdio)",
    .details = "Tools: search, get_image, describe_index. To be started by the assistant's program; in its\n"
               "configuration:\n\n"
               "  \"mcpServers\": { \"pictures\": { \"command\": \"scry\", \"args\": [\"mcp\"] } }\n",
    .common = CLI_STORE | CLI_MODEL,
    .run = run_mcp,
};
