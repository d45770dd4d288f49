/* thumbs.h - a picture drawn with a terminal's means: Kitty's or sixel graphics where it has them,
 * else characters in colour. The plugin that `scry search --thumbs` loads; chafa draws.
 */
#ifndef SCRY_THUMBS_H
#define SCRY_THUMBS_H

/* Pixels [height, width, 3] stretched over `columns` x `rows` character cells: what to print,
 * malloc'd, with a final newline; NULL if allocation fails. The terminal's abilities come from the environment. */
char *scry_thumbs_draw(const unsigned char *pixels, int width, int height, int columns, int rows);
typedef char *scry_thumbs_draw_fn(const unsigned char *pixels, int width, int height, int columns, int rows);

#endif
