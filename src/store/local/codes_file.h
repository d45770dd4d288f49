/* codes_file.h - codes of all slots, from the cache file or encoded in memory. */
#ifndef SCRY_STORE_LOCAL_CODES_FILE_H
#define SCRY_STORE_LOCAL_CODES_FILE_H

#include "store/local/local.h"
#include "store/local/shared_map.h"

typedef struct scry_code_block {
    int refs;                 /* under the store's view_lock */
    int64_t rows;             /* encoded so far */
    void *data;               /* codes.h */
} scry_code_block;

typedef struct scry_codes {
    scry_shared_map *map;     /* of the cache file; NULL without one */
    int64_t map_rows;         /* rows in it, */
    size_t map_bytes;         /* in so many bytes */
    void **blocks;            /* [count] for scry_scan */
    scry_code_block **made;   /* [count] the block in memory, NULL where it is in the map */
    size_t count;
    uint32_t *sums;           /* [count] the checksums of blocks in the map, as in the file `sums` */
    _Atomic uint8_t *trust;   /* [count] of scry_codes_trust */
} scry_codes;

/* Of a block: there is no checksum of it; it was not compared yet; it is as it was written; it is not. */
/* From UNCHECKED on: and so many rows were scored without it. */
enum scry_codes_trust { SCRY_CODES_UNSUMMED, SCRY_CODES_GOOD, SCRY_CODES_DAMAGED, SCRY_CODES_UNCHECKED };

/* The writer's part: open or make the cache file and encode what it lacks of the segment, append what is
 * being committed, publish (sync the rows and count them in the header). None fails: without the file readers
 * encode in memory. */
void scry_codes_open(scry_local *s);
void scry_codes_append(scry_local *s, int64_t first, const uint8_t *rows, size_t n);
void scry_codes_committed(scry_local *s);   /* after the commit of what was appended: this process reads it */
void scry_codes_roll_back(scry_local *s);   /* instead, when the commit failed */
void scry_codes_publish(scry_local *s);
void scry_codes_close(scry_local *s);
char *scry_codes_path(const scry_local *s, int64_t generation);

/* Whether the file's first page, whatever its format, is as it was written; true where there is no file, or an empty one. */
bool scry_codes_header_intact(const scry_local *s, int64_t generation);

/* The reader's part, into v->codes. `old` (may be NULL) is the view before, of any generation. */
int scry_codes_load(scry_local *s, scry_view *v, const scry_view *old, scry_error *err) SCRY_NODISCARD;
void scry_codes_dispose(scry_codes *c);

/* Block `i` for a scan that reads `rows` rows of it: it is compared with its checksum before it is first used. NULL when it
 * is damaged, or when comparing it would take longer than scoring these rows from their vectors. Any thread. */
void *scry_codes_block(scry_local *s, scry_view *v, size_t i, size_t rows);

#endif
