/* store_copy.h - `scry store copy` and `scry verify --against`. */
#ifndef SCRY_CLI_STORE_COPY_H
#define SCRY_CLI_STORE_COPY_H

#include "cli/cli.h"

/* Copy c's collection at `from` into the collection `to_name` (NULL: the same name) at `to`; the
 * exit status. */
int cli_store_copy(const cli_common *c, const char *from, const char *to, const char *to_name);

/* The same without the pictures: what is to be imported is written to files in `folder`. */
int cli_store_export(const cli_common *c, const char *from, const char *to, const char *to_name, const char *folder);

/* Compare c's collection with `name` (NULL: the same name) at `place`; the exit status. */
int cli_verify_against(const cli_common *c, const char *place, const char *name, uint64_t sample);

#endif
