/* query_hints.h - on a terminal, what a query may have been meant to be. */
#ifndef SCRY_CLI_QUERY_HINTS_H
#define SCRY_CLI_QUERY_HINTS_H

#include "cli/output.h"

/* Say on stderr which parts are weighed, which text is the name of a picture that is here, which has a word with a
 * minus, and what a picture that is not there may have been meant to be. */
void cli_query_hints(const scry_search_request *r);

/* On a terminal, of an output with results: which places of the collection have a name that --place gave, if they are several. */
void cli_place_hints(const cli_output *o);

#endif
