/* lines.h - the lines of a text file, a pipe or standard input, one at a time.
 *
 *     scry_lines l;
 *     int r = scry_lines_open(&l, path, err);
 *     while (r == 0 && (r = scry_lines_next(&l, &line, err)) > 0)
 *         r = use(line);
 *     scry_lines_close(&l);
 *
 * A byte order mark at the start is skipped. A zero byte is an error, unless the lines end with zero bytes.
 */
#ifndef SCRY_BASE_LINES_H
#define SCRY_BASE_LINES_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct scry_lines {
    const char *path;    /* borrowed */
    bool zero_ended;     /* set it after opening: lines end with zero bytes, and may contain line ends */
    FILE *file;
    char *line;
    char *rest;          /* of a text whose lines end with "\r" alone: what follows the last line; else NULL */
    size_t capacity, number;   /* number: of the line read last, from 1 */
} scry_lines;

/* "-" is standard input. */
int scry_lines_open(scry_lines *l, const char *path, scry_error *err) SCRY_NODISCARD;

/* 1 and the next line without its end ("\n", "\r\n", or "\r" where the whole text has no "\n"), valid until the next call; 0 at the end; else an error. */
int scry_lines_next(scry_lines *l, char **line, scry_error *err) SCRY_NODISCARD;

/* Also after scry_lines_open() has failed. */
void scry_lines_close(scry_lines *l);

#endif
