/* cli.h - what the commands share: one table of options each, from which parsing, --help,
 * the shell completions and the man pages are all made.
 *
 * A command is one file, cmd_NAME.c, that defines `const cli_command cmd_NAME`; commands.c lists
 * them. Results go to stdout, everything else to stderr. Exit status: 0 found or done, 1
 * nothing found or some inputs skipped, 2 an error.
 */
#ifndef SCRY_CLI_H
#define SCRY_CLI_H

#include "scry/error.h"
#include "scry/filter.h"
#include "scry/model.h"
#include "scry/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CLI_OK = 0, CLI_NOTHING = 1, CLI_ERROR = 2 };

typedef struct cli_option {
    const char *name;      /* long name; NULL ends a table */
    const char *argument;  /* "FILE"; NULL for a flag */
    const char *help;      /* one line */
    char letter;           /* short form, 0 for none */
    const char *choices;   /* "fp32 bf16 int8 auto": for completion; NULL */
} cli_option;

typedef struct cli_command {
    const char *name;
    const char *usage;     /* "[OPTION]... QUERY..." */
    const char *summary;   /* one line */
    const char *details;   /* paragraphs and examples for --help and the man page */
    const cli_option *options;
    const char *verbs;     /* first operands it knows, for completion: "list add rm"; NULL */
    unsigned common;       /* CLI_STORE | CLI_MODEL | ...: which shared options it takes */
    int (*run)(int argc, char **argv);   /* argv[0] is the command's name */
} cli_command;

enum { CLI_STORE = 1, CLI_MODEL = 2, CLI_FILTER = 4 };

typedef struct cli_option_table {
    const char *heading;         /* "Filters" */
    const cli_option *options;   /* ended by a NULL name */
} cli_option_table;

enum { CLI_MAX_TABLES = 6 };

/* The tables that a command takes, its own first; returns how many there are. */
size_t cli_option_tables(const cli_command *c, cli_option_table out[CLI_MAX_TABLES]);

/* All commands in the order of --help; NULL ends. */
extern const cli_command *const cli_commands[];

/* ---- options ---- */

/* The line that says what a Milvus server is waited for (progress.c). */
typedef struct cli_wait_line {
    bool quiet, forced;   /* forced: also where stderr is no terminal */
    bool shown;
    const char *stage;
    int percent;
} cli_wait_line;

typedef struct cli_common {
    const char *store, *collection, *model;   /* NULL: the default */
    scry_precision precision;
    scry_milvus_choice milvus;
    const char *milvus_map;                   /* CSV of id and path; read when the store is opened */
    cli_wait_line *wait;                      /* of cli_args */
    bool quiet;
    scry_filter_pool *filters;                /* owned */
    const scry_filter_node *filter;           /* all filter options given, combined; NULL: none */
} cli_common;

typedef struct cli_args {
    const cli_command *command;
    cli_common common;
    int argc;
    char **argv;
    int next;           /* where the operands begin, once cli_next returned NULL */
    void *table;        /* getopt's table, owned */
    cli_wait_line wait;
    int status;         /* once cli_next returned NULL: -1 when all is well, else what to exit with */
} cli_args;

/* Begin; then call cli_next until it returns NULL. It returns the name of the command's own
 * option that it met, its argument in *value; shared options are taken in on the way. On bad
 * usage or --help it has said what is to be said: args->status is >= 0 then, else -1. */
void cli_begin(cli_args *a, const cli_command *command, int argc, char **argv);
const char *cli_next(cli_args *a, const char **value);
void cli_end(cli_args *a);

/* Whole numbers and reals with their range; say what is wrong and return false. */
bool cli_int(const char *option, const char *text, long long min, long long max, long long *out);
bool cli_real(const char *option, const char *text, double min, double max, double *out);

/* "fp32" and its like; says what is wrong and returns false. */
bool cli_precision(const char *text, scry_precision *out);

/* ---- messages ---- */

/* "scry: MESSAGE" on stderr; returns CLI_ERROR. */
int cli_fail(const scry_error *err);
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "skipped: PATH: REASON" on stderr. */
void cli_skipped(const char *path, const char *reason);

/* Print the help of a command, or of the program (NULL). */
void cli_help(FILE *out, const cli_command *command);

/* The same as a man page. */
void cli_man(FILE *out, const cli_command *command);

const cli_command *cli_find_command(const char *name);   /* NULL when there is none */

/* ---- opening things ---- */

/* The store's place: --store, $SCRY_STORE, else the default below $XDG_DATA_HOME; owned. */
char *cli_store_place(const cli_common *c);

/* What a store on Milvus takes, with the map of --milvus-map read; to be disposed of after success and
 * failure alike. */
int cli_milvus_choice(scry_milvus_choice *out, const cli_common *c, scry_error *err) SCRY_NODISCARD;
void cli_milvus_choice_dispose(scry_milvus_choice *choice);

/* Open to read or write what exists. "No index yet" says how to make one. */
int cli_open_store(scry_store **out, const cli_common *c, scry_store_mode mode, scry_error *err) SCRY_NODISCARD;

/* The model: --model, $SCRY_MODEL, what `store` (may be NULL) was built with, else the starter.
 * With a store, another model than the collection's is an error. */
int cli_open_model(scry_model **out, const cli_common *c, scry_store *store, scry_error *err) SCRY_NODISCARD;

/* Create or open for writing, with the model's identity recorded. */
int cli_create_store(scry_store **out, const cli_common *c, const scry_model *model, scry_error *err) SCRY_NODISCARD;

/* The collection `name` (NULL: named as that of `like`) at `place`, made if need be, to take what the open
 * store `like` holds: its model is recorded, or must be the one that is. */
int cli_create_store_like(scry_store **out, const cli_common *c, scry_store *like, const char *place, const char *name,
                          scry_error *err) SCRY_NODISCARD;

/* A model by name or folder, whatever any store was built with. */
int cli_open_model_named(scry_model **out, const char *name, const scry_model_options *options, scry_error *err) SCRY_NODISCARD;

const char *cli_precision_name(scry_precision p);

/* ---- output ---- */

/* A path, or a line with one in it, for `to`: its control characters as escapes when that is a
 * terminal, so that nothing a file is called may drive it; owned. */
char *cli_printable(FILE *to, const char *text);
char *cli_hex_id(const uint8_t id[SCRY_ID_BYTES], char out[2 * SCRY_ID_BYTES + 1]);

#endif
