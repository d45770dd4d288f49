/* output.h - pictures that were found or listed, as a table, as JSON, as paths, as a page. */
#ifndef SCRY_CLI_OUTPUT_H
#define SCRY_CLI_OUTPUT_H

#include "base/json.h"
#include "cli/collect.h"
#include "engine/score_groups.h"
#include "engine/search_request.h"
#include "scry/model.h"
#include "scry/store.h"

typedef enum { CLI_TABLE, CLI_JSON, CLI_PATHS } cli_output_form;

/* How a command shows pictures: what the options in CLI_VIEW_OPTIONS say. */
typedef struct cli_view {
    cli_output_form form;
    bool zero_ended, thumbs, json, paths, open;
    const char *html, *copy_to, *link_to;
} cli_view;

#define CLI_VIEW_OPTIONS \
    { "html", "FILE", "also write a page of thumbnails to one self-contained file", 0, NULL }, \
    { "thumbs", NULL, "show thumbnails, if the terminal supports them", 't', NULL }, \
    { "json", NULL, "print one JSON object", 0, NULL }, \
    { "paths", NULL, "print paths only, one per line", 0, NULL }, \
    { "null", NULL, "with --paths: end each path with a zero byte", '0', NULL }, \
    { "open", NULL, "also open the picture, several as one page, with the desktop's program", 'o', NULL }, \
    { "copy-to", "DIR", "also copy the pictures to DIR; no file there is replaced", 0, NULL }, \
    { "link-to", "DIR", "also make symbolic links to the pictures in DIR", 0, NULL }

/* Take one of these options; false when `name` is none of them. */
bool cli_view_take(cli_view *v, const char *name, const char *value);

/* False, with a message, when options contradict each other: --json and --paths, --copy-to and --link-to. */
bool cli_view_check(const cli_view *v);

typedef struct cli_output {
    cli_output_form form;
    bool zero_ended, quiet;
    const scry_search_request *request;
    scry_store *store;
    const scry_model_info *model;
    const scry_results *results;
    const size_t *order;          /* [results->count] of the results as they are shown; NULL: as they are */
    const char *const *headings;  /* [results->count] of the page: a line before each, or NULL; NULL: those of the groups */
    const char *title;            /* of the page; NULL: the query */
    bool listed;                  /* pictures of a list, without scores */
    bool scores;                  /* those of a search are shown */
    uint64_t total;               /* of a list: all that pass its filters */
    scry_groups groups;
    double took_ms;
    bool text_cut;                /* a text is longer than the model reads */
    const struct scry_meant *meant;   /* for JSON: a word of the query that is probably misspelled; NULL: none */
    struct cli_thumbs *thumbs;    /* pictures in the table; NULL: none */
    cli_collector *collector;     /* of --copy-to and --link-to; NULL: none. The command ends it. */
} cli_output;

/* The hit at place `i` of what is shown, and its rank. */
const scry_hit *cli_output_hit(const cli_output *o, size_t i, size_t *rank);

/* Make the folder of --copy-to or --link-to, if one is given. */
int cli_view_collect(const cli_view *v, cli_output *o, scry_error *err) SCRY_NODISCARD;

/* Write the page, print everything in the view's form, copy or link the pictures, open them. */
int cli_show_results(const cli_view *v, cli_output *o, scry_error *err) SCRY_NODISCARD;

void cli_print_results(const cli_output *o);

/* Say how many of the pictures that pass the filters have only the time of their file, where a table is shown. */
void cli_tell_undated(const cli_output *o, uint64_t undated);

#endif
