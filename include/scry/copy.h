/* copy.h - copying a collection to another store, and comparing two collections.
 *
 *     scry_store_copy(from, to, &options, &done, &err);
 *     scry_store_compare(here, there, print_line, NULL, &options, &report, &err);
 *
 * Embedded stores and Milvus in any combination. Nothing is embedded again: vectors are copied
 * as they are stored. Both walk the two collections side by side in ranges of ids, so that
 * memory is the same for a thousand files and for a hundred million.
 */
#ifndef SCRY_COPY_H
#define SCRY_COPY_H

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/store.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scry_copy_progress {
    uint64_t total;       /* files of `from` */
    uint64_t done;        /* compared */
    uint64_t copied;      /* sent, because absent or different */
    uint64_t skipped;     /* remembered bad files copied */
    uint64_t there;       /* those that `to` had already, equal */
} scry_copy_progress;

typedef struct scry_copy_options {
    void (*progress)(void *arg, const scry_copy_progress *p);   /* a few times a second; may be NULL */
    void *arg;
    const scry_cancel *cancel;   /* non-zero: stop with SCRY_ECANCELLED; what was sent stays */
    uint64_t sample;             /* of a comparison: only about so many files, chosen at random each time; 0: all */
} scry_copy_options;

#define SCRY_COPY_OPTIONS_INIT SCRY_ZERO_INIT

/* `options` may be NULL, as `out` of all of these may.
 *
 * Make `to` (opened for writing, of the same model) have every file of `from`, under the same
 * roots and ids, with labels, keys, remembered bad files and the marks (marks.h). A file that
 * it has with all fields and the vector equal is not sent, so that repeating a stopped copy continues it, and repeating a
 * finished one only compares. Files that only `to` has stay. A vector that differs is replaced: in an embedded store by
 * removing the files of its content for the moment. A root that `to`
 * has at another path keeps that path; one that overlaps another root of `to` is SCRY_EINVALID. */
int scry_store_copy(scry_store *from, scry_store *to, const scry_copy_options *options, scry_copy_progress *out,
                    scry_error *err) SCRY_NODISCARD;

/* As scry_store_copy, into a collection on Milvus without files, which gets roots, bad files and marks; but its rows are written to
 * files FOLDER/rows-NNNNN.json, in a new or empty folder, for a bulk import of the server: docs/milvus.md. A scry_store_copy after
 * the import sends what did not arrive. */
int scry_store_export(scry_store *from, scry_store *to, const char *folder, const scry_copy_options *options,
                      scry_copy_progress *out, scry_error *err) SCRY_NODISCARD;

typedef struct scry_compare_report {
    uint64_t files;       /* in both and equal */
    uint64_t only_here, only_there, different;
    uint64_t roots;       /* that only one of them knows */
    uint64_t texts;       /* contents of both in which not the same was read, or which only one of them has read */
} scry_compare_report;

/* Compare files by id: content, all metadata, the vector to the last bit that stores keep; roots by id; and what was read in
 * pictures, where both keep that. Each difference is reported in one line. Paths of roots that both have, skipped files and marks
 * are not compared. */
int scry_store_compare(scry_store *here, scry_store *there, void (*on_difference)(void *arg, const char *text), void *arg,
                       const scry_copy_options *options, scry_compare_report *out, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
