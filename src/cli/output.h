/* output.h - search results as a table, as JSON, as paths. */
#ifndef SCRY_CLI_OUTPUT_H
#define SCRY_CLI_OUTPUT_H

#include "base/json.h"
#include "scry/model.h"
#include "scry/store.h"

typedef enum { CLI_TABLE, CLI_JSON, CLI_PATHS } cli_output_form;

typedef struct cli_output {
    cli_output_form form;
    bool zero_ended, quiet;
    const char *const *args;      /* the query as it was typed */
    size_t arg_count;
    scry_store *store;
    const scry_model_info *model;
    const scry_search *search;
    const scry_results *results;
    size_t first_rank;
    double line;                  /* the model's minimum score; NAN when unknown */
    double took_ms;
    struct cli_thumbs *thumbs;    /* pictures in the table; NULL: none */
} cli_output;

void cli_print_results(const cli_output *o);

#endif
