#include "store/milvus/remote_pairs.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "base/table.h"
#include "store/pairs.h"

#include <stdlib.h>
#include <string.h>

/* Ids of files: of one hit's other part under all names that it may have, or of those that exist. */
typedef struct {
    scry_table table;
    const scry_file *file;   /* whose other part is looked for */
    scry_results *hits;      /* of take_name: */
    size_t hit;              /* that file's place in them */
    int result;
} id_set;

static id_set id_set_new(void)
{
    return (id_set){ .table = SCRY_TABLE_OF_BYTES(SCRY_ID_BYTES, SCRY_ID_BYTES, SIZE_MAX) };
}

static void add(id_set *s, const uint8_t *id)
{
    int64_t n = s->result < 0 ? s->result : scry_table_add(&s->table, id, NULL);
    s->result = n < 0 ? (int)n : 0;
}

static bool add_name(void *arg, const char *name)
{
    id_set *s = arg;
    uint8_t id[SCRY_ID_BYTES];
    scry_file_id(s->file->root, name, id);
    add(s, id);
    return false;
}

static bool has_name(void *arg, const char *name)
{
    const id_set *s = arg;
    uint8_t id[SCRY_ID_BYTES];
    scry_file_id(s->file->root, name, id);
    return scry_table_find(&s->table, id) >= 0;
}

static void add_names(id_set *s, const scry_file *file)
{
    s->file = file;
    (void)scry_pair_names(file->relative, add_name, s);
}

/* Whether the set has the other part of the file's pair. */
static bool has_other(id_set *s, const scry_file *file)
{
    s->file = file;
    return scry_pair_names(file->relative, has_name, s);
}

/* ---- which of them exist ---- */

static int add_passing(const scry_remote_leads *l, const scry_milvus_rows *rows, id_set *out, scry_error *err)
{
    scry_remote_row row = { .answer = 0 };
    const scry_milvus_column *ids = scry_milvus_find_column(rows, "id", SCRY_MILVUS_VARCHAR);
    int result = ids || !rows->rows ? 0 : scry_fail(err, SCRY_EREMOTE, "Milvus answered without the field that was asked for");
    for (size_t i = 0; result == 0 && i < rows->rows; i++) {
        uint8_t id[SCRY_ID_BYTES];
        if (l->refine)
            result = scry_remote_row_read(l->s, &row, rows, i, err);
        bool passes = result == 0 && (!l->refine || scry_filter_match(l->refine, &row.file));
        if (passes && scry_unhex(ids->strings[i], id, sizeof id) == 0)
            add(out, id);
    }
    scry_remote_row_dispose(l->s, &row);
    return result;
}

/* Add those of the ids from `first` to `end` that exist and pass the filter to `out`. */
static int ask(const scry_remote_leads *l, const id_set *set, size_t first, size_t end, id_set *out, scry_error *err)
{
    static const char *const only_id[] = { "id" };
    char (*hex)[SCRY_REMOTE_HEX_ID] = scry_alloc((end - first) * sizeof *hex);
    const char **texts = scry_alloc((end - first) * sizeof *texts);
    for (size_t i = first; i < end; i++) {
        scry_hex(scry_table_at(&set->table, i), SCRY_ID_BYTES, hex[i - first]);
        texts[i - first] = hex[i - first];
    }
    scry_buf filter = SCRY_BUF_INIT(2 * SCRY_REMOTE_FILTER_BYTES);
    scry_remote_in_list(&filter, "id", texts, end - first);
    if (l->filter[0])
        scry_buf_printf(&filter, " and (%s)", l->filter);
    scry_remote_fields fields = scry_remote_filter_fields(l->s, l->refine);
    scry_milvus_query q = { scry_buf_str(&filter), l->refine ? fields.names : only_id, l->refine ? fields.count : 1, 0,
                            scry_remote_freshness(l->s) };
    scry_milvus *m;
    scry_milvus_rows *rows = NULL;
    int result = scry_remote_take(l->s, &m, err);
    if (result == 0) {
        result = scry_remote_query(l->s, m, &q, &rows, err);
        scry_remote_give(l->s, m);
    }
    if (result == 0)
        result = add_passing(l, rows, out, err);
    scry_milvus_rows_free(rows);
    scry_buf_dispose(&filter);
    free(texts);
    free(hex);
    return result;
}

static int ask_all(const scry_remote_leads *l, const id_set *set, id_set *out, scry_error *err)
{
    enum { IDS_AT_ONCE = 1000 };
    size_t n = set->table.count;
    int result = set->result < 0 ? scry_fail(err, set->result, "no memory for the pairs of RAWs") : 0;
    for (size_t at = 0; at < n && result == 0; at += IDS_AT_ONCE)
        result = ask(l, set, at, at + IDS_AT_ONCE < n ? at + IDS_AT_ONCE : n, out, err);
    return result < 0 || out->result == 0 ? result : scry_fail(err, out->result, "no memory for the pairs of RAWs");
}

/* ---- RAWs whose lead passes ---- */

int scry_remote_hide_raws(const scry_remote_leads *l, const scry_results *hits, bool *hidden, scry_error *err)
{
    size_t raws = 0;
    for (size_t i = 0; i < hits->count; i++)
        raws += scry_is_raw(&hits->hits[i].file);
    if (raws == 0)
        return 0;
    id_set pass = id_set_new(), asked = id_set_new();
    for (size_t i = 0; i < hits->count; i++)
        add(&pass, hits->hits[i].file.id);
    for (size_t i = 0; i < hits->count; i++)
        if (scry_is_raw(&hits->hits[i].file) && !has_other(&pass, &hits->hits[i].file))
            add_names(&asked, &hits->hits[i].file);
    int result = ask_all(l, &asked, &pass, err);
    for (size_t i = 0; i < hits->count; i++)
        hidden[i] = scry_is_raw(&hits->hits[i].file) && has_other(&pass, &hits->hits[i].file);
    scry_table_dispose(&pass.table);
    scry_table_dispose(&asked.table);
    return result;
}

/* ---- the RAWs of leads ---- */

static int has_raws(scry_remote *s, bool *out, scry_error *err)
{
    scry_milvus *m;
    pthread_mutex_lock(&s->lock);
    int64_t raws = s->raws;
    pthread_mutex_unlock(&s->lock);
    int result = raws < 0 ? scry_remote_take(s, &m, err) : 0;
    if (raws < 0 && result == 0) {
        result = scry_remote_count(s, m, "format == \"raw\"", scry_remote_freshness(s), &raws, err);
        scry_remote_give(s, m);
        pthread_mutex_lock(&s->lock);
        s->raws = result == 0 ? raws : -1;
        pthread_mutex_unlock(&s->lock);
    }
    *out = raws > 0;
    return result;
}

static bool is_lead(const scry_file *f)
{
    size_t stem;
    return scry_pair_part_of(f->relative, strlen(f->relative), &stem) == SCRY_PAIR_LEAD;
}

/* For scry_pair_names: remember the name that the set has. */
static bool take_name(void *arg, const char *name)
{
    id_set *s = arg;
    const char *slash = strrchr(name, '/');
    if (!has_name(s, name))
        return false;
    scry_results_set_raw(s->hits, s->hit, slash ? slash + 1 : name);
    return true;
}

int scry_remote_name_raws(scry_remote *s, scry_results *hits, scry_error *err)
{
    scry_remote_leads raws = { s, "format == \"raw\"", NULL };
    bool any = false;
    int result = s->external ? 0 : has_raws(s, &any, err);
    if (result < 0 || !any)
        return result;
    id_set asked = id_set_new(), found = id_set_new();
    for (size_t i = 0; i < hits->count; i++)
        if (is_lead(&hits->hits[i].file))
            add_names(&asked, &hits->hits[i].file);
    result = ask_all(&raws, &asked, &found, err);
    for (size_t i = 0; i < hits->count && result == 0; i++) {
        found.file = &hits->hits[i].file;
        found.hits = hits;
        found.hit = i;
        if (is_lead(found.file))
            (void)scry_pair_names(found.file->relative, take_name, &found);
    }
    scry_table_dispose(&asked.table);
    scry_table_dispose(&found.table);
    return result;
}
