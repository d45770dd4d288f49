/* local_view.c - one committed state of the collection, as searches see it.
 *
 * A view is made from what a reader's transaction shows and shared by all searches until
 * a commit makes it old; then the next search makes a new one. Whoever has taken a view
 * may use it for as long as it likes.
 */
#include "store/local_internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void view_free(scry_view *v)
{
    scry_head_dispose(&v->head);
    scry_root_list_dispose(&v->roots);
    scry_shared_map_put(v->segment);
    scry_codes_dispose(&v->codes);
    scry_filter_state_dispose(&v->filter);
    free(v->live);
    free(v);
}

int scry_shared_map_get(scry_shared_map **out, scry_shared_map *old, int fd, size_t need,
                        const char *where, scry_error *err)
{
    enum { SLACK = 16 << 20 };
    struct stat st;
    if (fstat(fd, &st) < 0)
        return scry_fail_errno(err, errno, "cannot stat a file of the store %s", where);
    if (old && old->size >= need && old->inode == st.st_ino) {
        old->refs++;
        *out = old;
        return 0;
    }
    size_t size = need + need / 4 + SLACK;
    void *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return scry_fail_errno(err, errno, "cannot map a file of the store %s", where);
    *out = scry_alloc(sizeof **out);
    **out = (scry_shared_map){ 1, p, size, st.st_ino };
    return 0;
}

void scry_shared_map_put(scry_shared_map *m)
{
    if (!m || --m->refs)
        return;
    munmap(m->data, m->size);
    free(m);
}

static int map_segment(scry_local *s, scry_view *v, const scry_view *old, scry_error *err)
{
    int fd;
    int result = scry_segment_open(s, v->head.generation, v->head.slots, false, &fd, err);
    if (result < 0)
        return result;
    size_t need = SCRY_SEGMENT_HEADER + (size_t)v->head.slots * s->row_bytes;
    bool same = old && old->head.generation == v->head.generation;
    result = scry_shared_map_get(&v->segment, same ? old->segment : NULL, fd, need, s->where, err);
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

static int make_view(scry_local *s, scry_reader *r, scry_head *head, scry_view **out, scry_error *err)
{
    scry_view *v = scry_alloc(sizeof *v);
    v->head = *head;
    memset(head, 0, sizeof *head);
    v->refs = 1;
    int result = scry_root_list_load(&r->db, &v->roots, err);
    if (result == 0)
        result = map_segment(s, v, s->view, err);
    if (result == 0)
        result = load_live(v, &r->db, err);
    if (result == 0)
        result = scry_codes_load(s, v, s->view, err);
    if (result < 0)
        view_free(v);
    else
        *out = v;
    return result;
}

int scry_view_take(scry_local *s, scry_reader *r, scry_view **out, scry_error *err)
{
    scry_head head = { 0 };
    int result = scry_head_load(&r->db, &head, err);
    if (result < 0)
        return result;
    pthread_mutex_lock(&s->view_lock);
    if (!s->view || s->view->head.change != head.change) {
        scry_view *fresh;
        result = make_view(s, r, &head, &fresh, err);
        if (result == 0) {
            if (s->view && --s->view->refs == 0)
                view_free(s->view);
            s->view = fresh;
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

int scry_reader_view_take(scry_local *s, scry_reader **r, scry_view **v, scry_error *err)
{
    enum { TRIES = 8 };
    scry_error why = SCRY_ERROR_INIT;
    int result = SCRY_ENOTFOUND;
    for (int i = 0; i < TRIES && result == SCRY_ENOTFOUND; i++) {
        if ((result = scry_reader_take(s, r, err)) < 0)
            return result;
        if ((result = scry_view_take(s, *r, v, &why)) < 0)
            scry_reader_give(s, *r);
    }
    if (result < 0 && err)
        *err = why;
    return result;
}

void scry_view_give(scry_local *s, scry_view *v)
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

int scry_local_refresh(scry_store *base, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_view *v = NULL;
    int result = scry_reader_view_take(s, &r, &v, err);
    if (result < 0)
        return result;
    scry_view_give(s, v);
    scry_reader_give(s, r);
    return 0;
}
