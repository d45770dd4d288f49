/* cmd_embed.c - `scry embed`: vectors of texts or pictures as a NumPy file. */
#include "cli/cli.h"
#include "cli/commands.h"

#include "base/alloc.h"
#include "base/file.h"
#include "cli/npy.h"
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "texts", "FILE", "embed each line of FILE (- for standard input)", 0, NULL },
    { "images", "FILE", "embed the picture named by each line of FILE (- for standard input)", 0, NULL },
    { "out", "X.npy", "where to write: float32 [n, dim], unit rows in the order of the lines", 'o', NULL },
    { "no-rotate", NULL, "ignore the EXIF orientation", 0, NULL },
    { "exact", NULL, "decode JPEGs in full before resizing (slower)", 0, NULL },
    { 0 },
};

enum { CHUNK = 64, MAX_LIST_BYTES = 1 << 30 };

typedef struct {
    const char *texts, *images, *out;
    bool keep_orientation, exact;
    char **lines;
    size_t count;
    size_t failed;
} job;

/* The lines of a file without their ends; the text they point into is *text. */
static int read_lines(job *j, const char *path, scry_buf *text, scry_error *err)
{
    int r = scry_read_file(strcmp(path, "-") == 0 ? "/dev/stdin" : path, text, err);
    if (r == SCRY_EINVALID) {   /* a pipe */
        FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
        char chunk[65536];
        size_t n;
        if (!f)
            return scry_fail_errno(err, errno, "cannot open %s", path);
        while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
            scry_buf_append(text, chunk, n);
        if (f != stdin)
            fclose(f);
        r = text->failed ? scry_fail(err, SCRY_ELIMIT, "%s is too long", path) : 0;
    }
    if (r < 0 || text->size == 0)
        return r;
    size_t capacity = 0;
    for (char *p = text->data, *end = text->data + text->size; p < end;) {
        char *eol = memchr(p, '\n', (size_t)(end - p));
        if (!eol)
            eol = end;
        if (j->count == capacity) {
            capacity = capacity * 2 + 1024;
            j->lines = scry_realloc(j->lines, capacity * sizeof *j->lines);
        }
        j->lines[j->count++] = p;
        *eol = '\0';
        if (eol > p && eol[-1] == '\r')
            eol[-1] = '\0';
        p = eol + 1;
    }
    return 0;
}

static int embed_texts(job *j, scry_session *s, float *rows, size_t dim, scry_error *err)
{
    int r = 0;
    size_t cuts = 0;
    for (size_t i = 0; r == 0 && i < j->count; i += CHUNK) {
        size_t n = j->count - i < CHUNK ? j->count - i : CHUNK;
        bool cut[CHUNK];
        r = scry_embed_texts(s, (const char *const *)j->lines + i, n, rows + i * dim, cut, err);
        for (size_t k = 0; r == 0 && k < n; k++)
            cuts += cut[k];
    }
    if (cuts)
        cli_warn("%zu texts are longer than the model reads: their ends were left out", cuts);
    return r;
}

static void picture_failed(job *j, const char *path, const scry_error *why, float *row, size_t dim)
{
    fprintf(stderr, "skipped: %s: %s\n", path, why->message);
    for (size_t d = 0; d < dim; d++)
        row[d] = NAN;
    j->failed++;
}

static int embed_images(job *j, scry_session *s, const scry_model_info *info, float *rows, scry_error *err)
{
    size_t dim = (size_t)info->dim;
    scry_decoder *decoder;
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    d.formats = scry_formats_all();
    int r = scry_decoder_new(&decoder, &d, err);
    if (r < 0)
        return r;
    scry_decode_request request = { .kind = SCRY_DECODE_VIEWS, .spec = info->image,
                                    .keep_orientation = j->keep_orientation, .exact = j->exact };
    for (size_t i = 0; r == 0 && i < j->count; i++) {
        const uint8_t *bytes;
        size_t size;
        struct stat st;
        scry_decode_result picture;
        scry_error why = SCRY_ERROR_INIT;
        float *row = rows + i * dim;
        if (scry_decoder_load(decoder, AT_FDCWD, j->lines[i], &bytes, &size, &st, &why) < 0 ||
            scry_decoder_run(decoder, &request, &picture, &why) < 0)
            picture_failed(j, j->lines[i], &why, row, dim);
        else
            r = scry_embed_pixels(s, picture.pixels, 1, row, err);
    }
    scry_decoder_free(decoder);
    return r;
}

static int embed(const cli_common *c, job *j)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_model *model = NULL;
    scry_session *session = NULL;
    scry_buf text = SCRY_BUF_INIT(MAX_LIST_BYTES);
    float *rows = NULL;
    int r = read_lines(j, j->texts ? j->texts : j->images, &text, &err);
    if (r == 0)
        r = cli_open_model(&model, c, NULL, &err);
    if (r == 0)
        r = scry_session_new(&session, model, 0, &err);
    if (r == 0) {
        const scry_model_info *info = scry_model_get_info(model);
        size_t dim = (size_t)info->dim;
        rows = scry_try_alloc(j->count * dim, sizeof *rows);
        if (!rows)
            r = scry_fail(&err, SCRY_ENOMEM, "not enough memory for %zu vectors: split the list", j->count);
        if (r == 0)
            r = j->texts ? embed_texts(j, session, rows, dim, &err) : embed_images(j, session, info, rows, &err);
        if (r == 0)
            r = cli_write_npy(j->out, rows, j->count, dim, &err);
    }
    free(rows);
    free(j->lines);
    scry_buf_dispose(&text);
    scry_session_free(session);
    scry_model_free(model);
    return r < 0 ? cli_fail(&err) : j->failed ? CLI_NOTHING : CLI_OK;
}

static int run_embed(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    job j = { 0 };
    cli_begin(&a, &cmd_embed, argc, argv);
    while ((name = cli_next(&a, &value))) {
        if (strcmp(name, "texts") == 0)
            j.texts = value;
        else if (strcmp(name, "images") == 0)
            j.images = value;
        else if (strcmp(name, "out") == 0)
            j.out = value;
        else if (strcmp(name, "no-rotate") == 0)
            j.keep_orientation = true;
        else
            j.exact = true;
    }
    int status = a.status;
    if (status < 0 && (!j.texts == !j.images || !j.out))
        status = cli_usage("embed wants --texts FILE or --images FILE, and --out X.npy");
    if (status < 0 && a.next < argc)
        status = cli_usage("embed takes no operand \"%s\": put the lines into a file", argv[a.next]);
    if (status < 0)
        status = embed(&a.common, &j);
    cli_end(&a);
    return status;
}

const cli_command cmd_embed = {
    .name = "embed",
    .usage = "--texts FILE | --images FILE --out X.npy",
    .summary = "Write the vectors of texts or pictures to a NumPy file",
    .details = "A picture that cannot be read gives a row of NaN and a line on stderr; the exit status is 1.\n\n"
               "Example:\n  printf 'a dog\\na cat\\n' | scry embed --texts - --out words.npy\n",
    .options = options,
    .common = CLI_MODEL,
    .run = run_embed,
};
