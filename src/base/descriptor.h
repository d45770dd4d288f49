/* descriptor.h - paths such as /dev/fd/3 that lead to an open descriptor of this process.
 *
 * Whoever started the program may pass it descriptors and name them so: a shell's <(command), for example. All that the program
 * opens itself are closed on exec; some are files of the store, and a number that was meant for another must not lead to them.
 */
#ifndef SCRY_BASE_DESCRIPTOR_H
#define SCRY_BASE_DESCRIPTOR_H

#include <stdbool.h>
#include <stdio.h>

/* The number of this process's descriptor that `path` leads to, by whatever symbolic links; -1: to none. *target, if not NULL, gets
 * the path that the last link leads to, owned, where no file need be; for a descriptor it is the link to it. */
int scry_descriptor_of(const char *path, char **target);

/* Whether the descriptor was passed to this program and is open. */
bool scry_descriptor_is_inherited(int fd);

/* Where standard input, output or error is closed, open something in its place that cannot be read or written: the next file that
 * is opened, of the store, say, would get its number, and messages would be written into it. At the start of a program. */
void scry_fill_standard_descriptors(void);

/* As open(path, flags | O_CLOEXEC) of a file that is there. EBADF for a descriptor that was not passed to the program. */
int scry_open_input(const char *path, int flags);

/* The same as a stream for reading; NULL with errno. */
FILE *scry_open_input_stream(const char *path);

#endif
