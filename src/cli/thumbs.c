#include "cli/thumbs.h"

#include "base/alloc.h"
#include "base/part.h"
#include "cli/cli.h"
#include "image/image.h"
#include "thumbs/thumbs.h"

#include <fcntl.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SIDE = 256, COLUMNS = 32, ROWS = 12 };   /* pixels decoded; the largest thumbnail in cells */

struct cli_thumbs {
    scry_decoder *decoder;
    scry_thumbs_draw_fn *draw;
    int columns;   /* of the terminal */
};

/* Why pictures cannot be shown here; NULL when they can. */
static const char *obstacle(void)
{
    const char *term = getenv("TERM");
    if (isatty(STDOUT_FILENO) != 1)
        return "standard output is no terminal";
    if (!term || !term[0] || strcmp(term, "dumb") == 0)
        return "this terminal shows text only";
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? NULL : "the locale is not UTF-8";
}

cli_thumbs *cli_thumbs_new(void)
{
    const char *why = obstacle();
    scry_error err = SCRY_ERROR_INIT;
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    scry_thumbs_draw_fn *draw;
    scry_decoder *decoder;
    struct winsize w;
    if (why) {
        cli_warn("no thumbnails: %s", why);
        return NULL;
    }
    d.formats = scry_formats_all();
    if (scry_part_symbol((void **)&draw, "thumbs", "scry_thumbs_draw", &err) < 0 ||
        scry_decoder_new(&decoder, &d, &err) < 0) {
        cli_warn("no thumbnails: %s", err.message);
        return NULL;
    }
    cli_thumbs *t = scry_alloc(sizeof *t);
    t->draw = draw;
    t->decoder = decoder;
    t->columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
    return t;
}

/* The cells that keep the picture's shape: one is about twice as high as wide. */
static void fit(int width, int height, int columns, int *out_columns, int *out_rows)
{
    double ratio = height > 0 && width > 0 ? (double)width / height : 1;
    int most = columns < COLUMNS ? columns : COLUMNS;
    double rows = most / ratio / 2;
    if (rows > ROWS) {
        rows = ROWS;
        most = (int)(ROWS * 2 * ratio + 0.5);
    }
    *out_columns = most > 1 ? most : 1;
    *out_rows = rows > 1 ? (int)(rows + 0.5) : 1;
}

void cli_thumbs_show(cli_thumbs *t, const char *path, int width, int height)
{
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_decode_result picture;
    int columns, rows;
    scry_decode_request request = { .kind = SCRY_DECODE_VIEWS,
                                    .spec = { .size = SIDE, .views = 1, .fit = { SCRY_FIT_SQUASH },
                                              .filter = SCRY_FILTER_BILINEAR } };
    if (!t || scry_decoder_load(t->decoder, AT_FDCWD, path, &bytes, &size, &st, NULL) < 0 ||
        scry_decoder_run(t->decoder, &request, &picture, NULL) < 0)
        return;
    fit(width, height, t->columns, &columns, &rows);
    char *text = t->draw(picture.pixels, SIDE, SIDE, columns, rows);
    if (text)
        fputs(text, stdout);
    free(text);
}

void cli_thumbs_free(cli_thumbs *t)
{
    if (t)
        scry_decoder_free(t->decoder);
    free(t);
}
