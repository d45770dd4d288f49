#include "thumbs/thumbs.h"

#include <chafa.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static ChafaCanvasMode colours_of(const ChafaTermInfo *term)
{
    if (chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_SET_COLOR_FGBG_DIRECT))
        return CHAFA_CANVAS_MODE_TRUECOLOR;
    if (chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_SET_COLOR_FGBG_256))
        return CHAFA_CANVAS_MODE_INDEXED_240;
    return chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_SET_COLOR_FGBG_16) ? CHAFA_CANVAS_MODE_INDEXED_16
                                                                           : CHAFA_CANVAS_MODE_FGBG;
}

static ChafaPixelMode graphics_of(const ChafaTermInfo *term)
{
    if (chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_BEGIN_KITTY_IMMEDIATE_IMAGE_V1))
        return CHAFA_PIXEL_MODE_KITTY;
    return chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_BEGIN_SIXELS) ? CHAFA_PIXEL_MODE_SIXELS
                                                                      : CHAFA_PIXEL_MODE_SYMBOLS;
}

static void set_cell_size(ChafaCanvasConfig *config)
{
    struct winsize w;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_xpixel && w.ws_ypixel && w.ws_col && w.ws_row)
        chafa_canvas_config_set_cell_geometry(config, w.ws_xpixel / w.ws_col, w.ws_ypixel / w.ws_row);
}

char *scry_thumbs_draw(const unsigned char *pixels, int width, int height, int columns, int rows)
{
    ChafaTermInfo *term = chafa_term_db_detect(chafa_term_db_get_default(), environ);
    ChafaSymbolMap *symbols = chafa_symbol_map_new();
    ChafaCanvasConfig *config = chafa_canvas_config_new();
    chafa_symbol_map_add_by_tags(symbols, CHAFA_SYMBOL_TAG_SPACE | CHAFA_SYMBOL_TAG_BLOCK | CHAFA_SYMBOL_TAG_BORDER);
    chafa_canvas_config_set_symbol_map(config, symbols);
    chafa_canvas_config_set_geometry(config, columns, rows);
    chafa_canvas_config_set_canvas_mode(config, colours_of(term));
    chafa_canvas_config_set_pixel_mode(config, graphics_of(term));
    set_cell_size(config);
    ChafaCanvas *canvas = chafa_canvas_new(config);
    chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGB8, pixels, width, height, width * 3);
    GString *drawn = chafa_canvas_print(canvas, term);
    char *text = malloc(drawn->len + 2);
    if (text) {
        memcpy(text, drawn->str, drawn->len);
        memcpy(text + drawn->len, "\n", 2);
    }
    g_string_free(drawn, TRUE);
    chafa_canvas_unref(canvas);
    chafa_canvas_config_unref(config);
    chafa_symbol_map_unref(symbols);
    chafa_term_info_unref(term);
    return text;
}
