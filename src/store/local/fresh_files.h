/* fresh_files.h - the files that the column cache lacks, as a view's filters read them.
 *
 * While an index run goes on every commit makes another view, and up to some 30,000 files are not in the columns. A file's row
 * never changes: what is written anew gets a new number (next_file), and no number is given twice. So a view reads the rows that
 * are newer than those that an earlier view read, and of these the numbers alone, to know which are still there.
 * Two things change without a new number: favourites, which are looked up anew, and the path of a root and the slots of a new
 * generation, where everything is read again.
 */
#ifndef SCRY_STORE_LOCAL_FRESH_FILES_H
#define SCRY_STORE_LOCAL_FRESH_FILES_H

#include "store/file_list.h"
#include "store/local/local.h"

/* Nothing: all zero. */
typedef struct scry_fresh_files {
    scry_file_list files;
    int64_t since, to;   /* they are all with a number in table files above the first, up to the second */
    int64_t *numbers;    /* [files.count] their numbers, rising, */
    uint32_t *slots;     /* [files.count] and the slots of their contents */
    size_t room;         /* of these two */
    char **words;        /* [files.count] of store/words.h, NULL of some; NULL before the first filter on words */
} scry_fresh_files;

/* Fill in `out`, which is empty, with the files whose numbers are above `since`. What v->known has of them is taken from
 * there. `r` is in the transaction in which `v` was acquired. To be disposed of after an error, too. */
int scry_fresh_load(scry_local *s, scry_reader *r, scry_view *v, int64_t since, scry_fresh_files *out,
                    scry_error *err) SCRY_NODISCARD;

/* Move what the view `old`, which nobody uses any more, has read to v->known, if it is of use there. */
void scry_fresh_keep(scry_view *old, scry_view *v);

void scry_fresh_dispose(scry_fresh_files *f);   /* leaves it empty */

#endif
