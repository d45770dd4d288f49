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

/* The reason why the terminal `fd` cannot show pictures; NULL when it can. */
static const char *obstacle(int fd)
{
    const char *term = getenv("TERM");
    if (isatty(fd) != 1)
        return "standard output is not a terminal";
    if (!term || !term[0] || strcmp(term, "dumb") == 0)
        return "this terminal shows text only";
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? NULL : "the locale is not UTF-8";
}

/* *why says what is in the way; then nothing is made, and 0 is returned. */
static int make(cli_thumbs **out, int fd, scry_error *why, scry_error *err)
{
    const char *reason = obstacle(fd);
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    scry_thumbs_draw_fn *draw;
    struct winsize w;
    *out = NULL;
    if (reason)
        scry_fail(why, SCRY_EINVALID, "%s", reason);
    if (reason || scry_plugin_symbol((void **)&draw, "thumbs", "scry_thumbs_draw", why) < 0)
        return 0;
    cli_thumbs *t = scry_alloc(sizeof *t);
    *t = (cli_thumbs){ .draw = draw, .columns = ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80 };
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

int cli_thumbs_new(cli_thumbs **out, scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    int r = make(out, STDOUT_FILENO, &why, err);
    if (r == 0 && !*out)
        cli_warn("no thumbnails: %s", why.message);
    return r;
}

int cli_thumbs_new_on(cli_thumbs **out, int fd, scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    int r = make(out, fd, &why, err);
    return r == 0 && !*out ? scry_fail(err, SCRY_EINVALID, "%s", why.message) : r;
}

/* The largest size in cells, within `columns` and `rows`, that keeps the aspect ratio: a cell is about twice as high as wide. */
static void fit(int width, int height, int columns, int rows, int *out_columns, int *out_rows)
{
    double ratio = height > 0 && width > 0 ? (double)width / height : 1;
    int most = columns;
    double high = most / ratio / 2;
    if (high > rows) {
        high = rows;
        most = (int)(rows * 2 * ratio + 0.5);
    }
    *out_columns = most > 1 ? most : 1;
    *out_rows = high > 1 ? (int)(high + 0.5) : 1;
}

char *cli_thumbs_text(cli_thumbs *t, const char *path, int width, int height, int columns, int rows)
{
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_decode_result picture;
    scry_decode_request request = { .kind = SCRY_DECODE_VIEWS,
                                    .spec = { .size = SIDE, .views = 1, .fit = { SCRY_FIT_SQUASH },
                                              .filter = SCRY_FILTER_BILINEAR } };
    if (scry_decoder_load(t->decoder, path, &bytes, &size, &st, NULL) < 0 ||
        scry_decoder_run(t->decoder, &request, &picture, NULL) < 0)
        return NULL;
    fit(width, height, columns, rows, &columns, &rows);
    return t->draw(picture.pixels, SIDE, SIDE, columns, rows);
}

void cli_thumbs_show(cli_thumbs *t, const char *path, int width, int height)
{
    char *text = t ? cli_thumbs_text(t, path, width, height, t->columns < COLUMNS ? t->columns : COLUMNS, ROWS) : NULL;
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
