/* options.c - command lines: shared options, help, messages. */
#include "cli/cli.h"

#include "base/alloc.h"
#include "engine/walk.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_option store_options[] = {
    { "store", "WHERE", "folder of the store, or milvus://HOST:PORT/DATABASE ($SCRY_STORE)", 0, NULL },
    { "collection", "NAME", "collection in the store (default: \"default\")", 0, NULL },
    { 0 },
};
static const cli_option milvus_options[] = {
    { "milvus-index", "SPEC", "index to make, or to replace: flat (exact; default), hnsw:M=16,efConstruction=200, "
      "ivf_flat:nlist=512, ivf_sq8:nlist=512, autoindex ($SCRY_MILVUS_INDEX)", 0, NULL },
    { "milvus-search", "SPEC", "how far to search: ef=64 (hnsw), nprobe=16 (ivf) ($SCRY_MILVUS_SEARCH)", 0, NULL },
    { "milvus-consistency", "LEVEL", "how fresh searches are (default: bounded) ($SCRY_MILVUS_CONSISTENCY)", 0,
      "strong session bounded eventually" },
    { "milvus-partitions", NULL, "a new collection keeps each root in a partition of its own, so that --in looks into that", 0,
      NULL },
    { "milvus-field", "NAME", "vector field, in a collection that another program made", 0, NULL },
    { "milvus-id", "NAME", "its key", 0, NULL },
    { "milvus-map", "CSV", "a table with columns id and path: what its keys stand for", 0, NULL },
    { 0 },
};
static const cli_option model_options[] = {
    { "model", "NAME|DIR", "model to use (default: the collection's, else the starter; $SCRY_MODEL)", 0, NULL },
    { "precision", "WHICH", "arithmetic: auto, fp32, bf16 or int8 (default: auto)", 0, "auto fp32 bf16 int8" },
    { 0 },
};
static const cli_option filter_options[] = {
    { "in", "DIR", "only pictures in this folder and below it (may be repeated: any of them)", 0, NULL },
    { "after", "DATE", "only pictures taken at or after DATE (2024, 2024-05, 2024-05-17, ...T10:00)", 0, NULL },
    { "before", "DATE", "only pictures taken before DATE", 0, NULL },
    { "camera", "TEXT", "only pictures whose camera's name contains TEXT", 0, NULL },
    { "near", "LAT,LON,KM", "only pictures taken within KM kilometres of that place", 0, NULL },
    { "format", "NAME", "only pictures of this format (may be repeated: any of them)", 0,
      "jpeg png webp gif tiff heic avif jxl raw" },
    { "label", "TEXT", "only pictures with this label from a CSV (may be repeated: all of them)", 0, NULL },
    { "key", "TEXT", "only the picture with this key from a CSV (may be repeated: any of them)", 0, NULL },
    { 0 },
};
static const cli_option general_options[] = {
    { "quiet", NULL, "no progress and no warnings", 'q', NULL },
    { "help", NULL, "show this help", 'h', NULL },
    { 0 },
};

size_t cli_option_tables(const cli_command *c, cli_option_table out[CLI_MAX_TABLES])
{
    size_t n = 0;
    if (c->options && c->options->name)
        out[n++] = (cli_option_table){ "Options", c->options };
    if (c->common & CLI_FILTER)
        out[n++] = (cli_option_table){ "Filters", filter_options };
    if (c->common & CLI_STORE)
        out[n++] = (cli_option_table){ "Store", store_options };
    if (c->common & CLI_STORE)
        out[n++] = (cli_option_table){ "Store on Milvus", milvus_options };
    if (c->common & CLI_MODEL)
        out[n++] = (cli_option_table){ "Model", model_options };
    out[n++] = (cli_option_table){ "General", general_options };
    return n;
}

static const cli_option *option_at(const cli_command *c, int index, bool *own)
{
    cli_option_table tables[CLI_MAX_TABLES];
    size_t n = cli_option_tables(c, tables);
    *own = false;
    for (size_t t = 0; t < n; t++)
        for (const cli_option *o = tables[t].options; o->name; o++)
            if (index-- == 0) {
                *own = tables[t].options == c->options;
                return o;
            }
    return NULL;
}

enum { FIRST_VALUE = 256 };

void cli_begin(cli_args *a, const cli_command *command, int argc, char **argv)
{
    *a = (cli_args){ .command = command, .argc = argc, .argv = argv, .status = -1 };
    int count = 0;
    bool own;
    while (option_at(command, count, &own))
        count++;
    struct option *table = scry_alloc((size_t)(count + 1) * sizeof *table);
    for (int i = 0; i < count; i++) {
        const cli_option *o = option_at(command, i, &own);
        table[i] = (struct option){ o->name, o->argument ? required_argument : no_argument, NULL, FIRST_VALUE + i };
    }
    a->table = table;
    a->common.wait = &a->wait;
    optind = 0;   /* glibc: start anew */
    opterr = 0;
}

/* ":hq0" from the letters. No "+" before them: operands and options may mix. */
static void short_options(const cli_command *c, char *out, size_t size)
{
    size_t n = 0;
    bool own;
    out[n++] = ':';
    for (int i = 0;; i++) {
        const cli_option *o = option_at(c, i, &own);
        if (!o || n + 3 > size)
            break;
        if (o->letter) {
            out[n++] = o->letter;
            if (o->argument)
                out[n++] = ':';
        }
    }
    out[n] = '\0';
}

static const cli_option *option_by_letter(const cli_command *c, int letter, bool *own)
{
    const cli_option *o;
    for (int i = 0; (o = option_at(c, i, own)); i++)
        if (o->letter == letter)
            return o;
    return NULL;
}

/* Combine with what was given before: options of one kind by `or`, the rest by `and`. The last
 * node of each "any of them" kind is kept apart until the end. */
static void add_filter(cli_common *c, const scry_filter_node *f, const scry_filter_node **any)
{
    if (any)
        *any = *any ? scry_filter_or(c->filters, *any, f) : f;
    else
        c->filter = scry_filter_and(c->filters, c->filter, f);
}

typedef struct { const scry_filter_node *in, *format, *key; } any_filters;
static any_filters any_of;   /* of the command line being parsed: there is one a process */

static bool take_filter(cli_common *c, const char *name, const char *value, scry_error *err)
{
    if (!c->filters)
        c->filters = scry_filter_pool_new();
    scry_filter_pool *p = c->filters;
    int64_t s;
    double lat, lon, km;
    if (strcmp(name, "in") == 0) {
        if (!value[0])
            return scry_fail(err, SCRY_EINVALID, "an empty path names no folder"), false;
        char *path = scry_stored_path(value);
        add_filter(c, scry_filter_text(p, SCRY_FILTER_IN, path), &any_of.in);
        free(path);
    } else if (strcmp(name, "after") == 0 || strcmp(name, "before") == 0) {
        if (scry_parse_time(value, &s, err) < 0)
            return false;
        add_filter(c, scry_filter_time(p, name[0] == 'a' ? SCRY_FILTER_AFTER : SCRY_FILTER_BEFORE, s), NULL);
    } else if (strcmp(name, "near") == 0) {
        if (scry_parse_near(value, &lat, &lon, &km, err) < 0)
            return false;
        add_filter(c, scry_filter_near(p, lat, lon, km), NULL);
    } else if (strcmp(name, "format") == 0) {
        add_filter(c, scry_filter_text(p, SCRY_FILTER_FORMAT, strcasecmp(value, "jpg") == 0 ? "jpeg" : value), &any_of.format);
    } else if (strcmp(name, "key") == 0) {
        add_filter(c, scry_filter_text(p, SCRY_FILTER_KEY, value), &any_of.key);
    } else {
        scry_filter_kind kind = strcmp(name, "camera") == 0 ? SCRY_FILTER_CAMERA : SCRY_FILTER_LABEL;
        add_filter(c, scry_filter_text(p, kind, value), NULL);
    }
    return true;
}

bool cli_precision(const char *value, scry_precision *out)
{
    for (scry_precision p = SCRY_PRECISION_AUTO; p <= SCRY_PRECISION_INT8; p++)
        if (strcmp(value, cli_precision_name(p)) == 0) {
            *out = p;
            return true;
        }
    cli_usage("--precision takes auto, fp32, bf16 or int8, not \"%s\"", value);
    return false;
}

/* Where an option for a store on Milvus goes; NULL when it is none. */
static const char **milvus_option(cli_common *c, const char *name)
{
    const struct { const char *name, **to; } options[] = {
        { "milvus-index", &c->milvus.index }, { "milvus-search", &c->milvus.search },
        { "milvus-consistency", &c->milvus.consistency }, { "milvus-field", &c->milvus.vector_field },
        { "milvus-id", &c->milvus.id_field }, { "milvus-map", &c->milvus_map },
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0)
            return options[i].to;
    return NULL;
}

/* A shared option; false when what it says is wrong (and was said). */
static bool take_common(cli_args *a, const cli_option *o, const char *value)
{
    cli_common *c = &a->common;
    scry_error err = SCRY_ERROR_INIT;
    if (strcmp(o->name, "help") == 0) {
        cli_help(stdout, a->command);
        a->status = CLI_OK;
        return false;
    }
    if (strcmp(o->name, "quiet") == 0)
        c->quiet = a->wait.quiet = true;
    else if (strcmp(o->name, "store") == 0)
        c->store = value;
    else if (strcmp(o->name, "collection") == 0)
        c->collection = value;
    else if (strcmp(o->name, "model") == 0)
        c->model = value;
    else if (strcmp(o->name, "milvus-partitions") == 0)
        c->milvus.partitions = true;
    else if (milvus_option(c, o->name))
        *milvus_option(c, o->name) = value;
    else if (strcmp(o->name, "precision") == 0)
        return cli_precision(value, &c->precision);
    else if (!take_filter(c, o->name, value, &err)) {
        cli_usage("--%s: %s", o->name, err.message);
        return false;
    }
    return true;
}

static void join_any_filters(cli_common *c)
{
    const scry_filter_node *any[] = { any_of.in, any_of.format, any_of.key };
    for (size_t i = 0; i < 3; i++)
        if (any[i])
            c->filter = scry_filter_and(c->filters, c->filter, any[i]);
    any_of = (any_filters){ 0 };
}

/* The long options that begin with the `n` bytes of `name`; *one is one of them. */
static size_t count_options(const cli_command *c, const char *name, size_t n, const cli_option **one)
{
    size_t count = 0;
    bool own;
    const cli_option *o;
    for (int i = 0; (o = option_at(c, i, &own)); i++)
        if (strncmp(o->name, name, n) == 0) {
            *one = o;
            count++;
        }
    return count;
}

/* After getopt_long said '?' or ':'. It tells which option it was by `optopt`, or, when that is 0, by
 * having just passed it: operands before it stay where they are until the next call. */
static void say_bad_option(const cli_args *a, bool without_value)
{
    const char *help = a->command->name, *given = a->argv[optind - 1];
    char letter[8];
    snprintf(letter, sizeof letter, optopt > ' ' && optopt < 0x7f ? "-%c" : "-\\x%02x", (unsigned char)optopt);
    const cli_option *o = NULL;
    bool own;
    if (optopt >= FIRST_VALUE)
        o = option_at(a->command, optopt - FIRST_VALUE, &own);
    if (o)
        cli_usage(without_value ? "--%s wants a value (see `scry %s --help`)" : "--%s takes no value (see `scry %s --help`)",
                  o->name, help);
    else if (optopt)
        cli_usage(without_value ? "%s wants a value (see `scry %s --help`)" : "unknown option %s (see `scry %s --help`)",
                  letter, help);
    else if (count_options(a->command, given + 2, strcspn(given + 2, "="), &o) > 1)
        cli_usage("%s may be several options, --%s is one (see `scry %s --help`)", given, o->name, help);
    else
        cli_usage("unknown option %s (see `scry %s --help`)", given, help);
}

const char *cli_next(cli_args *a, const char **value)
{
    char letters[64];
    short_options(a->command, letters, sizeof letters);
    for (;;) {
        int v = getopt_long(a->argc, a->argv, letters, a->table, NULL);
        if (v == -1) {
            a->next = optind;
            join_any_filters(&a->common);
            return NULL;
        }
        if (v == '?' || v == ':') {
            say_bad_option(a, v == ':');
            a->status = CLI_ERROR;
            return NULL;
        }
        bool own;
        const cli_option *o = v >= FIRST_VALUE ? option_at(a->command, v - FIRST_VALUE, &own)
                                               : option_by_letter(a->command, v, &own);
        *value = optarg;
        a->wait.forced |= own && strcmp(o->name, "progress") == 0;
        if (own)
            return o->name;
        if (!take_common(a, o, optarg)) {
            if (a->status < 0)
                a->status = CLI_ERROR;
            return NULL;
        }
    }
}

void cli_end(cli_args *a)
{
    scry_filter_pool_free(a->common.filters);
    free(a->table);
    a->table = NULL;
}

bool cli_int(const char *option, const char *text, long long min, long long max, long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *out >= min && *out <= max)
        return true;
    cli_usage("--%s takes a whole number from %lld to %lld, not \"%s\"", option, min, max, text);
    return false;
}

bool cli_real(const char *option, const char *text, double min, double max, double *out)
{
    char *end;
    errno = 0;
    *out = strtod(text, &end);
    if (errno == 0 && end != text && *end == '\0' && *out >= min && *out <= max)
        return true;
    cli_usage("--%s takes a number from %g to %g, not \"%s\"", option, min, max, text);
    return false;
}

static void say(const char *fmt, va_list ap)
{
    char *text = scry_vasprintf(fmt, ap), *line = cli_printable(stderr, text);
    fprintf(stderr, "scry: %s\n", line);
    free(line);
    free(text);
}

int cli_fail(const scry_error *err)
{
    return cli_usage("%s", err->message);
}

int cli_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    return CLI_ERROR;
}

void cli_warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
}

void cli_skipped(const char *path, const char *reason)
{
    char *name = cli_printable(stderr, path), *why = cli_printable(stderr, reason);
    fprintf(stderr, "skipped: %s: %s\n", name, why);
    free(name);
    free(why);
}

static void print_options(FILE *out, const char *heading, const cli_option *o)
{
    fprintf(out, "\n%s:\n", heading);
    for (; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : "  ", o->letter ? o->letter : ' ',
                 o->letter ? ", " : " ", o->name, o->argument ? "=" : "", o->argument ? o->argument : "");
        fprintf(out, "  %-28s %s\n", left, o->help);
    }
}

void cli_help(FILE *out, const cli_command *c)
{
    if (!c) {
        fputs("scry finds pictures by describing them.\n\nUsage: scry COMMAND [OPTION]... [ARGUMENT]...\n\n", out);
        for (size_t i = 0; cli_commands[i]; i++)
            fprintf(out, "  %-10s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
        fputs("\nFirst steps:\n  scry index ~/Pictures\n  scry search a white dog on the beach\n"
              "\n`scry COMMAND --help` explains a command.\n", out);
        return;
    }
    fprintf(out, "Usage: scry %s %s\n\n%s.\n", c->name, c->usage, c->summary);
    if (c->details)
        fprintf(out, "\n%s", c->details);
    cli_option_table tables[CLI_MAX_TABLES];
    size_t n = cli_option_tables(c, tables);
    for (size_t t = 0; t < n; t++)
        print_options(out, tables[t].heading, tables[t].options);
}
