/* zip.h - writing a ZIP archive piece by piece: entries are stored, not compressed, since pictures are compressed already.
 *
 *     zip_writer *z = zip_new();
 *     zip_begin(z, &out, "IMG_0042.jpg", mtime_s, size);   "IMG_0042 (2).jpg", if an entry has that name
 *     zip_data(z, &out, bytes, n);                         `size` bytes in all
 *     zip_end(z, &out);
 *     while (zip_finish(z, &out, room)) send(&out);        the directory at the archive's end
 *     zip_free(z);
 *
 * Everything is appended to `out`, which the caller sends and empties between the calls; memory is a hundred bytes an entry. An
 * entry's checksum is not known before its data: it comes behind them (bit 3 of the flags), the size before them, too. Sizes and
 * places from 4 GiB on are ZIP64. Written from PKWARE's APPNOTE 6.3.10; libarchive would bring nine libraries for these lines.
 */
#ifndef SCRY_SERVER_ZIP_H
#define SCRY_SERVER_ZIP_H

#include "base/buf.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { ZIP_MAX_ENTRIES = 65534 };

typedef struct zip_writer zip_writer;

zip_writer *zip_new(void);
void zip_free(zip_writer *z);   /* NULL is legal */

/* Begin an entry. Of `name` what no archive should hold is replaced: bytes that are not UTF-8, control characters, slashes and
 * backslashes; a name that an earlier entry has, whatever its case, gets a number. The entry's time is `mtime_s`, in UTC seconds
 * since 1970. SCRY_ELIMIT past ZIP_MAX_ENTRIES. */
int zip_begin(zip_writer *z, scry_buf *out, const char *name, int64_t mtime_s, uint64_t size, scry_error *err) SCRY_NODISCARD;
void zip_data(zip_writer *z, scry_buf *out, const void *bytes, size_t n);
void zip_end(zip_writer *z, scry_buf *out);

/* Append the directory, at least one entry of it and no more once `out` has `room` bytes; false: that was the end. */
bool zip_finish(zip_writer *z, scry_buf *out, size_t room);

#endif
