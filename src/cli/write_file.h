/* write_file.h - the files that a user names for output: --html, --out. */
#ifndef SCRY_CLI_WRITE_FILE_H
#define SCRY_CLI_WRITE_FILE_H

#include "scry/error.h"

#include <sys/uio.h>

/* Write the pieces, one after the other, to `path`, through symbolic links, to devices and FIFOs as `curl -o` does. A
 * regular file is replaced by a whole new one with its mode, so that a failure leaves what was there, or nothing. Where
 * a replacement would not be the same file (other hard links, another owner, a folder that cannot be written) it
 * is overwritten in place. /dev/stdout and /dev/fd/N are the descriptor that this program was started with, and "-" is
 * standard output, unless that is a terminal. */
int cli_write_file(const char *path, const struct iovec *pieces, int count, scry_error *err) SCRY_NODISCARD;

#endif
