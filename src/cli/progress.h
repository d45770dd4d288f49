/* progress.h - one line on stderr that says how far a long run is. */
#ifndef SCRY_CLI_PROGRESS_H
#define SCRY_CLI_PROGRESS_H

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

#endif
