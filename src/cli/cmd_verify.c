/* cmd_verify.c - `scry verify`: check the store. */
#include "cli/cli.h"
#include "cli/commands.h"


static void print_problem(void *arg, const char *text)
{
    printf("%s\n", text);
}

static int run_verify(int argc, char **argv)
{
    cli_args a;
    const char *value;
    scry_error err = SCRY_ERROR_INIT;
    cli_begin(&a, &cmd_verify, argc, argv);
    while (cli_next(&a, &value))
        continue;
    int status = a.status;
    if (status < 0) {
        scry_store *store = NULL;
        scry_verify_report report = { 0 };
        int r = cli_open_store(&store, &a.common, SCRY_STORE_READ, &err);
        if (r == 0)
            r = scry_store_verify(store, &report, print_problem, NULL, &err);
        if (store)
            scry_store_close(store, NULL);
        if (r < 0)
            status = cli_fail(&err);
        else if (report.problems)
            status = cli_usage("%llu problems found: `scry index` again on the folders concerned, or restore a copy",
                               (unsigned long long)report.problems);
        else {
            printf("all is well: %llu files, %llu pictures\n", (unsigned long long)report.files, (unsigned long long)report.contents);
            status = CLI_OK;
        }
    }
    cli_end(&a);
    return status;
}

const cli_command cmd_verify = {
    .name = "verify",
    .usage = "[OPTION]...",
    .summary = "Check that every stored picture has its vector and data",
    .details = "Exit status: 0 all is well, 2 with what is wrong otherwise.\n",
    .common = CLI_STORE,
    .run = run_verify,
};
