/* cli.h - shared by all commands. Each has one table of options, from which its parser, --help,
 * shell completions and man page are generated.
 *
 * A command is one file, cmd_NAME.c, that defines `const cli_command cmd_NAME`; commands.c lists
 * them. Results go to stdout, everything else to stderr. Exit status: 0 found or done, 1
 * nothing found or some inputs skipped, 2 an error.
 */
#ifndef SCRY_CLI_H
#define SCRY_CLI_H

#include "base/buf.h"
#include "engine/search_request.h"
#include "scry/error.h"
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
    const char *no_operands;   /* of a command without any: what to do instead, said when one is given; NULL */
    int lead;              /* with CLI_SEARCH: operands before the query, which may be empty then */
    unsigned common;       /* CLI_STORE | CLI_MODEL | ...: the shared options it accepts */
    int (*run)(int argc, char **argv);   /* argv[0] is the command's name */
} cli_command;

enum { CLI_STORE = 1, CLI_MODEL = 2, CLI_FILTER = 4, CLI_SEARCH = 8, CLI_LIST = 16 };   /* CLI_SEARCH, CLI_LIST: filters too */

typedef struct cli_option_table {
    const char *heading;         /* "Filters" */
    const cli_option *options;   /* ended by a NULL name */
} cli_option_table;

enum { CLI_MAX_TABLES = 8 };

/* The options that scry_params gives to `scry search` and to `scry list`, without filters, and only filters; search_options.c. */
const cli_option *cli_search_options(void);
const cli_option *cli_list_options(void);
const cli_option *cli_filter_options(void);

/* The option tables of a command, its own first; returns how many there are. */
size_t cli_option_tables(const cli_command *c, cli_option_table out[CLI_MAX_TABLES]);

/* All commands in the order of --help; NULL ends. */
extern const cli_command *const cli_commands[];

/* ---- options ---- */

/* The status line shown while waiting for a Milvus server (progress.c). */
typedef struct cli_wait_line {
    bool quiet, forced;   /* forced: even when stderr is not a terminal */
    bool shown;
    const char *stage;
    int percent;
} cli_wait_line;

typedef struct cli_common {
    const char *store, *collection, *model;   /* NULL: the default */
    scry_precision precision;
    const char *language;                     /* of texts; NULL: guessed where the model is told it */
    scry_milvus_choice milvus;
    const char *milvus_map;                   /* CSV of id and path; read when the store is opened */
    cli_wait_line *wait;                      /* of cli_args */
    bool quiet;
    scry_search_request request;              /* of CLI_SEARCH and CLI_FILTER: from the options */
    const char *saved;                        /* NULL: no --saved */
    struct { const char *name, *value; } *given;   /* [given_count] what the request was made from: options, as written */
    size_t given_count;
} cli_common;

typedef struct cli_args {
    const cli_command *command;
    cli_common common;
    int argc;
    char **argv;
    int next;           /* where the operands begin, once cli_next returned NULL */
    void *table;        /* getopt's table, owned */
    cli_wait_line wait;
    int status;         /* once cli_next returned NULL: -1 on success, else the exit status */
} cli_args;

enum { CLI_COMMON_ARGUMENTS = 24 };

/* The shared options that were given, but for those of a search, as arguments of another command that has them: how many of `out`,
 * each owned by the caller. */
size_t cli_common_arguments(const cli_common *c, char *out[CLI_COMMON_ARGUMENTS]);

/* Call cli_begin, then cli_next until it returns NULL. It returns the name of the next option of the command's
 * own table, with its argument in *value, and handles shared options itself. After an error or --help, whose
 * message it has printed, args->status is >= 0, else -1. */
void cli_begin(cli_args *a, const cli_command *command, int argc, char **argv);
const char *cli_next(cli_args *a, const char **value);
void cli_end(cli_args *a);

/* Parse a whole number within a range; print an error and return false if it is not one. */
bool cli_int(const char *option, const char *text, long long min, long long max, long long *out);

/* Parse "fp32", "bf16", "int8" or "auto"; print an error and return false for anything else. */
bool cli_precision(const char *text, scry_precision *out);

/* ---- messages ---- */

/* "scry: MESSAGE" on stderr; returns CLI_ERROR. */
int cli_fail(const scry_error *err);
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Warn of damage that the store is known to have: what was shown lacks what is damaged, or may be wrong. */
void cli_warn_damage(scry_store *store);

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

/* The options of a store on Milvus, with the file of --milvus-map read; dispose of it after success and
 * failure. */
int cli_milvus_choice(scry_milvus_choice *out, const cli_common *c, scry_error *err) SCRY_NODISCARD;
void cli_milvus_choice_dispose(scry_milvus_choice *choice);

/* Open an existing store. The error for a missing one says how to create it. */
int cli_open_store(scry_store **out, const cli_common *c, scry_store_mode mode, scry_error *err) SCRY_NODISCARD;

/* Close a store (NULL is legal); the `result` of what was done with it or, if that is 0, of closing it. */
int cli_close_store(scry_store *s, int result, scry_error *err) SCRY_NODISCARD;

/* The model named by --model or $SCRY_MODEL, else the one that `store` (may be NULL) was built with, else the
 * starter. With a store, a model other than the collection's is an error. */
int cli_open_model(scry_model **out, const cli_common *c, scry_store *store, scry_error *err) SCRY_NODISCARD;

/* The same, whatever model the collection was built with. */
int cli_open_model_for(scry_model **out, const cli_common *c, scry_store *store, scry_error *err) SCRY_NODISCARD;

/* The name to record for the model that the options give, else `otherwise`: that of a folder is absolute; owned. */
char *cli_model_name(const cli_common *c, const char *otherwise);

/* The options that create a collection for a model; `name` is borrowed. */
scry_store_options cli_options_of(const scry_model *model, const char *name);

/* Create or open for writing, with the model's identity recorded. */
int cli_create_store(scry_store **out, const cli_common *c, const scry_model *model, scry_error *err) SCRY_NODISCARD;

/* The collection `name` (NULL: the name of `like`) at `place`, created if it does not exist, for copying the open store
 * `like` into it: its model is recorded, or must be the recorded one. */
int cli_create_store_like(scry_store **out, const cli_common *c, scry_store *like, const char *place, const char *name,
                          scry_error *err) SCRY_NODISCARD;

/* The name of the model that a collection was built with; where there is none of that name any more, that of the same model
 * under another one. Owned. */
char *cli_recorded_model(const scry_store_info *info);

/* A model by name or folder, whatever any store was built with. */
int cli_open_model_named(scry_model **out, const char *name, const scry_model_options *options, scry_error *err) SCRY_NODISCARD;

const char *cli_precision_name(scry_precision p);

/* ---- output ---- */

/* For printing to `to`, owned. When that is a terminal, its control characters and invisible ones are escaped, so that
 * texts from outside can neither send commands to it nor show another text than they are; `name`, of a file, is
 * quoted for a shell as GNU ls does. */
char *cli_printable(FILE *to, const char *text);
char *cli_quoted(FILE *to, const char *name);

/* To standard output: the same of every line of the formatted text; JSON, whose characters of this kind become \u escapes
 * on a terminal, and a line end. */
void cli_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_print_json(const scry_buf *json);

char *cli_hex_id(const uint8_t id[SCRY_ID_BYTES], char out[2 * SCRY_ID_BYTES + 1]);

#endif
