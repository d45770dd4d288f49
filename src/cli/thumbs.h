/* thumbs.h - thumbnails of results in the terminal. */
#ifndef SCRY_CLI_THUMBS_H
#define SCRY_CLI_THUMBS_H

#include "scry/error.h"

typedef struct cli_thumbs cli_thumbs;

/* *out is NULL, with a warning that names the reason, when standard output is not a terminal that can show pictures.
 * A decoder that does not start is an error. */
int cli_thumbs_new(cli_thumbs **out, scry_error *err) SCRY_NODISCARD;

/* The same for the terminal `fd`; one that cannot show pictures is an error. */
int cli_thumbs_new_on(cli_thumbs **out, int fd, scry_error *err) SCRY_NODISCARD;

/* The picture file drawn within so many cells, as lines; owned. NULL if it cannot be read. */
char *cli_thumbs_text(cli_thumbs *t, const char *path, int width, int height, int columns, int rows);

/* Draw the picture file below its result; draws nothing if the file cannot be read. */
void cli_thumbs_show(cli_thumbs *t, const char *path, int width, int height);
void cli_thumbs_free(cli_thumbs *t);

#endif
