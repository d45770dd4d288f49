/* cmd_mcp.c - `scry mcp`: tools for assistants, on standard input and output. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/mcp.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_ANSWER_BYTES = 64 << 20, MAX_LINE_BYTES = 4 << 20 };

static int open_all(mcp *m, const cli_common *c, scry_error *err)
{
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    m->common = c;
    int r = cli_open_store(&m->store, c, SCRY_STORE_READ, err);
    if (r == 0)
        r = cli_open_model(&m->model, c, m->store, err);
    if (r == 0)
        r = scry_session_new(&m->session, m->model, 0, err);
    if (r == 0)
        r = scry_threshold_known(&m->threshold, m->store, m->model, err);
    return r < 0 ? r : scry_decoder_new(&m->decoder, &d, err);
}

/* One line of at most MAX_LINE_BYTES; *too_long: the rest of a longer one was discarded. false: end of file. */
static bool read_line(scry_buf *line, bool *too_long)
{
    int c = 0;
    size_t n = 0;
    scry_buf_clear(line);
    while ((c = getc_unlocked(stdin)) != EOF && c != '\n')
        if (n++ < MAX_LINE_BYTES)
            scry_buf_putc(line, (char)c);
    *too_long = n > MAX_LINE_BYTES;
    return n > 0 || c == '\n';
}

/* Answer one message per line until end of file. */
static int talk(mcp *m)
{
    scry_buf line = SCRY_BUF_INIT(MAX_LINE_BYTES + 1);
    bool too_long;
    while (read_line(&line, &too_long)) {
        scry_buf out = SCRY_BUF_INIT(MAX_ANSWER_BYTES);
        if (too_long)
            mcp_refuse_long(MAX_LINE_BYTES, &out);
        else
            mcp_answer(m, scry_buf_str(&line), line.size, &out);
        if (out.size) {
            puts(scry_buf_str(&out));
            fflush(stdout);
        }
        scry_buf_dispose(&out);
    }
    scry_buf_dispose(&line);
    return CLI_OK;
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
    scry_threshold_free(m.threshold);
    scry_model_free(m.model);
    if (m.store)
        scry_store_close(m.store, NULL);
    cli_end(&a);
    return status;
}

const cli_command cmd_mcp = {
    .name = "mcp",
    .usage = "[OPTION]...",
    .no_operands = "it serves the whole collection; `scry index PATH` adds pictures to it",
    .summary = "Let an assistant search the pictures (Model Context Protocol on stdio)",
    .details = "Tools: search, get_image, find_duplicates, describe_index, and for favourites and saved searches set_favourites, list_favourites,\n"
               "list_saved_searches, run_saved_search, save_search, remove_saved_search. The assistant's program starts it; its configuration:\n"
               "\n\n"
               "  \"mcpServers\": { \"pictures\": { \"command\": \"scry\", \"args\": [\"mcp\"] } }\n",
    .common = CLI_STORE | CLI_MODEL,
    .run = run_mcp,
};
