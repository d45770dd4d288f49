/* progress.h - one line on stderr that says how far a long run is. */
#ifndef SCRY_CLI_PROGRESS_H
#define SCRY_CLI_PROGRESS_H

#include "cli/cli.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct cli_progress cli_progress;

/* Shows nothing when quiet, or when stderr is no terminal and `force` is false. */
cli_progress *cli_progress_new(bool quiet, bool force);

/* `done` of `total`, which still grows while `open_end`; `rated` counts what the rate is of. */
void cli_progress_show(cli_progress *p, uint64_t done, uint64_t total, bool open_end, uint64_t rated);

/* Take the line away, so that something else can be printed. */
void cli_progress_clear(cli_progress *p);
void cli_progress_free(cli_progress *p);

/* What a store on Milvus says while it waits for the server (scry_milvus_choice); `arg` is the line. */
int cli_waiting(void *arg, const char *stage, int percent);
void cli_notice(void *arg, const char *text);
void cli_waited(cli_wait_line *line);   /* take the line away */

#endif
