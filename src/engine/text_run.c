/* text_run.c - scry_text_run: a pass with the reader of src/ocr. */
#include "engine/text_pass.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/plugin.h"
#include "base/sha256.h"
#include "ocr/ocr.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SIDE = 2000, IDENTITY_HEX = 16 };   /* what scry_ocr_read makes of larger pictures; the decoder does it better */
#define RULES "1"                              /* raised when the same weights read other words than before */

/* ---- one thread's ---- */

typedef struct {
    scry_ocr *ocr;
    scry_ocr_page page;
    scry_text_line *lines;      /* [page.count] */
} state;

static int open_reader(void *folder, int threads, void **out, scry_error *err)
{
    state *s = scry_alloc(sizeof *s);
    int r = scry_ocr_open(&s->ocr, folder, threads, err);
    if (r < 0)
        free(s);
    else
        *out = s;
    return r;
}

static void close_reader(void *arg)
{
    state *s = arg;
    scry_ocr_page_free(&s->page);
    scry_ocr_close(s->ocr);
    free(s->lines);
    free(s);
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

/* Its weights; owned. */
static char *weights_file(const char *folder)
{
    return folder ? scry_path_join(folder, "words.safetensors") : scry_program_file("models/words/words.safetensors");
}

int scry_text_reader_check(const char *folder, scry_error *err)
{
    char *file = weights_file(folder);
    bool found = file && access(file, R_OK) == 0;
    free(file);
    if (found)
        return 0;
    if (folder)
        return scry_fail(err, SCRY_ENOTFOUND, "there is no words.safetensors in %s: give the folder of a reader of words", folder);
    return scry_fail(err, SCRY_ENOTFOUND, "the weights that read words are not where the program is installed "
                     "(share/scry/models/words): install scry again, or set SCRY_DATA_DIR to the folder where it is installed");
}

/* The weights name the reader, and the rules of this code. */
static int name_reader(char **out, const char *file, scry_error *err)
{
    scry_map map;
    uint8_t digest[SCRY_SHA256_BYTES];
    char hex[2 * SCRY_SHA256_BYTES + 1];
    int r = scry_map_open(&map, file, err);
    if (r < 0)
        return r;
    scry_sha256_of(map.data, map.size, digest);
    scry_map_close(&map);
    scry_hex(digest, sizeof digest, hex);
    *out = scry_asprintf("words" RULES "-%.*s", IDENTITY_HEX, hex);
    return 0;
}

int scry_text_reader_find(scry_text_reader *out, const char *folder, scry_error *err)
{
    char *file = NULL, *identity = NULL;
    *out = (scry_text_reader){ 0 };
    int r = scry_text_reader_check(folder, err);
    if (r == 0)
        r = name_reader(&identity, file = weights_file(folder), err);
    free(file);
    if (r == 0)
        *out = (scry_text_reader){ .identity = identity, .max_side = MAX_SIDE, .arg = folder ? scry_strdup(folder) : NULL,
                                   .open = open_reader, .close = close_reader, .read = read_picture };
    return r;
}

void scry_text_reader_dispose(scry_text_reader *r)
{
    free((char *)r->identity);
    free(r->arg);
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
