/* cmd_text.c - `scry text`: what pictures say. */
#include "cli/cli.h"
#include "cli/commands.h"

#include "base/alloc.h"
#include "base/json.h"
#include "cli/cancel.h"
#include "engine/line_reader.h"
#include "engine/path_forms.h"
#include "image/image.h"
#include "ocr/ocr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* SIDE: what scry_ocr_read makes of larger ones; the decoder does it better. Letters of 30 pixels are just read at a third, and
 * pictures that are narrow then are long scans and screenshots rather than photographs. */
enum { SIDE = 2000, MUCH_SMALLER = 3, NARROW = 736 };

static const cli_option options[] = {
    { "json", NULL, "print one JSON object per line, for each picture, with the places of its lines", 0, NULL },
    { "tsv", NULL, "print a table, one row for each line of text, with its place", 0, NULL },
    { "no-rotate", NULL, "ignore the EXIF orientation", 0, NULL },
    { 0 },
};

typedef struct {
    bool json, tsv, keep_orientation, headings;
    size_t failed, with_text, printed;
    const scry_cancel *cancel;
} job;

/* A line and the picture's size, in whose pixels its corners are printed. */
typedef struct {
    const char *path;
    int width, height;
    const scry_ocr_page *page;
} reading;

static int corner(const reading *r, const scry_ocr_line *l, int i)
{
    return (int)lrintf(l->corner[i] * (float)(i % 2 ? r->height : r->width));
}

static void print_text(job *j, const reading *r)
{
    if (j->headings && r->page->count) {
        char *name = cli_quoted(stdout, r->path);
        printf("%s%s:\n", j->printed ? "\n" : "", name);
        free(name);
    }
    for (size_t i = 0; i < r->page->count; i++)
        cli_print("%s\n", r->page->lines[i].text);
    j->printed += r->page->count > 0;
}

static void print_json(const reading *r)
{
    scry_buf b = SCRY_BUF_INIT(64 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "path", r->path);
    scry_json_add_int(&w, "width", r->width);
    scry_json_add_int(&w, "height", r->height);
    scry_json_key(&w, "lines");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < r->page->count; i++) {
        const scry_ocr_line *l = &r->page->lines[i];
        scry_json_begin(&w, '{');
        scry_json_add_str(&w, "text", l->text);
        scry_json_add_num(&w, "confidence", (double)l->confidence, 4);
        scry_json_key(&w, "corners");
        scry_json_begin(&w, '[');
        for (int k = 0; k < 8; k += 2) {
            scry_json_begin(&w, '[');
            scry_json_put_int(&w, corner(r, l, k));
            scry_json_put_int(&w, corner(r, l, k + 1));
            scry_json_end(&w, ']');
        }
        scry_json_end(&w, ']');
        scry_json_end(&w, '}');
    }
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    cli_print_json(&b);
    scry_buf_dispose(&b);
}

/* A cell: tabs, line ends and backslashes as \t, \n, \r and \\. */
static void put_cell(scry_buf *b, const char *text)
{
    static const char plain[] = "\t\n\r\\";
    for (; *text; text++) {
        const char *special = strchr(plain, *text);
        if (special)
            scry_buf_printf(b, "\\%c", "tnr\\"[special - plain]);
        else
            scry_buf_putc(b, *text);
    }
}

static void print_table(const reading *r)
{
    for (size_t i = 0; i < r->page->count; i++) {
        const scry_ocr_line *l = &r->page->lines[i];
        scry_buf path = SCRY_BUF_INIT(1 << 16), text = SCRY_BUF_INIT(1 << 20);
        put_cell(&path, r->path);
        put_cell(&text, l->text);
        cli_print("%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.3f\t%s\n", scry_buf_str(&path), corner(r, l, 0), corner(r, l, 1), corner(r, l, 2),
                  corner(r, l, 3), corner(r, l, 4), corner(r, l, 5), corner(r, l, 6), corner(r, l, 7), (double)l->confidence,
                      scry_buf_str(&text));
        scry_buf_dispose(&path);
        scry_buf_dispose(&text);
    }
}

/* A long scan or screenshot whose letters are lost: the reason for what is missing. */
static void warn_reduced(const char *path, const scry_decode_result *d)
{
    int narrow = d->rgb_width < d->rgb_height ? d->rgb_width : d->rgb_height;
    if (narrow >= NARROW || d->width <= MUCH_SMALLER * d->rgb_width || d->height <= MUCH_SMALLER * d->rgb_height)
        return;
    char *name = cli_quoted(stderr, path);
    cli_warn("%s has %d x %d pixels and was read at %d x %d, as those with a side over %d are: cut it into parts to read small print",
             name, d->width, d->height, d->rgb_width, d->rgb_height, SIDE);
    free(name);
}

/* One file. What it says about a file that cannot be read, it says; a negative number ends the run. */
static int read_file(job *j, scry_decoder *d, scry_ocr *o, const char *path, scry_error *err)
{
    const scry_decode_request request = { .kind = SCRY_DECODE_RGB, .max_side = SIDE, .keep_orientation = j->keep_orientation };
    scry_decode_result decoded;
    scry_ocr_page page = { NULL, 0 };
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    char *given = scry_given_path(path);
    int rc = scry_decoder_load(d, given, &bytes, &size, &st, err);
    free(given);
    if (rc == 0)
        rc = scry_decoder_run(d, &request, &decoded, err);
    if (rc < 0) {
        cli_skipped(path, err->message);
        j->failed++;
        return 0;
    }
    rc = scry_ocr_read(o, &(scry_rgb){ decoded.pixels, decoded.rgb_width, decoded.rgb_height, 0 }, &page, err);
    if (rc < 0)
        return rc;
    const reading r = { path, decoded.width, decoded.height, &page };
    j->with_text += page.count > 0;
    warn_reduced(path, &decoded);
    if (j->json)
        print_json(&r);
    else if (j->tsv)
        print_table(&r);
    else
        print_text(j, &r);
    fflush(stdout);
    scry_ocr_page_free(&page);
    return 0;
}

static int open_other(scry_line_reader **out, scry_ocr *ocr, scry_error *err)
{
    char *data = scry_line_reader_data();
    int rc = data ? scry_line_reader_open(out, data, err) : 0;
    if (*out)
        scry_ocr_ask_other(ocr, &(scry_ocr_other){ *out, scry_line_reader_read });
    free(data);
    return rc;
}

static int read_files(job *j, char *const *files, size_t n)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_decoder_options o = SCRY_DECODER_OPTIONS_INIT;
    scry_decoder *decoder = NULL;
    scry_ocr *ocr = NULL;
    scry_line_reader *other = NULL;
    o.formats = scry_formats_all();
    int rc = scry_decoder_new(&decoder, &o, &err);
    if (rc == 0)
        rc = scry_decoder_start(decoder, &err);
    if (rc == 0)
        rc = scry_ocr_open(&ocr, NULL, 0, &err);
    if (rc == 0)
        rc = open_other(&other, ocr, &err);
    if (rc == 0 && j->tsv)
        printf("path\tx0\ty0\tx1\ty1\tx2\ty2\tx3\ty3\tconfidence\ttext\n");
    for (size_t i = 0; rc == 0 && i < n && !atomic_load(j->cancel); i++)
        rc = read_file(j, decoder, ocr, files[i], &err);
    scry_ocr_close(ocr);
    scry_line_reader_close(other);
    scry_decoder_free(decoder);
    if (rc < 0)
        return cli_fail(&err);
    if (atomic_load(j->cancel))
        return CLI_CANCELLED;
    return j->failed || !j->with_text ? CLI_NOTHING : CLI_OK;
}

static int run_text(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    job j = { .json = false };
    cli_begin(&a, &cmd_text, argc, argv);
    while ((name = cli_next(&a, &value))) {
        j.json |= strcmp(name, "json") == 0;
        j.tsv |= strcmp(name, "tsv") == 0;
        j.keep_orientation |= strcmp(name, "no-rotate") == 0;
    }
    int status = a.status;
    if (status < 0 && j.json && j.tsv)
        status = cli_usage("--json and --tsv are two forms of the same: give one of them");
    if (status < 0 && a.next == argc)
        status = cli_usage("text requires at least one picture file");
    if (status < 0) {
        j.headings = argc - a.next > 1;
        j.cancel = cli_catch_signals();
        status = read_files(&j, argv + a.next, (size_t)(argc - a.next));
    }
    cli_end(&a);
    return status;
}

const cli_command cmd_text = {
    .name = "text",
    .usage = "[OPTION]... FILE...",
    .summary = "Print what pictures say: signs, screenshots, receipts",
    .details =
        "Prints the lines of text in each picture from top to bottom, read on this machine. Latin, Chinese\n"
        "and Japanese are read, at any angle, and Cyrillic, Greek, Arabic and others where Tesseract 5 is\n"
        "installed with their data (in Debian tesseract-ocr-rus and so on). Lines of which the reader is less\n"
        "than half sure are left out. Pictures with a side over 2,000 pixels are read at that size, so that\n"
        "small print in larger ones may be missed: cut it out. It is said of long ones over 6,000.\n\n"
        "With --json and --tsv each line has its confidence (0.5 to 1) and four corners in pixels of the\n"
        "upright picture, clockwise from where the line begins.\n\n"
        "Examples:\n"
        "  scry text receipt.jpg\n"
        "  scry text --json *.png | jq -r '.lines[].text'\n\n"
        "Exit status: 0 text was found, 1 none was found or some pictures could not be read, 2 an error.\n",
    .options = options,
    .run = run_text,
};
