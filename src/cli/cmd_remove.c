/* cmd_remove.c - `scry remove`: forget pictures. The picture files stay where they are. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/nothing.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "engine/id_list.h"
#include "engine/walk.h"

#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "dry-run", NULL, "only list what would be forgotten", 'n', NULL },
    { 0 },
};

typedef struct {
    scry_id_list files;
    bool list;
} selection;

static int select_file(void *arg, const scry_file *file)
{
    selection *s = arg;
    scry_id_list_add(&s->files, file->id);
    if (s->list) {
        char *path = cli_quoted(stdout, file->path);
        puts(path);
        free(path);
    }
    return 0;
}

/* A path (everything at or below it in the index), or "id:HEX". */
static int select_operand(selection *s, scry_store *store, const cli_common *c, const char *operand, scry_error *err)
{
    uint8_t id[SCRY_ID_BYTES];
    if (strncmp(operand, "id:", 3) == 0) {
        if (scry_unhex(operand + 3, id, sizeof id) < 0)
            return scry_fail(err, SCRY_EINVALID, "\"%s\" is not id: and 32 hexadecimal digits", operand);
        scry_id_list_add(&s->files, id);
        return 0;
    }
    if (!operand[0])
        return scry_fail(err, SCRY_EINVALID, "the path is empty");
    size_t before = s->files.count;
    char *path = scry_stored_path(operand);
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_filter_node *below = scry_filter_text(pool, SCRY_FILTER_IN, path);
    int r = scry_each_removable(store, scry_filter_and(pool, below, c->request.search.filter), select_file, s, err);
    scry_filter_pool_free(pool);
    free(path);
    if (r == 0 && s->files.count == before && !c->quiet)
        cli_tell_none_pass(store, &c->request, operand);
    return r;
}

/* Select by every operand, or by the filters alone when there is none. */
static int select_all(selection *s, scry_store *store, const cli_common *c, char **operands, size_t n, scry_error *err)
{
    int r = n ? 0 : scry_each_removable(store, c->request.search.filter, select_file, s, err);
    if (r == 0 && n == 0 && s->files.count == 0 && !c->quiet)
        cli_tell_none_pass(store, &c->request, NULL);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = select_operand(s, store, c, operands[i], err);
    return r;
}

static int remove_selected(const cli_common *c, bool dry, char **operands, size_t n)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    selection s = { .list = dry };
    uint64_t removed = 0;
    int r = cli_open_store(&store, c, dry ? SCRY_STORE_READ : SCRY_STORE_WRITE, &err);
    if (r == 0)
        r = select_all(&s, store, c, operands, n, &err);
    if (r == 0 && !dry)
        r = scry_id_list_remove(&s.files, store, &removed, &err);
    r = cli_close_store(store, r, &err);
    size_t selected = s.files.count;
    scry_id_list_dispose(&s.files);
    if (r < 0)
        return cli_fail(&err);
    if (!c->quiet && !dry)
        fprintf(stderr, "%llu forgotten\n", (unsigned long long)removed);
    return (dry ? selected : removed) ? CLI_OK : CLI_NOTHING;
}

static int run_remove(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    bool dry = false;
    cli_begin(&a, &cmd_remove, argc, argv);
    while ((name = cli_next(&a, &value)))
        dry = true;
    int status = a.status;
    if (status < 0 && a.next == argc && !a.common.request.search.filter)
        status = cli_usage("say what to forget: paths, id:HEX, or filters such as --in DIR");
    if (status < 0)
        status = remove_selected(&a.common, dry, argv + a.next, (size_t)(argc - a.next));
    cli_end(&a);
    return status;
}

const cli_command cmd_remove = {
    .name = "remove",
    .usage = "[OPTION]... [PATH|id:HEX]...",
    .summary = "Forget pictures (their files stay where they are)",
    .details = "Removes from the index the pictures at or below each PATH that pass the filters.\n\n"
               "Examples:\n  scry remove ~/Pictures/old\n  scry remove --in ~/Pictures --before 2010 --dry-run\n",
    .options = options,
    .common = CLI_FILTER | CLI_STORE,
    .run = run_remove,
};
