/* facet_counts.c - two walks over brief files: what names there are and which contents have copies, then the counts.
 *
 * RAWs are put aside, and counted last: then it is known what the pictures beside them have.
 */
#include "engine/facet_counts.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/table.h"
#include "engine/listing.h"
#include "store/file_list.h"
#include "store/pairs.h"
#include "store/predicates.h"
#include "store/store_kind.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NAMES = 1 << 28, MAX_DEPTH = 64 };

/* A content, by its number: of brief files the slot, else its place in `contents`. */
typedef struct {
    uint8_t *copies;     /* [size] files of each, 2 for more */
    size_t size;
} copy_list;

struct scry_facet_counts {
    scry_facet_options options;
    scry_table names[SCRY_FACET_KINDS];   /* of scry_facet */
    scry_table contents;     /* hashes, where files are not brief */
    copy_list copies;
    scry_table counted;      /* a content with copies, and a name */
    scry_table stems;        /* of RAWs: what the pictures beside them have is in `leads` */
    scry_table leads;        /* stem, then nothing or a kind and a name */
    scry_file_list raws;     /* put aside */
    scry_buf raw_contents;   /* int64_t [raws.count] their numbers */
    scry_buf key;
    char *folder;            /* of the last file, and the folders that have it */
    size_t folder_bytes;
    uint32_t above[MAX_DEPTH];
    size_t depth;
    bool brief, sampled, any_time;
    int64_t first_s, last_s;
    double share;
    scry_error *err;
    int result;
};

/* ---- contents ---- */

static int64_t content_of(scry_facet_counts *c, const scry_file *f)
{
    return c->brief ? f->added : scry_table_add(&c->contents, f->content, c->err);
}

static void note_copy(copy_list *l, size_t content)
{
    if (content >= l->size) {
        size_t size = content < SIZE_MAX / 4 ? 2 * content + 1024 : content + 1;
        l->copies = scry_realloc(l->copies, size);
        memset(l->copies + l->size, 0, size - l->size);
        l->size = size;
    }
    if (l->copies[content] < 2)
        l->copies[content]++;
}

/* Whether the content was not counted under this name; -1 after an error. */
static int is_first(scry_facet_counts *c, int64_t content, scry_facet_kind kind, uint32_t name)
{
    const uint64_t key[2] = { (uint64_t)content, (uint64_t)kind << 32 | name };
    if ((uint64_t)content < c->copies.size && c->copies.copies[content] < 2)
        return 1;
    size_t before = c->counted.count;
    int64_t number = scry_table_add(&c->counted, key, c->err);
    return number < 0 ? -1 : c->counted.count > before;
}

/* ---- folders ---- */

static size_t folder_size(const scry_file *f)
{
    const char *slash = strrchr(f->path, '/');
    return slash && slash > f->path ? (size_t)(slash - f->path) : 1;
}

static int64_t add_name(scry_facet_counts *c, scry_facet_kind kind, const char *name)
{
    return scry_table_add(&c->names[kind], name, c->err);
}

/* c->above gets the folders, of those that have pictures, in which a list shows this one. */
static int find_folders(scry_facet_counts *c, const scry_file *f)
{
    size_t n = folder_size(f);
    if (c->folder && n == c->folder_bytes && memcmp(c->folder, f->path, n) == 0)
        return 0;
    free(c->folder);
    c->folder = scry_strndup(f->path, n);
    c->folder_bytes = n;
    c->depth = 0;
    int64_t own = add_name(c, SCRY_FACET_FOLDERS, c->folder);
    if (own < 0)
        return (int)own;
    c->above[c->depth++] = (uint32_t)own;
    char *up = scry_strdup(c->folder), *slash;
    while (c->options.unique && !c->sampled && c->depth < MAX_DEPTH && up[1] && (slash = strrchr(up, '/'))) {
        slash[slash == up] = '\0';
        int64_t number = scry_table_find(&c->names[SCRY_FACET_FOLDERS], up);
        if (number >= 0)
            c->above[c->depth++] = (uint32_t)number;
    }
    free(up);
    return 0;
}

/* ---- counting ---- */

static int count(scry_facet_counts *c, scry_facet_kind kind, int64_t name, const scry_file *f, int64_t content)
{
    int first = name < 0 ? -1 : c->options.unique ? is_first(c, content, kind, (uint32_t)name) : 1;
    if (first <= 0)
        return first < 0 ? c->err ? c->err->code : SCRY_ENOMEM : 0;
    scry_facet *e = scry_table_at(&c->names[kind], (size_t)name);
    int64_t s = scry_file_time(f);
    if (!e->count || s > e->last_s) {
        free(e->relative);
        e->relative = scry_file_is_brief(f) ? scry_strdup(f->relative) : NULL;
        memcpy(e->root, f->root, sizeof e->root);
        memcpy(e->id, f->id, sizeof e->id);
        e->last_s = s;
    }
    e->first_s = !e->count || s < e->first_s ? s : e->first_s;
    e->count++;
    return 0;
}

/* What is noted in `leads` of a picture beside a RAW: its stem, kind and name. NULL: too long. */
static const char *lead_key(scry_facet_counts *c, const scry_file *f, size_t stem, char kind, const char *name)
{
    scry_buf_clear(&c->key);
    scry_buf_append(&c->key, f->path, stem);
    scry_buf_putc(&c->key, '\n');
    scry_buf_putc(&c->key, kind);
    scry_buf_puts(&c->key, name);
    return c->key.failed ? NULL : scry_buf_str(&c->key);
}

static int add_lead(scry_facet_counts *c, const scry_file *f, size_t stem, char kind, const char *name)
{
    const char *key = lead_key(c, f, stem, kind, name);
    if (!key)
        return scry_fail(c->err, SCRY_ELIMIT, "a name of %s is too long", f->path);
    int64_t number = scry_table_add(&c->leads, key, c->err);
    return number < 0 ? (int)number : 0;
}

static bool is_led(scry_facet_counts *c, const scry_file *f, char kind, const char *name)
{
    size_t stem;
    if (!c->leads.count || !c->options.unique)
        return false;
    (void)scry_pair_part_of(f->path, strlen(f->path), &stem);
    const char *key = lead_key(c, f, stem, kind, name);
    return key && scry_table_find(&c->leads, key) >= 0;
}

/* `raw`: what stands beside it hides it, if that has the name, too. */
static int count_name(scry_facet_counts *c, scry_facet_kind kind, const char *name, const scry_file *f, int64_t content, bool raw)
{
    if (raw && is_led(c, f, kind == SCRY_FACET_CAMERAS ? 'c' : 'l', name))
        return 0;
    return count(c, kind, add_name(c, kind, name), f, content);
}

/* Under every name that a list with it shows the file for. */
static int count_names(scry_facet_counts *c, const scry_file *f, int64_t content, bool raw)
{
    int result = find_folders(c, f);
    size_t depth = raw && is_led(c, f, 'f', "") ? 0 : c->depth;
    for (size_t i = 0; result == 0 && i < depth; i++)
        result = count(c, SCRY_FACET_FOLDERS, c->above[i], f, content);
    if (result < 0 || c->options.folders_only)
        return result;
    if (f->camera && f->camera[0])
        result = count_name(c, SCRY_FACET_CAMERAS, f->camera, f, content, raw);
    if (result == 0)   /* a RAW and the picture beside it have different ones */
        result = count_name(c, SCRY_FACET_FORMATS, f->format, f, content, false);
    for (size_t i = 0; i < f->label_count && result == 0; i++)
        result = count_name(c, SCRY_FACET_LABELS, f->labels[i], f, content, raw);
    return result;
}

/* ---- the walks ---- */

static int note_stem(scry_facet_counts *c, const scry_file *f)
{
    size_t stem;
    if (!c->options.unique || !scry_is_raw(f) || scry_pair_part_of(f->path, strlen(f->path), &stem) != SCRY_PAIR_RAW)
        return 0;
    char *key = scry_strndup(f->path, stem);
    int64_t number = scry_table_add(&c->stems, key, c->err);
    free(key);
    return number < 0 ? (int)number : 0;
}

static int see_file(void *arg, const scry_file *f)
{
    scry_facet_counts *c = arg;
    int64_t content = content_of(c, f), folder;
    c->result = content < 0 ? (int)content : note_stem(c, f);
    if (c->result == 0 && c->options.unique) {
        note_copy(&c->copies, (size_t)content);
        size_t n = folder_size(f);
        if (!c->folder || n != c->folder_bytes || memcmp(c->folder, f->path, n) != 0) {
            free(c->folder);
            c->folder = scry_strndup(f->path, n);
            c->folder_bytes = n;
            folder = add_name(c, SCRY_FACET_FOLDERS, c->folder);
            c->result = folder < 0 ? (int)folder : 0;
        }
    }
    return c->result;
}

static int note_lead(scry_facet_counts *c, const scry_file *f)
{
    size_t stem;
    if (!c->stems.count || scry_pair_part_of(f->path, strlen(f->path), &stem) != SCRY_PAIR_LEAD)
        return 0;
    char *key = scry_strndup(f->path, stem);
    bool wanted = scry_table_find(&c->stems, key) >= 0;
    free(key);
    int result = wanted ? add_lead(c, f, stem, 'f', "") : 0;
    if (wanted && result == 0 && f->camera && f->camera[0])
        result = add_lead(c, f, stem, 'c', f->camera);
    for (size_t i = 0; wanted && i < f->label_count && result == 0; i++)
        result = add_lead(c, f, stem, 'l', f->labels[i]);
    return result;
}

static int count_file(void *arg, const scry_file *f)
{
    scry_facet_counts *c = arg;
    int64_t content = content_of(c, f), s = scry_file_time(f);
    c->first_s = !c->any_time || s < c->first_s ? s : c->first_s;
    c->last_s = !c->any_time || s > c->last_s ? s : c->last_s;
    c->any_time = true;
    if (content < 0)
        return c->result = (int)content;
    if (c->stems.count && scry_is_raw(f)) {
        scry_file_list_add(&c->raws, f);
        scry_buf_append(&c->raw_contents, &content, sizeof content);
        return c->raw_contents.failed ? c->result = scry_fail(c->err, SCRY_ENOMEM, "no memory to count RAWs") : 0;
    }
    c->result = note_lead(c, f);
    return c->result < 0 ? c->result : (c->result = count_names(c, f, content, false));
}

static int count_raws(scry_facet_counts *c)
{
    const int64_t *contents = (const int64_t *)(const void *)c->raw_contents.data;
    int result = 0;
    for (size_t i = 0; i < c->raws.count && result == 0; i++)
        result = count_names(c, &c->raws.items[i], contents[i], true);
    return result;
}

static int walk(scry_facet_counts *c, scry_store *s, int (*each)(void *, const scry_file *))
{
    const scry_brief_walk how = { .wanted = SCRY_BRIEF_NAMES };
    int result = c->brief ? scry_store_each_brief(s, &how, each, c, c->err) : scry_store_each_file(s, NULL, NULL, each, c, c->err);
    free(c->folder);
    c->folder = NULL;
    return result < 0 || result == 1 ? result : c->result;
}

static int count_all(scry_facet_counts *c, scry_store *s)
{
    int result = 1;
    if (c->options.sample && (result = scry_store_samples(s) ? 0 : 1) == 0) {
        c->sampled = true;
        result = scry_store_each_sampled(s, c->options.sample, count_file, c, &c->share, c->err);
        return result < 0 ? result : c->result;
    }
    c->brief = true;
    if ((result = walk(c, s, c->options.unique ? see_file : count_file)) == 1) {
        c->brief = false;
        result = walk(c, s, c->options.unique ? see_file : count_file);
    }
    if (result == 0 && c->options.unique)
        result = walk(c, s, count_file);
    if (result == 1)   /* damage was found between the two */
        result = scry_fail(c->err, SCRY_EDAMAGED, "the collection is damaged: run scry verify");
    return result < 0 ? result : count_raws(c);
}

int scry_facet_counts_new(scry_facet_counts **out, scry_store *s, const scry_facet_options *options, scry_error *err)
{
    scry_facet_counts *c = scry_alloc(sizeof *c);
    scry_error own = SCRY_ERROR_INIT;
    *c = (scry_facet_counts){ .options = *options, .share = 1, .err = &own, .key = SCRY_BUF_INIT(1 << 20),
                              .raw_contents = SCRY_BUF_INIT((size_t)1 << 36),
                              .contents = SCRY_TABLE_OF_BYTES(SCRY_HASH_BYTES, SCRY_HASH_BYTES, MAX_NAMES),
                              .counted = SCRY_TABLE_OF_BYTES(2 * sizeof(uint64_t), 2 * sizeof(uint64_t), MAX_NAMES),
                              .stems = SCRY_TABLE_OF_TEXTS(sizeof(char *), MAX_NAMES),
                              .leads = SCRY_TABLE_OF_TEXTS(sizeof(char *), MAX_NAMES) };
    for (int i = 0; i < SCRY_FACET_KINDS; i++)
        c->names[i] = (scry_table)SCRY_TABLE_OF_TEXTS(sizeof(scry_facet), MAX_NAMES);
    int result = count_all(c, s);
    scry_table_dispose(&c->contents);
    scry_table_dispose(&c->counted);
    scry_table_dispose(&c->stems);
    scry_table_dispose(&c->leads);
    scry_file_list_dispose(&c->raws);
    scry_buf_dispose(&c->raw_contents);
    scry_buf_dispose(&c->key);
    free(c->copies.copies);
    free(c->folder);
    c->folder = NULL;
    c->err = NULL;
    if (result == 0) {
        *out = c;
        return 0;
    }
    scry_facet_counts_free(c);
    return scry_fail(err, own.code ? own.code : result, "%s", own.message[0] ? own.message : "no memory to count pictures");
}

void scry_facet_counts_free(scry_facet_counts *c)
{
    for (int i = 0; c && i < SCRY_FACET_KINDS; i++) {
        for (size_t k = 0; k < c->names[i].count; k++)
            free(((scry_facet *)scry_table_at(&c->names[i], k))->relative);
        scry_table_dispose(&c->names[i]);
    }
    free(c);
}

const scry_facet *scry_facets(const scry_facet_counts *c, scry_facet_kind kind, size_t *n)
{
    *n = c->names[kind].count;
    return *n ? scry_table_at(&c->names[kind], 0) : NULL;
}

void scry_facet_id(const scry_facet *f, uint8_t out[SCRY_ID_BYTES])
{
    if (f->relative)
        scry_file_id(f->root, f->relative, out);
    else
        memcpy(out, f->id, SCRY_ID_BYTES);
}

bool scry_facet_times(const scry_facet_counts *c, int64_t *first_s, int64_t *last_s)
{
    *first_s = c->first_s;
    *last_s = c->last_s;
    return c->any_time;
}

double scry_facet_share(const scry_facet_counts *c)
{
    return c->share;
}
