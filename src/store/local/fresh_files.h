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

#include "store/local/filter_bitmap.h"
#include "store/local/view.h"

/* Fill in the fresh files of `f`, whose columns are set. `known` (may be NULL) is what scry_fresh_keep returned; it is emptied. `r`
 * is in the transaction in which `v` was acquired. */
int scry_fresh_load(scry_local *s, scry_reader *r, const scry_view *v, scry_filter_state *f, scry_filter_state *known,
                    scry_error *err) SCRY_NODISCARD;

/* What the view `old`, which nobody uses any more, has read, for `v`; NULL: nothing that is of use. To be freed by
 * scry_filter_state_free. */
scry_filter_state *scry_fresh_keep(scry_view *old, const scry_view *v);

#endif
