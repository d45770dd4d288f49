/* cmd_root.c - `scry root`: the folders of a collection. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/suggest.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "engine/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print_root(void *arg, const scry_root *root)
{
    char id[2 * SCRY_ID_BYTES + 1];
    char *path = cli_quoted(stdout, root->path);
    printf("%s  %8llu  %s%s%s%s\n", cli_hex_id(root->id, id), (unsigned long long)root->files, path, root->name ? "  (" : "",
           root->name ? root->name : "", root->name ? ")" : "");
    free(path);
    return 0;
}

static int note_absent_root(void *arg, const scry_root *root)
{
    if (root->path[0] != '/')
        cli_warn("this machine does not know where the root %s is: scry root move %s PATH", root->name, root->name);
    else if (access(root->path, F_OK) < 0 && errno == ENOENT)
        cli_warn("%s does not exist: mount its disk, or, if it was moved, say where it is: scry root move OLD NEW", root->path);
    return 0;
}

static int note_lost_root(void *arg, const scry_root *root)
{
    char id[2 * SCRY_ID_BYTES + 1];
    cli_hex_id(root->id, id);
    cli_warn("the path of the root %s is not known any more (%llu files, such as %s): scry root move %s PATH", id,
             (unsigned long long)root->files, root->path, id);
    return 0;
}

static int list_roots(const cli_common *c)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    int r = cli_open_store(&store, c, SCRY_STORE_READ, &err);
    if (r == 0)
        r = scry_store_roots(store, print_root, NULL, &err);
    if (r == 0 && !c->quiet)
        r = scry_store_roots(store, note_absent_root, NULL, &err);
    if (r == 0 && !c->quiet)
        r = scry_store_lost_roots(store, note_lost_root, NULL, &err);
    if (store)
        scry_store_close(store, NULL);
    return r < 0 ? cli_fail(&err) : CLI_OK;
}

typedef struct {
    const char *from, *to;
    bool done;
} move_state;

/* A root's id is made from the path that it was indexed at, so that it says where a root came from. Through a link the old path
 * may lead to the new one. */
static int is_moved_root(void *arg, const scry_root *root)
{
    move_state *m = arg;
    uint8_t digest[SCRY_SHA256_BYTES];
    scry_sha256_of(m->from, strlen(m->from), digest);
    m->done = strcmp(root->path, m->to) == 0 && (strcmp(m->from, m->to) == 0 || memcmp(digest, root->id, SCRY_ID_BYTES) == 0);
    return m->done;
}

/* A path through a link that was set to the new place leads there: then the old one is to be named without it. */
static int move(scry_store *store, const char *old_path, const char *from, const char *to, scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_store_move_root(store, from, to, &why);
    if (r == SCRY_ENOTFOUND && strcmp(from, to) == 0)
        return scry_fail(err, r, "%s leads to %s itself, the new place: give the old path as scry root list shows it", old_path, to);
    return r < 0 ? scry_fail(err, r, "%s", why.message) : 0;
}

static void say_done(const char *old_path, const char *to, bool same)
{
    char *old_shown = cli_quoted(stderr, old_path), *to_shown = cli_quoted(stderr, to);
    if (same)
        fprintf(stderr, "the root is at %s: nothing to do\n", to_shown);
    else
        fprintf(stderr, "%s was moved to %s already: nothing to do\n", old_shown, to_shown);
    free(old_shown);
    free(to_shown);
}

/* A root named by its id: one whose path is not known any more has no other name. */
typedef struct {
    scry_root root;
    char *path;              /* owned; NULL: not known */
    bool found;
} named_root;

static int is_named_root(void *arg, const scry_root *root)
{
    named_root *n = arg;
    n->found = memcmp(root->id, n->root.id, SCRY_ID_BYTES) == 0;
    if (n->found)
        n->path = scry_strdup(root->path);
    return n->found;
}

static int is_lost_root(void *arg, const scry_root *root)
{
    named_root *n = arg;
    n->found = memcmp(root->id, n->root.id, SCRY_ID_BYTES) == 0;
    return n->found;
}

typedef struct {
    const char *name;
    bool found;
} called_root;

static int is_called_root(void *arg, const scry_root *root)
{
    called_root *c = arg;
    c->found = root->name && strcmp(root->name, c->name) == 0;
    return c->found;
}

static bool is_root_id(const char *text, uint8_t id[SCRY_ID_BYTES])
{
    return strlen(text) == 2 * SCRY_ID_BYTES && access(text, F_OK) < 0 && scry_unhex(text, id, SCRY_ID_BYTES) == 0;
}

static int move_by_id(scry_store *store, const char *name, const uint8_t id[SCRY_ID_BYTES], const char *to, scry_error *err)
{
    named_root n = { .root.path = to };
    memcpy(n.root.id, id, SCRY_ID_BYTES);
    int r = scry_store_roots(store, is_named_root, &n, err);
    if (r == 0 && n.found)
        r = strcmp(n.path, to) == 0 ? 0 : scry_store_move_root(store, n.path, to, err);
    else if (r == 0 && (r = scry_store_lost_roots(store, is_lost_root, &n, err)) == 0)
        r = n.found ? scry_store_put_root(store, &n.root, err)
                    : scry_fail(err, SCRY_ENOTFOUND, "there is no root %s: scry root list shows them", name);
    free(n.path);
    return r;
}

static int move_by_path(scry_store *store, const cli_common *c, const char *old_path, const char *to, scry_error *err)
{
    called_root called = { .name = old_path };
    if (scry_store_roots(store, is_called_root, &called, NULL) == 0 && called.found)
        return scry_store_move_root(store, old_path, to, err);
    char *from = scry_stored_folder(old_path);
    move_state m = { .from = from, .to = to };
    int r = scry_store_roots(store, is_moved_root, &m, err);
    if (r == 0 && m.done && !c->quiet)
        say_done(old_path, to, strcmp(from, to) == 0);
    else if (r == 0 && !m.done)
        r = move(store, old_path, from, to, err);
    free(from);
    return r;
}

static int move_root(const cli_common *c, const char *old_path, const char *new_path)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    uint8_t id[SCRY_ID_BYTES];
    char *to = realpath(new_path, NULL);
    int r = to ? 0 : scry_fail(&err, SCRY_ENOTFOUND, "%s does not exist: mount or copy the pictures first", new_path);
    if (r == 0)
        r = cli_open_store(&store, c, SCRY_STORE_WRITE, &err);
    if (r == 0)
        r = is_root_id(old_path, id) ? move_by_id(store, old_path, id, to, &err)
                                     : move_by_path(store, c, old_path, to, &err);
    r = cli_close_store(store, r, &err);
    free(to);
    return r < 0 ? cli_fail(&err) : CLI_OK;
}

static int run_root(int argc, char **argv)
{
    cli_args a;
    const char *value;
    cli_begin(&a, &cmd_root, argc, argv);
    while (cli_next(&a, &value))
        continue;
    int status = a.status, n = argc - a.next;
    char **operand = argv + a.next;
    if (status < 0 && (n == 0 || (n == 1 && strcmp(operand[0], "list") == 0)))
        status = list_roots(&a.common);
    else if (status < 0 && n == 3 && strcmp(operand[0], "move") == 0)
        status = move_root(&a.common, operand[1], operand[2]);
    else if (status < 0)
        status = cli_unknown_verb(&cmd_root, operand[0], "list, or move OLD NEW");
    cli_end(&a);
    return status;
}

const cli_command cmd_root = {
    .name = "root",
    .usage = "[OPTION]... [list | move OLD NEW]",
    .summary = "List the indexed folders, or change the path of one that was moved",
    .details = "After a disk was mounted elsewhere, `scry root move OLD NEW` keeps every picture and its\n"
               "vector: nothing is embedded again. OLD may be the id that `scry root list` shows, or the name\n"
               "of a root (scry index --root-name), which moves on this machine only.\n",
    .verbs = "list move",
    .common = CLI_STORE,
    .run = run_root,
};
