/* text_run.c - scry_text_run: a pass with the reader of src/ocr. */
#include "engine/text_pass.h"

#include "base/alloc.h"
#include "base/file.h"
#include "engine/line_reader.h"
#include "model/identity.h"
#include "ocr/ocr.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SIDE = 2000, IDENTITY_HEX = 16 };   /* what scry_ocr_read makes of larger pictures; the decoder does it better */
#define RULES "1"                              /* raised when the same weights read other words than before */

/* Where weights and data are, owned. */
typedef struct {
    char *folder, *lines;       /* lines: of scry_line_reader_data */
} source;

/* ---- one thread's ---- */

typedef struct {
    scry_ocr *ocr;
    scry_line_reader *other;    /* NULL: none */
    scry_ocr_page page;
    scry_text_line *lines;      /* [page.count] */
} state;

static void close_reader(void *arg)
{
    state *s = arg;
    scry_ocr_page_free(&s->page);
    scry_ocr_close(s->ocr);
    scry_line_reader_close(s->other);
    free(s->lines);
    free(s);
}

static int open_reader(void *arg, int threads, void **out, scry_error *err)
{
    const source *from = arg;
    state *s = scry_alloc(sizeof *s);
    int r = scry_ocr_open(&s->ocr, from->folder, threads, err);
    if (r == 0 && from->lines)
        r = scry_line_reader_open(&s->other, from->lines, err);
    if (r < 0) {
        close_reader(s);
        return r;
    }
    scry_ocr_look_first(s->ocr, true);
    if (s->other)
        scry_ocr_ask_other(s->ocr, &(scry_ocr_other){ s->other, scry_line_reader_read });
    *out = s;
    return 0;
}

static int read_picture(void *arg, const scry_rgb *picture, const scry_text_line **lines, size_t *count, scry_error *err)
{
    state *s = arg;
    scry_ocr_page_free(&s->page);
    int r = scry_ocr_read(s->ocr, picture, &s->page, err);
    if (r < 0)
        return r;
    free(s->lines);
    s->lines = scry_alloc((s->page.count + 1) * sizeof *s->lines);
    for (size_t i = 0; i < s->page.count; i++) {
        const scry_ocr_line *l = &s->page.lines[i];
        s->lines[i] = (scry_text_line){ .text = l->text, .confidence = l->confidence };
        memcpy(s->lines[i].corner, l->corner, sizeof l->corner);
    }
    *lines = s->lines;
    *count = s->page.count;
    return 0;
}

/* ---- the reader ---- */

/* The folder that has its weights, owned: the given one, NULL: the installed one. */
static int find_folder(char **out, const char *folder, scry_error *err)
{
    if (!folder)
        return scry_ocr_folder(out, err);
    char *file = scry_path_join(folder, SCRY_OCR_WEIGHTS);
    int r = access(file, R_OK) == 0 ? 0 : scry_fail(err, SCRY_ENOTFOUND, "there is no " SCRY_OCR_WEIGHTS " in %s: give the folder of "
                                                    "a reader of words", folder);
    free(file);
    *out = r == 0 ? scry_strdup(folder) : NULL;
    return r;
}

int scry_text_reader_check(const char *folder, scry_error *err)
{
    char *found = NULL;
    int r = find_folder(&found, folder, err);
    free(found);
    return r;
}

/* Its files name the reader, the rules of this code, and the languages of the other reader. */
static int name_reader(char **out, const char *folder, const char *lines, scry_error *err)
{
    static const char *const files[] = { SCRY_OCR_WEIGHTS, SCRY_OCR_CHARACTERS };
    char hex[SCRY_IDENTITY_CHARS + 1];
    if (!scry_identity_recall(folder, files, 2, hex)) {
        int r = scry_identity_compute(folder, files, 2, hex, err);
        if (r < 0)
            return r;
    }
    *out = scry_asprintf("words" RULES "-%.*s%s%s", IDENTITY_HEX, hex, lines ? "+" : "", lines ? scry_line_reader_languages(lines) : "");
    return 0;
}

int scry_text_reader_find(scry_text_reader *out, const char *folder, scry_error *err)
{
    char *identity = NULL;
    source *from = scry_alloc(sizeof *from);
    *out = (scry_text_reader){ .max_side = MAX_SIDE, .arg = from, .open = open_reader, .close = close_reader,
                               .read = read_picture };
    from->lines = scry_line_reader_data();
    int r = find_folder(&from->folder, folder, err);
    if (r == 0)
        r = name_reader(&identity, from->folder, from->lines, err);
    out->identity = identity;
    if (r < 0)
        scry_text_reader_dispose(out);
    return r;
}

void scry_text_reader_dispose(scry_text_reader *r)
{
    source *from = r->arg;
    free((char *)r->identity);
    if (from) {
        free(from->folder);
        free(from->lines);
    }
    free(from);
    *r = (scry_text_reader){ 0 };
}

int scry_text_run(scry_store *store, const scry_text_options *options, scry_text_progress *total, scry_error *err)
{
    scry_text_reader reader;
    if (total)
        *total = (scry_text_progress){ 0 };
    int r = scry_text_reader_find(&reader, options ? options->reader : NULL, err);
    if (r == 0)
        r = scry_text_pass_run(store, &reader, options, total, err);
    scry_text_reader_dispose(&reader);
    return r;
}
