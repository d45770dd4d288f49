/* view.c - one committed state of the collection, as searches see it.
 *
 * A view is made from what a reader's transaction shows and shared by all searches until
 * the next commit; then the next search makes a new one. A view stays
 * valid until it is released.
 */
#include "store/local/view.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "store/local/columns.h"
#include "store/local/db_reader.h"
#include "store/local/fresh_files.h"
#include "store/local/transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void view_free(scry_view *v)
{
    scry_head_dispose(&v->head);
    scry_root_list_dispose(&v->roots);
    scry_shared_map_release(v->segment);
    scry_codes_dispose(&v->codes);
    scry_filter_state_free(v->filter);
    scry_fresh_dispose(&v->known);
    scry_columns_release(v->columns);
    free(v->live);
    free(v->shown);
    free(v);
}

static size_t segment_bytes(const scry_local *s, const scry_view *v)
{
    return SCRY_SEGMENT_HEADER + (size_t)v->head.slots * s->row_bytes;
}

/* With view_lock held, which guards the filter. */
static bool is_whole(const scry_local *s, const scry_view *v)
{
    return scry_shared_map_whole(v->segment, segment_bytes(s, v)) &&
           (!v->codes.map || scry_shared_map_whole(v->codes.map, v->codes.map_bytes)) &&
           (!v->columns || scry_columns_whole(v->columns));
}

/* Whether the segment's name leads to the file that is mapped: a copy that was put in its place, of a backup, say, is read.
 * Of a collection that was replaced as a whole what was opened is searched. */
static bool is_in_place(const scry_local *s, const scry_view *v)
{
    struct stat st;
    char *path = scry_segment_path(s, v->head.generation);
    bool other = stat(path, &st) == 0 && st.st_ino != v->segment->inode && scry_local_check_place(s, NULL) == 0;
    free(path);
    return !other;
}

/* The same file has been opened, and checked, already. */
static void share_columns(scry_view *v, const scry_view *old)
{
    if (!old || !old->columns || old->head.columns_file != v->head.columns_file || old->head.generation != v->head.generation)
        return;
    v->columns = old->columns;
    v->columns->refs++;
    v->columns_opened = true;
}

scry_columns *scry_view_columns(scry_local *s, scry_view *v, unsigned sections)
{
    if (!v->columns_opened && v->head.columns_file)
        v->columns = scry_columns_open(s, v->head.columns_file, v->head.generation);
    v->columns_opened = true;
    if (v->columns && !scry_columns_trust(v->columns, sections)) {
        char *path = scry_columns_path(s, v->head.columns_file);
        scry_log(SCRY_LOG_WARN, "%s is damaged: filters are slower without it; remove the file, the next scry index writes it "
                 "again", path);
        free(path);
        scry_columns_release(v->columns);
        v->columns = NULL;
    }
    return v->columns;
}

static int map_segment(scry_local *s, scry_view *v, const scry_view *old, scry_error *err)
{
    int fd;
    int result = scry_segment_open(s, v->head.generation, v->head.slots, false, &fd, err);
    if (result < 0)
        return result;
    size_t need = segment_bytes(s, v);
    bool same = old && old->head.generation == v->head.generation;
    result = scry_shared_map_acquire(&v->segment, same ? old->segment : NULL, fd, need, s->where, err);
    close(fd);
    return result;
}

static int load_live(scry_view *v, scry_db *db, scry_error *err)
{
    size_t slots = (size_t)v->head.slots, words = slots / 64 + 1;
    v->live = scry_try_alloc(words, sizeof *v->live);
    if (!v->live)
        return scry_fail(err, SCRY_ENOMEM, "no memory for %zu slots", slots);
    memset(v->live, 0xff, slots / 64 * sizeof *v->live);
    v->live[slots / 64] = (1ull << (slots % 64)) - 1;
    sqlite3_stmt *st;
    int result = scry_db_start(db, SCRY_SQL_DEAD_FROM, &st, err, "i", (int64_t)0);
    while (result == 0 && (result = scry_db_step(db, st, err)) == 1) {
        result = 0;
        int64_t slot = sqlite3_column_int64(st, 1);
        if (slot >= 0 && slot < v->head.slots)
            v->live[slot / 64] &= ~(1ull << (slot % 64));
    }
    scry_db_end(st);
    return result;
}

/* `old` (may be NULL): a view whose mappings can be shared. */
static int make_view(scry_local *s, scry_reader *r, scry_head *head, const scry_view *old, scry_view **out, scry_error *err)
{
    scry_view *v = scry_alloc(sizeof *v);
    v->head = *head;
    memset(head, 0, sizeof *head);
    v->refs = 1;
    share_columns(v, old);
    int result = scry_root_list_load(&r->db, &v->roots, err);
    if (result == 0)
        result = map_segment(s, v, old, err);
    if (result == 0)
        result = load_live(v, &r->db, err);
    if (result == 0)
        result = scry_db_number(&r->db, "SELECT EXISTS (SELECT 1 FROM gone)", &v->has_gone, err);
    if (result == 0)
        result = scry_codes_load(s, v, old, err);
    if (result < 0)
        view_free(v);
    else
        *out = v;
    return result;
}

static int replaced(const scry_local *s, scry_error *err)
{
    return scry_fail(err, SCRY_ENOTFOUND, "the collection %s of %s was removed or replaced while it was open", s->name, s->where);
}

int scry_view_acquire(scry_local *s, scry_reader *r, scry_view **out, scry_error *err)
{
    scry_head head = { 0 };
    int result = scry_head_load(&r->db, &head, err);
    if (result == 0 && memcmp(head.collection, s->collection, sizeof s->collection) != 0)
        result = replaced(s, err);
    if (result < 0) {
        scry_head_dispose(&head);
        return result;
    }
    pthread_mutex_lock(&s->view_lock);
    bool whole = s->view && is_whole(s, s->view) && is_in_place(s, s->view);
    if (!whole || s->view->head.change != head.change) {
        scry_view *fresh;
        result = make_view(s, r, &head, whole ? s->view : NULL, &fresh, err);
        if (result == 0) {
            if (s->view && --s->view->refs == 0) {
                if (whole)
                    scry_fresh_keep(s->view, fresh);
                view_free(s->view);
            }
            s->view = fresh;
        } else if (scry_local_check_place(s, NULL) < 0) {
            result = replaced(s, err);   /* its files are the other collection's */
        }
    }
    if (result == 0) {
        *out = s->view;
        s->view->refs++;
    }
    pthread_mutex_unlock(&s->view_lock);
    scry_head_dispose(&head);
    return result;
}

int scry_reader_view_acquire(scry_local *s, scry_reader **r, scry_view **v, scry_error *err)
{
    enum { TRIES = 8 };
    scry_error why = SCRY_ERROR_INIT;
    int result = SCRY_ENOTFOUND;
    for (int i = 0; i < TRIES && result == SCRY_ENOTFOUND; i++) {
        if ((result = scry_reader_acquire(s, r, err)) < 0)
            return result;
        if ((result = scry_view_acquire(s, *r, v, &why)) < 0)
            scry_reader_release(s, *r);
    }
    if (result < 0 && err)
        *err = why;
    return result;
}

/* On a full tmpfs a part of a file that was never written, a hole, cannot be read through a mapping. */
static bool disk_is_full(const scry_local *s)
{
    struct statvfs disk;
    return statvfs(s->folder, &disk) == 0 && disk.f_blocks && !disk.f_bavail;
}

int scry_view_check(scry_local *s, const scry_view *v, scry_error *err)
{
    pthread_mutex_lock(&s->view_lock);
    bool whole = is_whole(s, v);
    pthread_mutex_unlock(&s->view_lock);
    if (!whole && disk_is_full(s))
        return scry_fail(err, SCRY_EIO, "the disk of the store %s is full, so that a part of its files cannot be read: make room and "
                         "try again", s->where);
    return whole ? 0 : scry_fail(err, SCRY_EDAMAGED, "a file of the store %s was cut short, or its disk fails, while it was "
                                 "read: scry verify says which", s->where);
}

int scry_view_check_vector(scry_local *s, const scry_view *v, int64_t slot, uint32_t crc, scry_error *err)
{
    if (scry_crc32c(0, scry_view_vector(s, v, slot), s->row_bytes) == crc)
        return 0;
    int result = scry_view_check(s, v, err);
    if (result < 0)
        return result;
    char *path = scry_segment_path(s, v->head.generation);
    result = scry_fail(err, SCRY_EDAMAGED, "%s: the vector in slot %lld is damaged: run scry verify", path, (long long)slot);
    free(path);
    return result;
}

int scry_reader_view_release(scry_local *s, scry_reader *r, scry_view *v, int result, scry_error *err)
{
    if (result == 0)
        result = scry_view_check(s, v, err);
    scry_view_release(s, v);
    scry_reader_release(s, r);
    return result;
}

void scry_view_release(scry_local *s, scry_view *v)
{
    if (!v)
        return;
    pthread_mutex_lock(&s->view_lock);
    if (--v->refs == 0)
        view_free(v);
    pthread_mutex_unlock(&s->view_lock);
}

void scry_views_close(scry_local *s)
{
    if (s->view)
        view_free(s->view);
    s->view = NULL;
}

bool scry_view_lists(const scry_view *v)
{
    enum { FEW_FILES = 16384 };   /* 0.1 s to read */
    return v->head.columns_file || v->head.files <= FEW_FILES;
}

int scry_local_refresh(scry_store *base, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_view *v = NULL;
    struct stat st;   /* of 0 bytes: emptied in place */
    if (stat(s->db_path, &st) < 0 ? errno == ENOENT || errno == ENOTDIR
                                  : st.st_size == 0 || st.st_dev != s->db_device || st.st_ino != s->db_inode)
        return replaced(s, err);
    int result = scry_reader_view_acquire(s, &r, &v, err);
    if (result < 0)
        return result;
    scry_view_release(s, v);
    scry_reader_release(s, r);
    return 0;
}
