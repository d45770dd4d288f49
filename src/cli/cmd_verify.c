/* cmd_verify.c - `scry verify`: check the store, or compare it with another. */
#include "cli/cancel.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/store_copy.h"

#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "against", "WHERE", "compare with the collection in this store instead: a folder or milvus://...", 0, NULL },
    { "against-collection", "NAME", "its name there (default: the same)", 0, NULL },
    { "sample", "N", "check about N files, chosen at random each time (a store on Milvus, or --against)", 0, NULL },
    { "progress", NULL, "show progress even when stderr is not a terminal", 0, NULL },
    { 0 },
};

static void print_problem(void *arg, const char *text)
{
    cli_progress_clear(arg);
    cli_print("%s\n", text);
}

static int check(scry_store *store, const cli_common *c, uint64_t sample, scry_verify_report *report, scry_error *err)
{
    cli_progress *bar = cli_progress_new(c->quiet, c->wait->forced);
    const scry_verify_options o = { .problem = print_problem, .progress = cli_show_share, .arg = bar, .cancel = cli_catch_signals(),
                                    .sample = sample };
    int r = scry_verify_run(store, &o, report, err);
    cli_progress_free(bar);
    cli_waited(c->wait);
    return r;
}

static int verify(const cli_common *c, uint64_t sample)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_verify_report report = { 0 };
    int r = cli_open_store(&store, c, SCRY_STORE_READ, &err);
    if (r == 0)
        r = check(store, c, sample, &report, &err);
    scry_store_close(store, NULL);
    if (r < 0) {
        cli_fail(&err);
        return r == SCRY_ECANCELLED ? CLI_CANCELLED : CLI_ERROR;
    }
    if (report.problems)
        return cli_usage("%llu problem%s found: %s", (unsigned long long)report.problems, report.problems == 1 ? "" : "s",
                         report.advice ? report.advice : "`scry index` again on the folders concerned, or restore a copy");
    if (sample) {
        printf("all is well: %llu files looked at\n", (unsigned long long)report.files);
        return CLI_OK;
    }
    if (report.partial)
        cli_warn("bytes that nothing reads were not checked: the command that wrote last was interrupted or still runs, or was an "
                 "earlier scry; the next one that changes something writes the checksums for it");
    printf("all is well: %llu files, %llu pictures\n", (unsigned long long)report.files, (unsigned long long)report.contents);
    return CLI_OK;
}

static int run_verify(int argc, char **argv)
{
    cli_args a;
    const char *name, *value, *place = NULL, *collection = NULL;
    long long sample = 0;
    cli_begin(&a, &cmd_verify, argc, argv);
    while ((name = cli_next(&a, &value))) {
        if (strcmp(name, "against") == 0)
            place = value;
        else if (strcmp(name, "against-collection") == 0)
            collection = value;
        else if (strcmp(name, "sample") == 0 && !cli_int(name, value, 1, UINT32_MAX, &sample)) {
            a.status = CLI_ERROR;
            break;
        }
    }
    int status = a.status;
    if (status < 0)
        status = place || collection ? cli_verify_against(&a.common, place, collection, (uint64_t)sample)
                                     : verify(&a.common, (uint64_t)sample);
    cli_end(&a);
    return status;
}

const cli_command cmd_verify = {
    .name = "verify",
    .usage = "[OPTION]...",
    .no_operands = "it checks the whole collection; --store and --collection say which",
    .summary = "Check that every stored picture has its vector and data",
    .details =
        "Every byte of the files of a store on this machine is compared with checksums that the command\n"
        "wrote which changed the store last; rows, vectors and caches are compared with one another, too.\n"
        "Damage that can make searches wrong is remembered: searches say so until scry verify finds none.\n"
        "The last line of what it finds says which command mends it.\n\n"
        "With --against, the files of two collections are compared by id: which are missing here or\n"
        "there, and whose content, data or vector differs; and which roots. Paths of roots that both\n"
        "have, and skipped files, are not compared.\n\n"
        "With --sample, only about so many files are looked at, others each time: a share of what a\n"
        "large collection on Milvus has lost is found in seconds.\n\n"
        "Exit status: 0 no problem found or both are equal, 2 otherwise, with each problem; 130 when it\n"
        "was stopped by Ctrl-C.\n\n"
        "Examples:\n"
        "  scry verify\n"
        "  scry verify --store ~/pictures.scry --against milvus://db.example.org:19530\n",
    .options = options,
    .common = CLI_STORE,
    .run = run_verify,
};
