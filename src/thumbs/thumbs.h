/* thumbs.h - a picture drawn with a terminal's means: Kitty's or sixel graphics where it has them,
 * else characters in colour. The part that `scry search --thumbs` opens; chafa underneath.
 */
#ifndef SCRY_THUMBS_H
#define SCRY_THUMBS_H

/* Pixels [height, width, 3] stretched over `columns` x `rows` character cells: what to print,
 * malloc'd, with a final newline; NULL when memory is short. The terminal is the environment's. */
char *scry_thumbs_draw(const unsigned char *pixels, int width, int height, int columns, int rows);
typedef char *scry_thumbs_draw_fn(const unsigned char *pixels, int width, int height, int columns, int rows);

#endif
