/* cmd_favourite.c - `scry favourite`: marking pictures, and all marks as JSON. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/suggest.h"
#include "cli/write_file.h"

#include "base/descriptor.h"
#include "engine/id_list.h"
#include "engine/user_marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JSON_BYTES = 256 << 20 };

static void say_changed(uint64_t n, bool favourite)
{
    const char *format = favourite ? (n == 1 ? "%llu picture marked as favourite\n" : "%llu pictures marked as favourites\n")
                                   : (n == 1 ? "%llu picture is no favourite any more\n" : "%llu pictures are no favourites any more\n");
    fprintf(stderr, format, (unsigned long long)n);
}

static int set_favourites(const cli_common *c, char **pictures, int n, bool favourite)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_id_list list = { NULL, 0, 0 };
    uint64_t changed = 0;
    int r = cli_open_store(&store, c, SCRY_STORE_WRITE, &err);
    if (r == 0)
        r = scry_pictures_named(store, pictures, (size_t)n, &list, &err);
    if (r == 0)
        r = scry_set_favourites(store, (const uint8_t (*)[SCRY_ID_BYTES])list.ids, list.count, favourite, &changed, &err);
    r = cli_close_store(store, r, &err);
    scry_id_list_dispose(&list);
    if (r == 0 && !c->quiet)
        say_changed(changed, favourite);
    return r < 0 ? cli_fail(&err) : CLI_OK;
}

/* ---- all marks ---- */

static int export_marks(const cli_common *c, const char *path)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    int r = cli_open_store(&store, c, SCRY_STORE_READ, &err);
    if (r == 0)
        r = scry_marks_put_json(&w, store, &err);
    if (r == 0 && b.failed)
        r = scry_fail(&err, SCRY_ELIMIT, "the marks take more than %d bytes", MAX_JSON_BYTES);
    if (r == 0 && path) {
        struct iovec pieces[] = { { b.data, b.size }, { (void *)"\n", 1 } };
        r = cli_write_file(path, pieces, 2, &err);
    } else if (r == 0) {
        cli_print_json(&b);
    }
    if (store)
        scry_store_close(store, NULL);
    scry_buf_dispose(&b);
    return r < 0 ? cli_fail(&err) : CLI_OK;
}

/* From a file, a pipe, or for "-" standard input. */
static int read_marks(scry_json **out, const char *path, scry_error *err)
{
    bool piped = strcmp(path, "-") == 0;
    FILE *f = piped ? stdin : scry_open_input_stream(path);
    scry_buf text = SCRY_BUF_INIT(MAX_JSON_BYTES);
    char chunk[65536];
    if (!f)
        return scry_fail_errno(err, errno, "cannot open %s", path);
    for (size_t n; !text.failed && (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        scry_buf_append(&text, chunk, n);
    int r = ferror(f) ? scry_fail_errno(err, errno, "cannot read %s", path)
            : text.failed ? scry_fail(err, SCRY_ELIMIT, "%s is larger than the limit of %d bytes", path, MAX_JSON_BYTES)
            : scry_json_parse(out, scry_buf_str(&text), text.size, piped ? "standard input" : path, err);
    if (!piped)
        fclose(f);
    scry_buf_dispose(&text);
    return r;
}

static int import_marks(const cli_common *c, const char *path)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_json *marks = NULL;
    scry_marks_counts n = { 0, 0, 0 };
    int r = read_marks(&marks, path, &err);
    if (r == 0)
        r = cli_open_store(&store, c, SCRY_STORE_WRITE, &err);
    if (r == 0)
        r = scry_marks_import(store, marks, &n, &err);
    r = cli_close_store(store, r, &err);
    scry_json_free(marks);
    if (r == 0 && !c->quiet)
        fprintf(stderr, "%llu favourites, %llu pictures kept beside each other, %llu saved searches\n", (unsigned long long)n.favourites,
                (unsigned long long)n.kept, (unsigned long long)n.searches);
    return r < 0 ? cli_fail(&err) : CLI_OK;
}

static int run_verb(const cli_common *c, const char *verb, char **operand, int n)
{
    if (n > 0 && strcmp(verb, "add") == 0)
        return set_favourites(c, operand, n, true);
    if (n > 0 && strcmp(verb, "remove") == 0)
        return set_favourites(c, operand, n, false);
    if (n <= 1 && strcmp(verb, "export") == 0)
        return export_marks(c, n ? operand[0] : NULL);
    if (n == 1 && strcmp(verb, "import") == 0)
        return import_marks(c, operand[0]);
    return cli_unknown_verb(&cmd_favourite, verb, "add PICTURE..., remove PICTURE..., export [FILE], or import FILE");
}

static int run_favourite(int argc, char **argv)
{
    cli_args a;
    const char *value;
    cli_begin(&a, &cmd_favourite, argc, argv);
    while (cli_next(&a, &value))
        continue;
    int status = a.status, n = argc - a.next;
    if (status < 0)
        status = run_verb(&a.common, n ? argv[a.next] : "", argv + a.next + 1, n - 1);
    cli_end(&a);
    return status;
}

const cli_command cmd_favourite = {
    .name = "favourite",
    .usage = "[OPTION]... add PICTURE... | remove PICTURE... | export [FILE] | import FILE",
    .summary = "Mark pictures as favourites, which --favourites of other commands finds",
    .details =
        "A PICTURE is a path, or an id as results have it. The mark is kept in the store by the picture's\n"
        "content: all copies have it, and it stays when the file is moved.\n\n"
        "export writes all marks as JSON, to standard output without a FILE: favourites, near duplicates that\n"
        "are kept beside each other (scry duplicates --keep), saved searches. import adds what such a file says;\n"
        "pictures that are not in the index yet are remembered until they are.\n\n"
        "Examples:\n"
        "  scry favourite add ~/Pictures/2024/IMG_0042.jpg\n"
        "  scry list --favourites --sort date\n"
        "  scry list --min-rating 5 --paths -0 | xargs -r0 scry favourite add\n"
        "  scry favourite export marks.json\n",
    .verbs = "add remove export import",
    .common = CLI_STORE,
    .run = run_favourite,
};
