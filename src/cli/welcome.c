#include "cli/welcome.h"

#include "base/alloc.h"
#include "base/pictures_folder.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_ROOTS = 5, MAX_ROOTS = 64 };

typedef struct {
    char *paths[MAX_ROOTS + 1];   /* owned, in order, ended by NULL */
    uint64_t files[MAX_ROOTS];
    size_t kept, count;
} roots;

static int add_root(void *arg, const scry_root *root)
{
    roots *r = arg;
    if (r->kept < MAX_ROOTS) {
        size_t i = r->kept++;
        for (; i > 0 && strcmp(r->paths[i - 1], root->path) > 0; i--) {
            r->files[i] = r->files[i - 1];
            r->paths[i] = r->paths[i - 1];
        }
        r->files[i] = root->files;
        r->paths[i] = scry_strdup(root->path);
    }
    r->count++;
    return 0;
}

static void free_roots(roots *r)
{
    for (size_t i = 0; i < r->kept; i++)
        free(r->paths[i]);
    r->kept = 0;
}

static void print_nothing_yet(void)
{
    char *pictures = scry_pictures_folder(), *quoted = cli_quoted(stdout, pictures ? pictures : "PATH");
    printf("Nothing is indexed yet. First:\n  scry index %s\n", quoted);
    free(quoted);
    free(pictures);
}

static void print_what_is_there(const scry_store_info *info, const roots *r)
{
    printf("%llu picture%s indexed, with the model %s, below\n", (unsigned long long)info->files, info->files == 1 ? " is" : "s are",
           info->model_name);
    for (size_t i = 0; i < r->kept && i < SHOWN_ROOTS; i++) {
        char *path = cli_quoted(stdout, r->paths[i]);
        printf("  %s (%llu)\n", path, (unsigned long long)r->files[i]);
        free(path);
    }
    if (r->count > SHOWN_ROOTS)
        printf("  and %zu more (scry root list)\n", r->count - SHOWN_ROOTS);
    fputs("\nNext:\n  scry search a white dog on the beach\n  scry list --sort date --limit 20\n"
          "  scry serve --open       the same in a browser\n  scry index PATH         add or update pictures\n", stdout);
}

int cli_welcome(void)
{
    cli_wait_line wait = { 0 };
    cli_common c = { .wait = &wait };
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_store_info info;
    roots r = { .count = 0 };
    int result = cli_open_store(&store, &c, SCRY_STORE_READ, &err);
    bool none = result == SCRY_ENOTFOUND;
    if (result == 0)
        result = scry_store_get_info(store, &info, &err);
    if (result == 0)
        result = scry_store_roots(store, add_root, &r, &err);
    if (result < 0 && !none)
        cli_fail(&err);
    else
        puts("scry finds pictures by describing them.\n");
    if (none || (result == 0 && info.files == 0))
        print_nothing_yet();
    else if (result == 0)
        print_what_is_there(&info, &r);
    if (result == 0 || none)
        puts("  scry --help             all commands");
    free_roots(&r);
    if (store)
        scry_store_close(store, NULL);
    return result == 0 || none ? CLI_OK : CLI_ERROR;
}

static void find_roots(roots *r, const cli_common *c)
{
    scry_store *store;
    if (cli_open_store(&store, c, SCRY_STORE_READ, NULL) == 0) {
        if (scry_store_roots(store, add_root, r, NULL) < 0 || r->count > r->kept)
            free_roots(r);
        scry_store_close(store, NULL);
    }
    char *pictures = r->kept ? NULL : scry_pictures_folder();
    if (pictures)
        r->paths[r->kept++] = pictures;
}

static bool says_yes(void)
{
    char line[16];
    if (!fgets(line, sizeof line, stdin))
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return !line[0] || strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
}

/* What the command would be. */
static void say_which(const roots *r)
{
    scry_buf all = SCRY_BUF_INIT(1 << 20);
    for (size_t i = 0; i < r->kept; i++) {
        char *path = cli_quoted(stderr, r->paths[i]);
        scry_buf_printf(&all, " %s", path);
        free(path);
    }
    cli_usage("say which folder to index: scry index%s", r->kept ? scry_buf_str(&all) : " PATH...");
    scry_buf_dispose(&all);
}

char **cli_propose_paths(const cli_common *c, int *status)
{
    roots r = { .count = 0 };
    find_roots(&r, c);
    *status = CLI_ERROR;
    bool ask = r.kept && !c->quiet && isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
    if (!ask) {
        say_which(&r);
    } else {
        fputs("Index the pictures in", stderr);
        for (size_t i = 0; i < r.kept; i++) {
            char *path = cli_quoted(stderr, r.paths[i]);
            fprintf(stderr, "%s %s", i ? "," : "", path);
            free(path);
        }
        fputs("? [Y/n] ", stderr);
        *status = CLI_NOTHING;
    }
    if (!ask || !says_yes()) {
        free_roots(&r);
        return NULL;
    }
    char **paths = scry_alloc((r.kept + 1) * sizeof *paths);
    memcpy(paths, r.paths, r.kept * sizeof *paths);
    return paths;
}

void cli_next_step(const cli_common *c)
{
    if (c->quiet || isatty(STDERR_FILENO) != 1 || isatty(STDIN_FILENO) != 1)
        return;
    const char *name = c->collection && strcmp(c->collection, "default") != 0 ? c->collection : NULL;
    char *collection = name ? cli_quoted(stderr, name) : NULL;
    char *where = collection ? scry_asprintf(" --collection %s", collection) : scry_strdup("");
    fprintf(stderr, "next: `scry search%s a white dog on the beach`, or `scry serve%s --open`\n", where, where);
    free(where);
    free(collection);
}
