/* progress.h - one line on stderr with the progress of a long run. */
#ifndef SCRY_CLI_PROGRESS_H
#define SCRY_CLI_PROGRESS_H

#include "cli/cli.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct cli_progress cli_progress;

/* Shows nothing when quiet, or when stderr is not a terminal and `force` is false. */
cli_progress *cli_progress_new(bool quiet, bool force);

/* `done` of `total`, which still grows while `open_end`; `rated` is the counter from which the rate is computed. */
void cli_progress_show(cli_progress *p, uint64_t done, uint64_t total, bool open_end, uint64_t rated);

/* The same of work that is not counted in pictures: how much of it is done, in percent. */
void cli_progress_show_share(cli_progress *p, uint64_t done, uint64_t total);
void cli_show_share(void *bar, uint64_t done, uint64_t total);   /* the same as a callback of the library */

/* Erase the line, so that something else can be printed. */
void cli_progress_clear(cli_progress *p);
void cli_progress_free(cli_progress *p);

/* Callbacks of scry_milvus_choice for the time that a store on Milvus waits for the server; `arg` is the line. */
int cli_waiting(void *arg, const char *stage, int percent);
void cli_notice(void *arg, const char *text);
void cli_waited(cli_wait_line *line);   /* erase the line */

#endif
