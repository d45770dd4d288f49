/* collect.h - pictures of a result, copied or linked into a folder. */
#ifndef SCRY_CLI_COLLECT_H
#define SCRY_CLI_COLLECT_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_collector cli_collector;

/* Into `dir`, which is made if the folder above it is there; with symbolic links instead of copies where `link`. */
int cli_collector_new(cli_collector **out, const char *dir, bool link, scry_error *err) SCRY_NODISCARD;

/* A file of the same name that is there already is never replaced: if it is the same (equal bytes, or a link to the same
 * file), that is all, else the new one gets another name, "x (2).jpg". A copy has its name only once it is complete, and the
 * time of its original. What fails is printed as skipped. */
void cli_collector_add(cli_collector *c, const char *path);

/* Say on stderr, unless `quiet`, how many were copied or linked, and free it (NULL is legal). False where some failed. */
bool cli_collector_end(cli_collector *c, bool quiet);

#endif
