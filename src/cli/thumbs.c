#include "cli/thumbs.h"

#include "base/alloc.h"
#include "base/plugin.h"
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

/* The reason why this terminal cannot show pictures; NULL when it can. */
static const char *obstacle(void)
{
    const char *term = getenv("TERM");
    if (isatty(STDOUT_FILENO) != 1)
        return "standard output is not a terminal";
    if (!term || !term[0] || strcmp(term, "dumb") == 0)
        return "this terminal shows text only";
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? NULL : "the locale is not UTF-8";
}

int cli_thumbs_new(cli_thumbs **out, scry_error *err)
{
    const char *why = obstacle();
    scry_error missing = SCRY_ERROR_INIT;
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    scry_thumbs_draw_fn *draw;
    struct winsize w;
    *out = NULL;
    if (!why && scry_plugin_symbol((void **)&draw, "thumbs", "scry_thumbs_draw", &missing) < 0)
        why = missing.message;
    if (why) {
        cli_warn("no thumbnails: %s", why);
        return 0;
    }
    cli_thumbs *t = scry_alloc(sizeof *t);
    *t = (cli_thumbs){ .draw = draw, .columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80 };
    d.formats = scry_formats_all();
    int r = scry_decoder_new(&t->decoder, &d, err);
    if (r == 0)
        r = scry_decoder_start(t->decoder, err);
    if (r == 0)
        *out = t;
    else
        cli_thumbs_free(t);
    return r;
}

/* The size in cells that keeps the aspect ratio: a cell is about twice as high as wide. */
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
    if (!t || scry_decoder_load(t->decoder, path, &bytes, &size, &st, NULL) < 0 ||
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
