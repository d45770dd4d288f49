#include "store/local/file_order.h"

#include <string.h>

static uint64_t rows_of(const scry_file_order *o)
{
    return o->p->f->columns ? o->p->f->columns->rows : 0;
}

/* The fresh file at a place of fresh_order, as scry_passing_has takes it. */
static uint64_t fresh_at(const scry_file_order *o, size_t place)
{
    return rows_of(o) + (uint64_t)(o->p->f->fresh_order[place] - o->p->f->fresh.files.items);
}

const char *scry_file_order_name(const scry_file_order *o, uint64_t at, size_t *size)
{
    uint64_t rows = rows_of(o);
    if (at < rows)
        return scry_columns_name(o->p->f->columns, at, size);
    const char *name = o->p->f->fresh.files.items[at - rows].relative;
    *size = strlen(name);
    return name;
}

static int compare_names(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static void open_root(scry_file_order *o)
{
    o->row = o->end = 0;
    if (o->root < o->roots->count && o->p->f->columns)
        (void)scry_columns_root(o->p->f->columns, o->roots->items[o->root].number, &o->row, &o->end);
}

static bool fresh_is_here(const scry_file_order *o)
{
    return o->fresh < o->p->f->fresh.files.count &&
           memcmp(o->p->f->fresh_order[o->fresh]->root, o->roots->items[o->root].id, SCRY_ID_BYTES) == 0;
}

void scry_file_order_start(scry_file_order *o, const scry_passing_files *p, const scry_root_list *roots, const uint8_t *root,
                           const char *relative)
{
    *o = (scry_file_order){ .p = p, .roots = roots };
    while (root && o->root < roots->count && memcmp(roots->items[o->root].id, root, SCRY_ID_BYTES) < 0)
        o->root++;
    open_root(o);
    if (!root)
        return;
    const scry_filter_state *f = p->f;
    while (o->fresh < f->fresh.files.count) {
        int order = memcmp(f->fresh_order[o->fresh]->root, root, SCRY_ID_BYTES);
        if (order > 0 || (order == 0 && strcmp(f->fresh_order[o->fresh]->relative, relative) > 0))
            break;
        o->fresh++;
    }
    size_t n = strlen(relative);
    if (o->row < o->end && memcmp(roots->items[o->root].id, root, SCRY_ID_BYTES) == 0) {
        o->row = scry_columns_find(f->columns, o->row, o->end, relative, n);
        o->row += o->row < o->end && scry_columns_has_name(f->columns, o->row, relative, n);
    }
}

/* Over files that do not pass. */
static void skip(scry_file_order *o)
{
    const uint64_t *rows = o->p->rows, *valid = o->p->f->valid;
    while (o->row < o->end) {
        uint64_t left = (rows[o->row / 64] & valid[o->row / 64]) >> (o->row % 64);
        if (left) {
            o->row += (uint64_t)__builtin_ctzll(left);
            break;
        }
        o->row = (o->row / 64 + 1) * 64;
    }
    while (fresh_is_here(o) && !scry_passing_has(o->p, fresh_at(o, o->fresh)))
        o->fresh++;
}

/* Whether the row comes before the fresh file. */
static bool row_is_first(const scry_file_order *o)
{
    size_t n, m;
    const char *row = scry_columns_name(o->p->f->columns, o->row, &n), *fresh = scry_file_order_name(o, fresh_at(o, o->fresh), &m);
    return compare_names(row, n, fresh, m) < 0;
}

bool scry_file_order_next(scry_file_order *o, uint64_t *at)
{
    for (; o->root < o->roots->count; o->root++, open_root(o)) {
        skip(o);
        bool row = o->row < o->end, fresh = fresh_is_here(o);
        if (!row && !fresh)
            continue;
        if (row && (!fresh || row_is_first(o)))
            *at = o->row++;
        else
            *at = fresh_at(o, o->fresh++);
        return true;
    }
    return false;
}
