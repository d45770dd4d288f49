/* thumbs.h - small pictures of results in the terminal. */
#ifndef SCRY_CLI_THUMBS_H
#define SCRY_CLI_THUMBS_H

typedef struct cli_thumbs cli_thumbs;

/* NULL when standard output is no terminal that can show pictures, with a warning why. */
cli_thumbs *cli_thumbs_new(void);

/* Draw the picture file below the line of its result; nothing when it cannot be read. */
void cli_thumbs_show(cli_thumbs *t, const char *path, int width, int height);
void cli_thumbs_free(cli_thumbs *t);

#endif
