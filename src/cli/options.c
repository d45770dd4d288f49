/* options.c - command lines: shared options, help, messages. */
#include "cli/cli.h"
#include "cli/suggest.h"
#include "cli/wrap.h"

#include "base/alloc.h"
#include "engine/user_marks.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_option store_options[] = {
    { "store", "WHERE", "folder of the store, or milvus://HOST:PORT/DATABASE, or https://HOST of a managed Milvus ($SCRY_STORE)", 0, NULL },
    { "collection", "NAME", "collection in the store (default: \"default\")", 0, NULL },
    { "help-milvus", NULL, "show the options for a store on Milvus", 0, NULL },
    { 0 },
};
static const cli_option milvus_options[] = {
    { "milvus-index", "SPEC", "index to create, or to replace the present one with: flat (exact; default), hnsw:M=16,efConstruction=200, "
      "ivf_sq8:nlist=512, scann:nlist=512, diskann, autoindex, ... ($SCRY_MILVUS_INDEX)", 0, NULL },
    { "milvus-search", "SPEC", "search effort: ef=64 (hnsw), nprobe=16 (ivf, scann), reorder_k=100 (scann), search_list=100 (diskann) "
      "($SCRY_MILVUS_SEARCH)", 0, NULL },
    { "milvus-consistency", "LEVEL", "consistency of searches (default: bounded) ($SCRY_MILVUS_CONSISTENCY)", 0,
      "strong session bounded eventually" },
    { "milvus-partitions", NULL, "store each root of a new collection in its own partition, which --in then searches alone", 0,
      NULL },
    { "milvus-half", NULL, "store the vectors of a new collection in half precision, or refuse (the default of Milvus 2.4 and later)", 0, NULL },
    { "milvus-single", NULL, "store them in single precision: twice the memory, and other programs search with floats", 0, NULL },
    { "milvus-shards", "N", "over how many shards the writes of a new collection are distributed (1 to 16)", 0, NULL },
    { "milvus-replicas", "N", "load a collection that is not loaded N times, for more searches a second", 0, NULL },
    { "milvus-alias", NULL, "make the name of a new collection an alias, which scry index --rebuild switches to the new vectors at once", 0, NULL },
    { "milvus-partition-key", NULL, "make the root of a new collection its partition key: for thousands of roots", 0, NULL },
    { "milvus-mmap", NULL, "map the data of a new collection from the server's disk instead of holding it in memory", 0, NULL },
    { "milvus-resource-group", "NAME", "load a collection that is not loaded on this group of query nodes", 0, NULL },
    { "milvus-field", "NAME", "vector field of a collection that another program made", 0, NULL },
    { "milvus-id", "NAME", "key field of such a collection", 0, NULL },
    { "milvus-path", "NAME", "its VARCHAR, dynamic or JSON field with the path of each picture", 0, NULL },
    { "milvus-map", "CSV", "table with columns id and path: the files of its keys", 0, NULL },
    { 0 },
};
static const cli_option model_options[] = {
    { "model", "NAME|DIR", "model to use (default: the collection's, else the starter; $SCRY_MODEL)", 0, NULL },
    { "precision", "WHICH", "arithmetic: auto, fp32, bf16 or int8 (default: auto)", 0, "auto fp32 bf16 int8" },
    { "language", "CODE", "language of texts, for models with NLLB's: deu_Latn or deu (default: auto, guessed from each text)", 0, NULL },
    { 0 },
};
static const cli_option saved_options[] = {
    { "saved", "NAME", "also what the saved search NAME asks for: `scry saved` lists them", 0, NULL },
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
    if (c->common & CLI_SEARCH)
        out[n++] = (cli_option_table){ "Search", cli_search_options() };
    if (c->common & CLI_LIST)
        out[n++] = (cli_option_table){ "List", cli_list_options() };
    if (c->common & (CLI_SEARCH | CLI_LIST | CLI_FILTER))
        out[n++] = (cli_option_table){ "Filters", cli_filter_options() };
    if (c->common & (CLI_SEARCH | CLI_LIST) && !c->lead)
        out[n++] = (cli_option_table){ "Saved searches", saved_options };
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
    scry_request_init(&a->common.request, command->common & CLI_SEARCH ? SCRY_VIA_COMMAND
                                          : command->common & CLI_LIST ? SCRY_VIA_LIST_COMMAND : SCRY_VIA_FILTER_COMMAND);
    a->common.request.may_be_empty = command->lead > 0;
    optind = 0;   /* glibc: reset the parser */
    opterr = 0;
}

/* ":hq0" from the letters. No "+" before them, so that operands and options may be mixed. */
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

/* The shared options whose value is kept as written: the name of the i-th (NULL: there are no more), and where its value is. */
static const char *text_option(cli_common *c, size_t i, const char ***to)
{
    const struct { const char *name, **to; } options[] = {
        { "store", &c->store }, { "collection", &c->collection }, { "model", &c->model }, { "language", &c->language },
        { "milvus-index", &c->milvus.index }, { "milvus-search", &c->milvus.search },
        { "milvus-consistency", &c->milvus.consistency }, { "milvus-field", &c->milvus.vector_field },
        { "milvus-id", &c->milvus.id_field }, { "milvus-path", &c->milvus.path_field },
        { "milvus-map", &c->milvus_map }, { "milvus-resource-group", &c->milvus.resource_group },
    };
    if (i == sizeof options / sizeof *options)
        return NULL;
    *to = options[i].to;
    return options[i].name;
}

/* The shared options without a value, as text_option. */
static const char *flag_option(cli_common *c, size_t i, bool **to)
{
    const struct { const char *name; bool *to; } options[] = {
        { "milvus-partitions", &c->milvus.partitions }, { "milvus-half", &c->milvus.half },
        { "milvus-single", &c->milvus.single }, { "milvus-alias", &c->milvus.alias },
        { "milvus-partition-key", &c->milvus.partition_key }, { "milvus-mmap", &c->milvus.mmap },
    };
    if (i == sizeof options / sizeof *options)
        return NULL;
    *to = options[i].to;
    return options[i].name;
}

static bool set_flag(cli_common *c, const char *name)
{
    bool *to;
    const char *found;
    for (size_t i = 0; (found = flag_option(c, i, &to)); i++)
        if (strcmp(found, name) == 0)
            return *to = true;
    return false;
}

/* Where to store the value of such an option; NULL for any other. */
static const char **text_of_option(cli_common *c, const char *name)
{
    const char *found, **to;
    for (size_t i = 0; (found = text_option(c, i, &to)); i++)
        if (strcmp(found, name) == 0)
            return to;
    return NULL;
}

size_t cli_common_arguments(const cli_common *c, char *out[CLI_COMMON_ARGUMENTS])
{
    cli_common given = *c;
    const char *name, **text;
    size_t n = 0;
    for (size_t i = 0; (name = text_option(&given, i, &text)); i++)
        if (*text)
            out[n++] = scry_asprintf("--%s=%s", name, *text);
    if (c->precision != SCRY_PRECISION_AUTO)
        out[n++] = scry_asprintf("--precision=%s", cli_precision_name(c->precision));
    bool *flag;
    for (size_t i = 0; (name = flag_option(&given, i, &flag)); i++)
        if (*flag)
            out[n++] = scry_asprintf("--%s", name);
    if (c->milvus.shards)
        out[n++] = scry_asprintf("--milvus-shards=%d", c->milvus.shards);
    if (c->milvus.replicas)
        out[n++] = scry_asprintf("--milvus-replicas=%d", c->milvus.replicas);
    if (c->quiet)
        out[n++] = scry_strdup("--quiet");
    return n;
}

static void print_options(FILE *out, const char *heading, const cli_option *o)
{
    enum { TEXT_AT = 31, WIDE = 78 };
    size_t width = cli_line_width(out), indent = width < WIDE ? 10 : TEXT_AT;   /* below the option where there is little room */
    fprintf(out, "\n%s:\n", heading);
    for (; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : "  ", o->letter ? o->letter : ' ',
                 o->letter ? ", " : " ", o->name, o->argument ? "=" : "", o->argument ? o->argument : "");
        size_t end = 2 + strlen(left);
        if (width < WIDE)
            fprintf(out, "  %s\n%*s", left, (int)indent, "");
        else
            fprintf(out, "  %s%*s", left, end < indent ? (int)(indent - end) : 1, "");   /* 1: a longer one has a blank, too */
        cli_put_wrapped(out, o->help, width < WIDE || end < indent ? indent : end + 1, indent, width);
    }
}

/* "-night" is read as -n with the value "ight". */
static void refuse_value(const cli_args *a, const char *value, const scry_error *err)
{
    const char *word = a->argv[optind - 1];
    if (word[0] != '-' || word[1] == '-' || value != word + 2 || !cli_explain_minus(a->command, word))
        cli_fail(err);
}

/* Give an option to the request, and note it. */
static int set_parameter(cli_common *c, const char *name, const char *value, scry_error *err)
{
    c->given = scry_realloc(c->given, (c->given_count + 1) * sizeof *c->given);
    c->given[c->given_count].name = name;
    c->given[c->given_count++].value = value;
    return scry_request_set(&c->request, name, scry_text(value), err);
}

static bool small_number(const char *option, const char *text, int most, int *out)
{
    long long n;
    bool good = cli_int(option, text, 1, most, &n);
    if (good)
        *out = (int)n;
    return good;
}

/* Handle a shared option; false after an error, which was printed. */
static bool handle_common(cli_args *a, const cli_option *o, const char *value)
{
    cli_common *c = &a->common;
    scry_error err = SCRY_ERROR_INIT;
    if (strcmp(o->name, "help") == 0 || strcmp(o->name, "help-milvus") == 0) {
        if (o->name[4])
            print_options(stdout, "Store on Milvus", milvus_options);
        else
            cli_help(stdout, a->command);
        a->status = CLI_OK;
        return false;
    }
    if (strcmp(o->name, "quiet") == 0)
        c->quiet = a->wait.quiet = true;
    else if (set_flag(c, o->name))
        return true;
    else if (strcmp(o->name, "milvus-shards") == 0)
        return small_number(o->name, value, 16, &c->milvus.shards);
    else if (strcmp(o->name, "milvus-replicas") == 0)
        return small_number(o->name, value, 1000, &c->milvus.replicas);
    else if (text_of_option(c, o->name))
        *text_of_option(c, o->name) = value;
    else if (strcmp(o->name, "precision") == 0)
        return cli_precision(value, &c->precision);
    else if (strcmp(o->name, "saved") == 0)
        c->saved = value;
    else if (set_parameter(c, o->name, value ? value : "1", &err) < 0)
        return refuse_value(a, value, &err), false;
    return true;
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

/* The argument of several letters, "-people", of which getopt_long refused `letter`: it stays at it until its last letter. */
static const char *word_of_letter(const cli_args *a, int letter)
{
    const char *last = a->argv[optind - 1], *next = optind < a->argc ? a->argv[optind] : NULL;
    if (last[0] == '-' && last[1] != '-' && strlen(last) > 2 && last[strlen(last) - 1] == letter)
        return last;
    return next && next[0] == '-' && next[1] != '-' && strlen(next) > 2 && strchr(next, letter) ? next : NULL;
}

/* Report an error for which getopt_long returned '?' or ':'. `optopt` identifies the option or, if it is 0, the option is
 * argv[optind - 1]: operands before it are moved only by the next call. */
static void report_bad_option(const cli_args *a, bool without_value)
{
    const char *help = a->command->name, *given = a->argv[optind - 1];
    char letter[8];
    snprintf(letter, sizeof letter, optopt > ' ' && optopt < 0x7f ? "-%c" : "-\\x%02x", (unsigned char)optopt);
    const cli_option *o = NULL;
    bool own;
    if (optopt >= FIRST_VALUE)
        o = option_at(a->command, optopt - FIRST_VALUE, &own);
    if (o)
        cli_usage(without_value ? "--%s requires a value (see `scry %s --help`)" : "--%s accepts no value (see `scry %s --help`)",
                  o->name, help);
    else if (optopt && without_value)
        cli_usage("%s requires a value (see `scry %s --help`)", letter, help);
    else if (optopt)
        cli_unknown_letter(a->command, letter, word_of_letter(a, optopt));
    else if (count_options(a->command, given + 2, strcspn(given + 2, "="), &o) > 1)
        cli_usage("%s is ambiguous: it may be --%s (see `scry %s --help`)", given, o->name, help);
    else
        cli_unknown_option(a->command, given);
}

/* The parameters of --saved. */
static int set_saved(cli_common *c, bool is_list, scry_error *err)
{
    scry_store *store = NULL;
    scry_json *saved = NULL;
    const scry_query_part *parts;
    int result = cli_open_store(&store, c, SCRY_STORE_READ, err);
    if (result == 0)
        result = scry_find_saved_search(&saved, store, c->saved, err);
    if (result == 0)
        result = scry_request_set_saved(&c->request, saved, err);
    if (result == 0 && is_list && scry_query_parts(c->request.query, &parts))
        result = scry_fail(err, SCRY_EINVALID, "the saved search \"%.80s\" has a query: use it with scry search --saved", c->saved);
    if (result == 0 && !is_list && !c->request.may_be_empty && !scry_query_parts(c->request.query, &parts))
        result = scry_fail(err, SCRY_EINVALID, "the saved search \"%.80s\" has filters and no query: give one, or use scry list --saved",
                           c->saved);
    scry_json_free(saved);
    if (store)
        scry_store_close(store, NULL);
    return result;
}

/* The operands of a search are its query. */
static void finish_request(cli_args *a)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_search_request *r = &a->common.request;
    int result = 0, first = a->argc - a->next > a->command->lead ? a->next + a->command->lead : a->argc;
    if (a->command->common & CLI_SEARCH)
        result = scry_request_set_operands(r, (const char *const *)a->argv + first, (size_t)(a->argc - first), &err);
    if (result == 0 && a->common.saved)
        result = set_saved(&a->common, !(a->command->common & CLI_SEARCH), &err);
    if (result == 0)
        result = scry_request_finish(r, &err);
    if (result < 0)
        a->status = cli_fail(&err);
}

const char *cli_next(cli_args *a, const char **value)
{
    char letters[64];
    short_options(a->command, letters, sizeof letters);
    for (;;) {
        int v = getopt_long(a->argc, a->argv, letters, a->table, NULL);
        if (v == -1) {
            a->next = optind;
            if (a->command->no_operands && optind < a->argc)
                a->status = cli_usage("%s takes no \"%s\": %s", a->command->name, a->argv[optind], a->command->no_operands);
            else
                finish_request(a);
            return NULL;
        }
        if (v == '?' || v == ':') {
            report_bad_option(a, v == ':');
            a->status = CLI_ERROR;
            return NULL;
        }
        bool own;
        const cli_option *o = v >= FIRST_VALUE ? option_at(a->command, v - FIRST_VALUE, &own)
                                               : option_by_letter(a->command, v, &own);
        *value = optarg;
        a->wait.forced |= own && strcmp(o->name, "progress") == 0;
        a->common.request.may_be_empty |= own && strcmp(o->name, "interactive") == 0;
        if (own)
            return o->name;
        if (!handle_common(a, o, optarg)) {
            if (a->status < 0)
                a->status = CLI_ERROR;
            return NULL;
        }
    }
}

void cli_end(cli_args *a)
{
    scry_request_dispose(&a->common.request);
    free(a->common.given);
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
    char *name = cli_quoted(stderr, path), *why = cli_printable(stderr, reason);
    fprintf(stderr, "skipped: %s: %s\n", name, why);
    free(name);
    free(why);
}

void cli_help(FILE *out, const cli_command *c)
{
    if (!c) {
        fputs("scry finds pictures by describing them.\n\nUsage: scry COMMAND [OPTION]... [ARGUMENT]...\n\n", out);
        for (size_t i = 0; cli_commands[i]; i++) {
            fprintf(out, "  %-10s ", cli_commands[i]->name);
            cli_put_wrapped(out, cli_commands[i]->summary, 13, 13, cli_line_width(out));
        }
        fputs("\nFirst steps:\n  scry index ~/Pictures\n  scry search a white dog on the beach\n  scry serve --open\n"
              "\n`scry COMMAND --help` explains a command.\n", out);
        return;
    }
    fprintf(out, "Usage: scry %s", c->name);
    cli_put_wrapped(out, c->usage, strlen("Usage: scry ") + strlen(c->name), strlen("Usage: scry "), cli_line_width(out));
    fprintf(out, "\n%s.\n", c->summary);
    if (c->details) {
        putc('\n', out);
        cli_put_paragraphs(out, c->details, cli_line_width(out));
    }
    cli_option_table tables[CLI_MAX_TABLES];
    size_t n = cli_option_tables(c, tables);
    for (size_t t = 0; t < n; t++)
        if (tables[t].options != milvus_options)   /* --help-milvus */
            print_options(out, tables[t].heading, tables[t].options);
}
