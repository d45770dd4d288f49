/* remote_row.c - a row of an answer as a file. */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "store/milvus/remote_marks.h"
#include "store/predicates.h"
#include "store/words.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* "vector" stands at the end, so that it can be requested with the others. */
static const char *const with_details[] = {
    "id", "content", "root", "path", "size", "mtime_ns", "time", "has_time", "camera", "has_position", "latitude",
    "longitude", "format", "width", "height", "key", "labels", "taken_source", "taken_offset", "rating", "damaged", "lens",
    "title", "description", "keywords", "keyword_terms", "companion", "ctime_ns", "vector",
};
static const char *const with_text[] = {
    "id", "content", "root", "path", "size", "mtime_ns", "time", "has_time", "camera", "has_position", "latitude",
    "longitude", "format", "width", "height", "key", "labels", "taken_source", "taken_offset", "rating", "damaged", "lens",
    "title", "description", "keywords", "keyword_terms", "companion", "ctime_ns", "text_lines", "vector",
};
static const char *const without_details[] = {
    "id", "content", "root", "path", "size", "mtime_ns", "time", "has_time", "camera", "has_position", "latitude",
    "longitude", "format", "width", "height", "key", "labels", "vector",
};
_Static_assert(sizeof with_details / sizeof *with_details == SCRY_REMOTE_FILE_FIELDS + 1, "those that a file is made of");
_Static_assert(sizeof with_text / sizeof *with_text == SCRY_REMOTE_FILE_FIELDS + 2, "those, and its text");
_Static_assert(sizeof without_details / sizeof *without_details == SCRY_REMOTE_FIRST_DETAIL + 1, "those that come first");

scry_remote_fields scry_remote_row_fields(const scry_remote *s, bool vectors)
{
    enum { OTHER_BYTES = 512, DETAIL_BYTES = 512 };   /* of a row without its vector */
    size_t other = s->has_details ? OTHER_BYTES + DETAIL_BYTES : OTHER_BYTES;
    size_t n = s->has_details ? SCRY_REMOTE_FILE_FIELDS : SCRY_REMOTE_FIRST_DETAIL;
    return (scry_remote_fields){ s->has_details ? with_details : without_details, n + (vectors ? 1 : 0),
                                 other + (vectors ? sizeof(float) * (size_t)s->base.dim : 0), SCRY_MILVUS_STRONG };
}

scry_remote_fields scry_remote_text_fields(const scry_remote *s, bool vectors)
{
    enum { TEXT_BYTES = 2048 };   /* few pictures have more */
    scry_remote_fields fields = scry_remote_row_fields(s, vectors);
    if (s->has_words) {
        fields.names = with_text;
        fields.count++;
        fields.row_bytes += TEXT_BYTES;
    }
    return fields;
}

scry_remote_fields scry_remote_filter_fields(const scry_remote *s, const scry_filter_node *filter)
{
    return scry_filter_asks_words(filter) ? scry_remote_text_fields(s, false) : scry_remote_row_fields(s, false);
}

bool scry_remote_has_field(const scry_remote *s, int field)
{
    if (field < SCRY_REMOTE_FIRST_DETAIL || field == SCRY_REMOTE_VECTOR)
        return true;
    if (field == SCRY_REMOTE_ALL_WORDS)
        return s->ranks;
    return field < SCRY_REMOTE_FIRST_WORDS ? s->has_details : s->has_words;
}

/* A row's strings are in one block of their escaped size, since unescaping only shrinks them. */
static const char *copy_text(char **at, const char *text)
{
    char *to = *at;
    size_t n = strlen(text) + 1;
    memcpy(to, text, n);
    scry_milvus_unescape(to);
    *at += n;
    return to;
}

static const char *text_of(const scry_remote_row *row, int field, size_t i)
{
    return row->columns[field] ? row->columns[field]->strings[i] : "";
}

/* The texts of a row besides its path and labels, and where they go. */
enum { TEXTS = 8 };
static const struct { int field; size_t at; } texts[TEXTS] = {
    { SCRY_REMOTE_CAMERA, offsetof(scry_file, camera) }, { SCRY_REMOTE_FORMAT, offsetof(scry_file, format) },
    { SCRY_REMOTE_KEY, offsetof(scry_file, key) }, { SCRY_REMOTE_LENS, offsetof(scry_file, lens) },
    { SCRY_REMOTE_TITLE, offsetof(scry_file, title) }, { SCRY_REMOTE_DESCRIPTION, offsetof(scry_file, description) },
    { SCRY_REMOTE_KEYWORDS, offsetof(scry_file, keywords) },
    { SCRY_REMOTE_COMPANION, 0 },   /* goes to the notes */
};

static size_t text_bytes(const scry_remote_row *row, const char *root, size_t i)
{
    size_t n = strlen(root) + 2 * strlen(text_of(row, SCRY_REMOTE_PATH, i)) + 8;
    for (size_t k = 0; k < TEXTS; k++)
        n += strlen(text_of(row, texts[k].field, i)) + 1;
    for (size_t k = 0; k < row->columns[SCRY_REMOTE_LABELS]->lists[i].count; k++)
        n += strlen(row->columns[SCRY_REMOTE_LABELS]->lists[i].items[k]) + 1;
    return n;
}

static int find_columns(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, scry_error *err)
{
    for (size_t k = 0; k < SCRY_REMOTE_FILE_FIELDS; k++) {
        row->columns[k] = NULL;
        if (!scry_remote_has_field(s, (int)k))
            continue;
        row->columns[k] = scry_milvus_find_column(rows, scry_remote_schema[k].name, (scry_milvus_type)scry_remote_schema[k].type);
        if (!row->columns[k])
            return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the field %s of the collection %s",
                             scry_remote_schema[k].name, s->name);
    }
    row->lines = scry_milvus_find_column(rows, scry_remote_schema[SCRY_REMOTE_TEXT_LINES].name, SCRY_MILVUS_VARCHAR);
    row->answer = rows->number;
    return 0;
}

static int read_ids(const scry_remote *s, scry_remote_row *row, size_t i, scry_error *err)
{
    scry_file *f = &row->file;
    if (scry_unhex(row->columns[SCRY_REMOTE_ID]->strings[i], f->id, SCRY_ID_BYTES) == 0 &&
        scry_unhex(row->columns[SCRY_REMOTE_ROOT]->strings[i], f->root, SCRY_ID_BYTES) == 0 &&
        scry_unhex(row->columns[SCRY_REMOTE_CONTENT]->strings[i], f->content, SCRY_HASH_BYTES) == 0)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "the row \"%.64s\" of the collection %s at %s was not written by scry",
                     row->columns[SCRY_REMOTE_ID]->strings[i], s->shown, s->where);
}

/* Strings and labels of row i. */
static void read_text(scry_remote_row *row, size_t i)
{
    const scry_milvus_strings *labels = &row->columns[SCRY_REMOTE_LABELS]->lists[i];
    const char *root = scry_remote_roots_path(row->roots, row->columns[SCRY_REMOTE_ROOT]->strings[i]);
    scry_file *f = &row->file;
    free(row->text);
    free(row->labels);
    char *at = row->text = scry_alloc(text_bytes(row, root, i));
    f->relative = copy_text(&at, row->columns[SCRY_REMOTE_PATH]->strings[i]);
    row->notes = (scry_file_notes){ 0 };
    for (size_t k = 0; k < TEXTS; k++) {
        const char *text = copy_text(&at, text_of(row, texts[k].field, i));
        if (texts[k].field == SCRY_REMOTE_COMPANION)
            row->notes.companion = text;
        else
            *(const char **)((char *)f + texts[k].at) = text;
    }
    f->notes = row->notes.companion[0] ? &row->notes : NULL;
    row->labels = scry_alloc((labels->count + 1) * sizeof *row->labels);
    for (size_t k = 0; k < labels->count; k++)
        row->labels[k] = copy_text(&at, labels->items[k]);
    f->labels = row->labels;
    f->label_count = labels->count;
    f->text = NULL;
    if (row->lines) {
        row->picture_text.limit = SCRY_WORDS_LIMIT;
        scry_remote_unpack_words(&row->picture_text, row->lines->strings[i]);
        f->text = scry_buf_str(&row->picture_text);
    }
    char *path = scry_store_join(root, f->relative);
    f->path = memcpy(at, path, strlen(path) + 1);
    free(path);
}

/* What only collections with details have. */
static void read_details(scry_remote_row *row, size_t i)
{
    scry_file *f = &row->file;
    const scry_milvus_column **c = row->columns;
    f->lacks_details = !c[SCRY_REMOTE_FIRST_DETAIL];
    if (f->lacks_details)
        return;
    int64_t offset = c[SCRY_REMOTE_TAKEN_OFFSET]->longs[i], rating = c[SCRY_REMOTE_RATING]->longs[i];
    f->taken_source = f->has_time ? (scry_taken_source)c[SCRY_REMOTE_TAKEN_SOURCE]->longs[i] : SCRY_TAKEN_UNKNOWN;
    f->has_taken_offset = f->has_time && offset != SCRY_REMOTE_NO_OFFSET;
    f->taken_offset_min = f->has_taken_offset ? (int)offset : 0;
    f->has_rating = rating != SCRY_REMOTE_NO_RATING;
    f->rating = f->has_rating ? (int)rating : 0;
    f->damaged = c[SCRY_REMOTE_DAMAGED]->bools[i];
}

int scry_remote_row_read(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, size_t i, scry_error *err)
{
    if (!row->roots)
        row->roots = scry_remote_roots_hold(s);
    if (!row->favourites) {
        int result = scry_remote_favourites_hold(s, &row->favourites, err);
        if (result < 0)
            return result;
    }
    if (row->answer != rows->number) {
        int result = find_columns(s, row, rows, err);
        if (result < 0)
            return result;
    }
    scry_file *f = &row->file;
    const scry_milvus_column **c = row->columns;
    int result = read_ids(s, row, i, err);
    if (result < 0)
        return result;
    read_text(row, i);
    f->size = c[SCRY_REMOTE_SIZE]->longs[i];
    f->mtime_ns = c[SCRY_REMOTE_MTIME]->longs[i];
    f->has_time = c[SCRY_REMOTE_HAS_TIME]->bools[i];
    f->taken_at = f->has_time ? c[SCRY_REMOTE_TIME]->longs[i] : 0;
    f->has_position = c[SCRY_REMOTE_HAS_POSITION]->bools[i];
    f->latitude = f->has_position ? c[SCRY_REMOTE_LATITUDE]->doubles[i] : 0;
    f->longitude = f->has_position ? c[SCRY_REMOTE_LONGITUDE]->doubles[i] : 0;
    f->width = (int)c[SCRY_REMOTE_WIDTH]->longs[i];
    f->height = (int)c[SCRY_REMOTE_HEIGHT]->longs[i];
    f->favourite = scry_remote_is_favourite(row->favourites, f->content);
    read_details(row, i);
    return 0;
}

void scry_remote_row_dispose(scry_remote *s, scry_remote_row *row)
{
    scry_remote_roots_release(s, row->roots);
    scry_remote_favourites_release(s, row->favourites);
    free(row->text);
    free(row->labels);
    scry_buf_dispose(&row->picture_text);
    *row = (scry_remote_row){ .answer = 0 };
}
