/* view.h - one committed state of the collection, as searches see it. */
#ifndef SCRY_STORE_LOCAL_VIEW_H
#define SCRY_STORE_LOCAL_VIEW_H

#include "store/local/codes_file.h"
#include "store/local/filter_bitmap.h"
#include "store/local/root_list.h"
#include "store/local/segment.h"

struct scry_view {
    int refs;                 /* under the store's view_lock */
    scry_head head;
    scry_root_list roots;
    scry_shared_map *segment;
    scry_codes codes;
    uint64_t *live;           /* a bit for each slot: a content is there */
    int64_t has_gone;         /* 1: table gone has rows, files that are no more what the columns have */
    scry_columns *columns;    /* under the store's view_lock, as is all below; NULL: files are read from the database */
    bool columns_opened;
    scry_filter_state *filter;   /* NULL: no search has needed one */
    scry_fresh_files known;   /* fresh files that an earlier view has read, until `filter` is made */
    bool raws_known, may_have_raws;
    uint64_t *shown;          /* what a search without a filter looks at where there are RAWs */
};

/* The view of the reader's transaction; release it when done (NULL is legal). */
int scry_view_acquire(scry_local *s, scry_reader *r, scry_view **out, scry_error *err) SCRY_NODISCARD;
void scry_view_release(scry_local *s, scry_view *v);
void scry_views_close(scry_local *s);

/* A reader and its view, both to be released; neither on failure. When a compaction by another
 * process removes the segment between the two, the new generation is read. */
int scry_reader_view_acquire(scry_local *s, scry_reader **r, scry_view **v, scry_error *err) SCRY_NODISCARD;

/* SCRY_EDAMAGED when what was read from the view's files up to now may not be what they held: one was cut short, or
 * its disk fails. The next search makes a new view, of what is there then. */
int scry_view_check(scry_local *s, const scry_view *v, scry_error *err) SCRY_NODISCARD;

/* SCRY_EDAMAGED when the stored vector in a slot of the view has not this checksum; as scry_view_check where its file was cut. */
int scry_view_check_vector(scry_local *s, const scry_view *v, int64_t slot, uint32_t crc, scry_error *err) SCRY_NODISCARD;

/* Release both; the result of what was computed from them, after scry_view_check. */
int scry_reader_view_release(scry_local *s, scry_reader *r, scry_view *v, int result, scry_error *err) SCRY_NODISCARD;

/* The view's columns, these sections of them as they were written. NULL where there are none, or they are damaged: then files
 * are read from the database. Borrowed from the view; with the store's view_lock held. */
scry_columns *scry_view_columns(scry_local *s, scry_view *v, unsigned sections);

/* Whether its files can be listed from what is in memory: from the columns, or there are few. */
bool scry_view_lists(const scry_view *v);

/* The stored vector in a slot: [dim] binary16. */
static inline const uint16_t *scry_view_vector(const scry_local *s, const scry_view *v, int64_t slot)
{
    return (const uint16_t *)(const void *)(v->segment->data + SCRY_SEGMENT_HEADER + (size_t)slot * s->row_bytes);
}

#endif
