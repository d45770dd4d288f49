/* man.c - man pages, generated from the tables of options. */
#include "cli/cli.h"

#include <ctype.h>
#include <string.h>

/* `n` bytes of text, with characters escaped that roff would interpret. */
static void put_text(FILE *out, const char *text, size_t n, bool line_start)
{
    for (size_t i = 0; i < n; i++) {
        if (line_start && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", out);
        line_start = text[i] == '\n';
        if (text[i] == '-')
            fputs("\\-", out);
        else if (text[i] == '\\')
            fputs("\\e", out);
        else
            putc(text[i], out);
    }
}

static void put(FILE *out, const char *text)
{
    put_text(out, text, strlen(text), false);
}

/* Empty lines separate paragraphs; indented lines are examples and are not filled. */
static void put_details(FILE *out, const char *text)
{
    bool example = false;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        bool indented = p[0] == ' ' && p[1] == ' ';
        if (indented != example)
            fputs(indented ? ".PP\n.nf\n.RS 2\n" : ".RE\n.fi\n", out);
        example = indented;
        if (n == 0)
            fputs(".PP\n", out);
        else {
            put_text(out, indented ? p + 2 : p, indented ? n - 2 : n, true);
            putc('\n', out);
        }
        p += n + (p[n] == '\n');
    }
    if (example)
        fputs(".RE\n.fi\n", out);
}

static void put_options(FILE *out, const cli_option_table *table)
{
    fprintf(out, ".SS %s\n", table->heading);
    for (const cli_option *o = table->options; o->name; o++) {
        fputs(".TP\n", out);
        if (o->letter)
            fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
        fputs("\\fB\\-\\-", out);
        put(out, o->name);
        fputs("\\fR", out);
        if (o->argument) {
            fputs("=\\fI", out);
            put(out, o->argument);
            fputs("\\fR", out);
        }
        putc('\n', out);
        put_text(out, o->help, strlen(o->help), true);
        fputs(".\n", out);
    }
}

static void put_upper(FILE *out, const char *s)
{
    for (; *s; s++)
        putc(toupper((unsigned char)*s), out);
}

static void man_of_command(FILE *out, const cli_command *c)
{
    cli_option_table tables[CLI_MAX_TABLES];
    size_t n = cli_option_tables(c, tables);
    fputs(".TH SCRY\\-", out);
    put_upper(out, c->name);
    fprintf(out, " 1 \"\" \"scry %s\" \"scry manual\"\n.SH NAME\nscry\\-%s \\- ", SCRY_VERSION, c->name);
    put(out, c->summary);
    fprintf(out, "\n.SH SYNOPSIS\n.B scry %s\n", c->name);
    put_text(out, c->usage, strlen(c->usage), true);
    fputs("\n.SH DESCRIPTION\n", out);
    put_text(out, c->summary, strlen(c->summary), true);
    fputs(".\n", out);
    if (c->details) {
        fputs(".PP\n", out);
        put_details(out, c->details);
    }
    fputs(".SH OPTIONS\n", out);
    for (size_t t = 0; t < n; t++)
        put_options(out, &tables[t]);
    fputs(".SH SEE ALSO\n.BR scry (1)\n", out);
}

static const char environment[] =
    ".SH ENVIRONMENT\n"
    ".TP\n.B SCRY_STORE\nThe store, if \\fB\\-\\-store\\fR is not given. A leading ~/ is the home folder, ~user/ that of the user.\n"
    ".TP\n.B SCRY_WORDS\n\\fBno\\fR: do not read the words in pictures, if \\fB\\-\\-words\\fR is not given.\n"
    ".TP\n.B SCRY_MODEL\nThe model, if \\fB\\-\\-model\\fR is not given.\n"
    ".TP\n.B SCRY_THREADS\nThe largest number of processors to use.\n"
    ".TP\n.B SCRY_HUB_URL\nThe host that \\fBscry model pull\\fR downloads from (default: https://huggingface.co).\n"
    ".TP\n.BR HF_ENDPOINT \", \" HF_TOKEN \", \" HF_HOME \", \" HF_HUB_CACHE \", \" HF_HUB_OFFLINE\n"
    "For \\fBscry model\\fR, with the meaning that Hugging Face's own programs give them.\n"
    ".TP\n.B SCRY_TRACE\n1: print the time of each step.\n"
    ".TP\n.BR XDG_DATA_HOME \", \" XDG_CACHE_HOME \", \" XDG_CONFIG_HOME\nBase folders; scry stores its files in\n"
    "\\fIscry\\fR below them.\n"
    ".SH FILES\n"
    ".TP\n.I ~/.local/share/scry/store\nThe store.\n"
    ".TP\n.I ~/.local/share/scry/models\nAdded and downloaded models.\n"
    ".TP\n.I ~/.cache/scry\nCached data that can be computed again.\n"
    ".SH EXIT STATUS\n0: found or done. 1: nothing found, or some inputs skipped. 2: an error, with a message on standard error.\n";

static void man_of_program(FILE *out)
{
    fprintf(out, ".TH SCRY 1 \"\" \"scry %s\" \"scry manual\"\n.SH NAME\nscry \\- finds pictures by describing them\n"
            ".SH SYNOPSIS\n.B scry\nCOMMAND [OPTION]... [ARGUMENT]...\n.SH DESCRIPTION\n"
            "Index a folder of pictures once, then search it with words, pictures, or both.\n.PP\n.nf\n.RS 2\n"
            "scry index ~/Pictures\nscry search a white dog on the beach\n.RE\n.fi\n.SH COMMANDS\n", SCRY_VERSION);
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(out, ".TP\n.BR scry\\-%s (1)\n", cli_commands[i]->name);
        put_text(out, cli_commands[i]->summary, strlen(cli_commands[i]->summary), true);
        fputs(".\n", out);
    }
    fputs(environment, out);
}

void cli_man(FILE *out, const cli_command *command)
{
    if (command)
        man_of_command(out, command);
    else
        man_of_program(out);
}
