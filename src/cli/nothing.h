/* nothing.h - what a command says on stderr when it found nothing. */
#ifndef SCRY_CLI_NOTHING_H
#define SCRY_CLI_NOTHING_H

#include "cli/output.h"

/* "nothing found" and, where the filters or --min-score let none pass, why. Nothing with --quiet or in other forms than a table. */
void cli_tell_nothing(const cli_output *o);

/* The same reason as the member "nothing_found" of a JSON object; no member where there are results, or no reason is known. */
void cli_put_why_nothing(scry_json_writer *w, const cli_output *o);

/* Say on stderr why no picture passes the filters of a command that only filters, and is in or below `folder` (NULL: any). Nothing
 * where some pass. */
void cli_tell_none_pass(scry_store *store, const scry_search_request *r, const char *folder);

#endif
