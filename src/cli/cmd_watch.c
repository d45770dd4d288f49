/* cmd_watch.c - `scry watch PATH...`: indexes what changes below some folders, until it is stopped.
 *
 * Each run is a process of its own, `scry index` with the options that were given and the folders that have changed, so
 * that between runs neither the model nor the store is held. When nothing is to be indexed, such a process reads the words in
 * pictures; it is stopped as soon as there is.
 */
#include "cli/cancel.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/index_words.h"
#include "cli/watch_tree.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/system.h"
#include "engine/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Those after the fourth are handed to `scry index`. */
static const cli_option options[] = {
    { "once", NULL, "index once and end, as a timer wants it", 0, NULL },
    { "words", "MODE", "read the words in the pictures, while nothing is to be indexed: yes (the default; $SCRY_WORDS) or no", 0, "yes no" },
    { "settle", "SECONDS", "wait until nothing has changed for so long (default: 3)", 0, NULL },
    { "every", "MINUTES", "look through all folders this often, since not every change is reported (default: 60)", 0, NULL },
    { "include", "GLOB", "only names or paths that match GLOB (may be repeated)", 0, NULL },
    { "exclude", "GLOB", "no names or paths that match GLOB (may be repeated)", 0, NULL },
    { "hidden", NULL, "include names that begin with a dot", 0, NULL },
    { "no-default-excludes", NULL, "also index NAS folders (@eaDir), trash and previews", 0, NULL },
    { "prune", NULL, "forget pictures whose files no longer exist", 0, NULL },
    { "formats", "LIST", "formats to read: default, all, or names joined by commas", 0, "default all" },
    { "no-rotate", NULL, "ignore the EXIF orientation", 0, NULL },
    { "jobs", "N", "worker threads (default: one per processor)", 'j', NULL },
    { "decoder-memory", "MIB", "memory limit of each decoder process", 0, NULL },
    { "time-limit", "SECONDS", "time limit for decoding a picture (default: 30)", 0, NULL },
    { 0 },
};

enum { MAX_ARGUMENTS = 600, TICK_MS = 250, ROOT_CHECK_MS = 1000, AGAIN_MS = 10000, LIST_MS = 10000 };

typedef struct {
    char *arguments[MAX_ARGUMENTS + CLI_COMMON_ARGUMENTS];   /* of `scry index` before the paths; owned */
    size_t count;
    bool once, hidden;
    double settle_s, every_min;
    watch_tree *tree;
    const scry_cancel *cancel;
    cli_words_mode words;
    bool words_due;           /* pictures may have come since the words were read */
    bool reading, stopping;   /* the run reads words; it was told to stop */
    pid_t child;              /* 0: no run */
    char **paths;             /* of the run; owned */
    const cli_common *common; /* of the collection whose folders are watched; NULL: folders were named */
    double again_ms;          /* after a failure: when to try again */
    double listed_ms;         /* when the folders of the collection were looked up */
} watching;

static bool add_argument(watching *w, const char *name, const char *value)
{
    if (w->count == MAX_ARGUMENTS)
        return cli_usage("more than %d options", MAX_ARGUMENTS), false;
    w->arguments[w->count++] = value ? scry_asprintf("--%s=%s", name, value) : scry_asprintf("--%s", name);
    return true;
}

static bool take_option(watching *w, const char *name, const char *value)
{
    char *end = NULL;
    if (strcmp(name, "once") == 0)
        return w->once = true;
    if (strcmp(name, "words") == 0)
        return cli_words_mode_parse(value, &w->words);
    w->hidden |= strcmp(name, "hidden") == 0;
    double *number = strcmp(name, "settle") == 0 ? &w->settle_s : strcmp(name, "every") == 0 ? &w->every_min : NULL;
    if (!number)
        return add_argument(w, name, value);
    *number = strtod(value, &end);
    if (end != value && !*end && *number > 0 && *number < 1e6)
        return true;
    cli_usage("--%s takes a number above 0, not \"%s\"", name, value);
    return false;
}

/* ---- runs ---- */

static void free_paths(char **paths)
{
    for (size_t i = 0; paths && paths[i]; i++)
        free(paths[i]);
    free(paths);
}

/* Start `scry index` for the paths, which it owns; NULL: to read words. */
static int start_run(watching *w, char **paths)
{
    size_t n = 0, at = w->count + 2;
    while (paths && paths[n])
        n++;
    char **argv = scry_alloc((w->count + n + 5) * sizeof *argv), program[] = "scry", command[] = "index", end[] = "--";
    char words[24];
    static const char *const once[] = { [CLI_WORDS_AUTO] = NULL, [CLI_WORDS_YES] = "yes", [CLI_WORDS_NO] = "no" };
    const char *mode = !paths ? "only" : w->once ? once[w->words] : "no";
    posix_spawn_file_actions_t files;
    argv[0] = program;
    argv[1] = command;
    memcpy(argv + 2, w->arguments, w->count * sizeof *argv);
    snprintf(words, sizeof words, "--words=%s", mode ? mode : "");
    if (mode)
        argv[at++] = words;
    argv[at] = paths ? end : NULL;
    if (n)
        memcpy(argv + at + 1, paths, n * sizeof *argv);
    w->reading = !paths;
    w->stopping = false;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    int r = posix_spawnp(&w->child, scry_own_program(), &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    free(argv);
    w->paths = paths;
    if (r) {
        w->child = 0;
        cli_warn("cannot start scry index: %s", strerror(r));
    }
    return r ? -1 : 0;
}

/* The exit status of the run if it has ended, else -1. */
static int ended(watching *w, bool wait)
{
    int status;
    pid_t pid;
    do
        pid = waitpid(w->child, &status, wait ? 0 : WNOHANG);
    while (pid < 0 && errno == EINTR);
    if (pid == 0)
        return -1;
    w->child = 0;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : CLI_ERROR;
}

/* A run that failed, because another process writes to the store or a server is away, is tried again. */
static void finish_run(watching *w, int status)
{
    bool words = w->reading;
    free_paths(w->paths);
    w->paths = NULL;
    w->reading = false;
    if (words) {
        w->words_due = status == CLI_CANCELLED;
        return;
    }
    w->words_due = true;
    w->again_ms = 0;
    if (status == CLI_OK || status == CLI_NOTHING)
        return;
    w->again_ms = scry_now_ms() + AGAIN_MS;
    watch_tree_mark_all(w->tree);
}

static bool reads_words(const watching *w)
{
    bool wanted = w->words == CLI_WORDS_YES || (w->words == CLI_WORDS_AUTO && !cli_words_unwanted());
    return wanted && w->words_due && scry_text_reader_check(NULL, NULL) == 0;
}

/* Stop a run that reads words where there is something to index; start one where there is not. */
static void yield_to_index(watching *w, bool due)
{
    if (w->child && w->reading && due && !w->stopping)
        w->stopping = kill(w->child, SIGTERM) == 0;
    if (!w->child && !due && reads_words(w) && start_run(w, NULL) < 0)
        finish_run(w, CLI_ERROR);
}

static int add_root(void *arg, const scry_root *root)
{
    watch_tree_add(arg, root->path);
    return 0;
}

/* Folders that were added to the collection since; where it cannot be read now, later. */
static void list_again(watching *w)
{
    scry_store *store;
    if (!w->common || cli_open_store(&store, w->common, SCRY_STORE_READ, NULL) < 0)
        return;
    (void)!scry_store_roots(store, add_root, w->tree, NULL);
    scry_store_close(store, NULL);
}

static void step(watching *w, double *checked_ms, double *looked_ms)
{
    double now = scry_now_ms();
    watch_tree_read(w->tree);
    if (now - w->listed_ms >= LIST_MS) {
        list_again(w);
        w->listed_ms = now;
    }
    if (now - *checked_ms >= ROOT_CHECK_MS) {
        watch_tree_check_roots(w->tree);
        *checked_ms = now;
    }
    if (now - *looked_ms >= w->every_min * 60000) {
        watch_tree_mark_all(w->tree);
        *looked_ms = now;
    }
    int status = w->child ? ended(w, false) : -1;
    if (status >= 0)
        finish_run(w, status);
    bool due = now >= w->again_ms && watch_tree_due(w->tree, w->settle_s);
    yield_to_index(w, due);
    if (w->child || !due)
        return;
    char **paths = watch_tree_take(w->tree);
    if (!paths[0])
        free_paths(paths);
    else if (start_run(w, paths) < 0)
        finish_run(w, CLI_ERROR);
}

static int watch(watching *w)
{
    struct pollfd fd = { .fd = watch_tree_fd(w->tree), .events = POLLIN };
    double checked_ms = scry_now_ms(), looked_ms = checked_ms;
    w->listed_ms = checked_ms;
    watch_tree_check_roots(w->tree);
    while (!atomic_load(w->cancel)) {
        (void)!poll(&fd, 1, TICK_MS);
        step(w, &checked_ms, &looked_ms);
    }
    if (w->child) {
        kill(w->child, SIGTERM);
        ended(w, true);
    }
    return CLI_OK;
}

/* ---- roots ---- */

/* The operands, which need not be there, or the folders of the collection. */
static int add_roots(watching *w, const cli_common *c, char **operands, size_t n, scry_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        char *path = operands[i][0] ? scry_stored_path(operands[i]) : NULL;
        if (!path)
            return scry_fail(err, SCRY_EINVALID, "the path is empty");
        if (strstr(operands[i], "://") || (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))) {
            free(path);
            return scry_fail(err, SCRY_EINVALID, "cannot watch %s: it is no folder", operands[i]);
        }
        watch_tree_add(w->tree, path);
        free(path);
    }
    w->common = n ? NULL : c;
    scry_store *store;
    int r = n ? 0 : cli_open_store(&store, c, SCRY_STORE_READ, err);
    if (n == 0 && r == 0) {
        r = scry_store_roots(store, add_root, w->tree, err);
        scry_store_close(store, NULL);
    }
    return r;
}

static int run_once(watching *w)
{
    watch_tree_mark_all(w->tree);
    char **paths = watch_tree_take(w->tree);
    int status = paths[0] && start_run(w, paths) == 0 ? ended(w, true) : CLI_NOTHING;
    if (!paths[0])
        cli_warn("none of the folders is there");
    free_paths(paths);
    w->paths = NULL;
    return status;
}

static int run_watch(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    scry_error err = SCRY_ERROR_INIT;
    watching w = { .settle_s = 3, .every_min = 60 };
    cli_begin(&a, &cmd_watch, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!take_option(&w, name, value)) {
            a.status = CLI_ERROR;
            break;
        }
    int status = a.status;
    if (status < 0 && w.words == CLI_WORDS_ONLY)
        status = cli_usage("--words takes yes or no here: scry index --words only reads the words alone");
    if (status < 0) {
        w.count += cli_common_arguments(&a.common, w.arguments + w.count);
        w.cancel = cli_catch_signals();
        int r = watch_tree_new(&w.tree, w.hidden, &err);
        if (r == 0)
            r = add_roots(&w, &a.common, argv + a.next, (size_t)(argc - a.next), &err);
        status = r < 0 ? cli_fail(&err) : w.once ? run_once(&w) : watch(&w);
    }
    watch_tree_free(w.tree);
    free_paths(w.paths);
    for (size_t i = 0; i < w.count; i++)
        free(w.arguments[i]);
    cli_end(&a);
    return status;
}

const cli_command cmd_watch = {
    .name = "watch",
    .usage = "[OPTION]... [PATH]...",
    .summary = "Index what changes below PATH, until it is stopped",
    .details =
        "Without a PATH the folders of the collection are watched. All are indexed at the start, then what\n"
        "changes, once nothing has happened for some seconds, by `scry index` with the same options. A folder\n"
        "that is not there, since its disk is not mounted, is waited for, and its pictures stay in the index.\n"
        "Changes by other machines on a network folder are found when all is looked through again.\n\n"
        "systemd runs it for a user: systemctl --user enable --now scry-watch, or, once an hour,\n"
        "scry-index.timer.\n\n"
        "Exit status: 0 stopped by a signal, 2 an error; with --once that of scry index.\n\n"
        "Examples:\n"
        "  scry watch ~/Pictures\n"
        "  scry watch --prune --settle 10 ~/Pictures /mnt/photos\n",
    .options = options,
    .common = CLI_STORE | CLI_MODEL,
    .run = run_watch,
};
