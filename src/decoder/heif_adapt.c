#include "decoder/heif_adapt.h"

#include "base/alloc.h"
#include "base/byte_order.h"
#include "metadata/boxes.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ITEMS = 4096, MAX_LEVELS = 8 };

typedef struct item {
    uint32_t id;
    char type[4];
    const uint8_t *box;     /* its infe, from the size on */
    bool is_needed;
} item;

typedef struct adapter {
    uint8_t *copy;
    scry_bytes meta, iref;
    uint32_t primary;
    size_t id_bytes;        /* of a number of an item in iref */
    item *items;            /* [count] */
    size_t count;
    bool changed;
} adapter;

/* One entry of iref: an item refers to `count` items, whose numbers are at the front of `to`. */
typedef struct reference {
    char type[4];
    uint32_t from, count;
    scry_bytes to;
    const uint8_t *name;    /* its type in the file */
} reference;

/* The copy is this file's own memory: what was found in it can be written. */
static uint8_t *writable(const adapter *a, const uint8_t *at)
{
    return a->copy + (at - a->copy);
}

/* ---- items ---------------------------------------------------------------------- */

static item *find_item(const adapter *a, uint32_t id)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].id == id)
            return &a->items[i];
    return NULL;
}

static bool read_items(adapter *a)
{
    scry_bytes iinf, infe;
    char type[4];
    if (!scry_box_find(a->meta, "iinf", &iinf))
        return false;
    scry_box_take32(&iinf, scry_box_take_version(&iinf, NULL) < 1 ? 2 : 4);
    for (const uint8_t *box = iinf.p; scry_box_next(&iinf, type, &infe); box = iinf.p) {
        if (memcmp(type, "infe", 4) != 0)
            continue;
        uint32_t version = scry_box_take_version(&infe, NULL);
        if (a->count == MAX_ITEMS || version < 2)
            return false;
        item *new = &a->items[a->count++];
        *new = (item){ .id = scry_box_take32(&infe, version < 3 ? 2 : 4), .box = box };
        scry_box_take32(&infe, 2);
        scry_write_big_endian(new->type, 4, scry_box_take32(&infe, 4));
    }
    return find_item(a, a->primary) != NULL;
}

static bool next_reference(const adapter *a, scry_bytes *refs, reference *r)
{
    if (!scry_box_next(refs, r->type, &r->to))
        return false;
    r->name = r->to.p - 4;
    r->from = scry_box_take32(&r->to, a->id_bytes);
    r->count = scry_box_take32(&r->to, 2);
    return r->to.n / a->id_bytes >= r->count;
}

/* Mark the items that needed ones are made of; false when there were none. */
static bool mark_parts(adapter *a)
{
    bool any = false;
    scry_bytes refs = a->iref;
    for (reference r; next_reference(a, &refs, &r);) {
        const item *from = find_item(a, r.from);
        if (!from || !from->is_needed || memcmp(r.type, "dimg", 4) != 0)
            continue;
        for (uint32_t i = 0; i < r.count; i++) {
            item *part = find_item(a, scry_box_take32(&r.to, a->id_bytes));
            any |= part && !part->is_needed;
            if (part)
                part->is_needed = true;
        }
    }
    return any;
}

static void mark_needed(adapter *a)
{
    find_item(a, a->primary)->is_needed = true;
    for (int level = 0; level < MAX_LEVELS && mark_parts(a); level++)
        ;
}

static void hide_other_items(adapter *a)
{
    for (size_t i = 0; i < a->count; i++)
        if (!a->items[i].is_needed) {
            memcpy(writable(a, a->items[i].box) + 4, "free", 4);
            a->changed = true;
        }
}

/* libheif refuses a file in which the primary picture is the thumbnail of an item that is hidden: what needed items are of others
 * is not said either. */
static void hide_relations(adapter *a)
{
    scry_bytes refs = a->iref;
    for (reference r; next_reference(a, &refs, &r);) {
        const item *from = find_item(a, r.from);
        if (from && from->is_needed && memcmp(r.type, "thmb", 4) == 0) {
            memcpy(writable(a, r.name), "free", 4);
            a->changed = true;
        }
    }
}

/* ---- properties ----------------------------------------------------------------- */

static bool is_transformation(scry_bytes ipco, uint32_t index)
{
    char type[4] = "";
    scry_bytes content;
    for (uint32_t i = 0; i < index; i++)
        if (!scry_box_next(&ipco, type, &content))
            return false;
    return memcmp(type, "irot", 4) == 0 || memcmp(type, "imir", 4) == 0 || memcmp(type, "clap", 4) == 0;
}

/* The associations of one item: `count` numbers of properties of `bytes` bytes each, in the copy. */
typedef struct associations {
    uint8_t *at;
    uint32_t count;
    size_t bytes;
} associations;

static bool is_turning(const associations *l, uint32_t i, scry_bytes ipco)
{
    uint32_t index = (uint32_t)scry_read_big_endian(l->at + i * l->bytes, l->bytes) & (l->bytes == 2 ? 0x7fff : 0x7f);
    return is_transformation(ipco, index);
}

/* Number 0 stands for no property. */
static void drop_transformations(adapter *a, const associations *l, scry_bytes ipco)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (is_turning(l, i, ipco)) {
            memset(l->at + i * l->bytes, 0, l->bytes);
            a->changed = true;
        }
}

/* In their order behind all others, as the standard asks: libheif takes the size from an `ispe` behind them as that of the picture
 * when it is turned already. */
static void put_transformations_last(adapter *a, const associations *l, scry_bytes ipco)
{
    enum { MOST = 255 * 2 };
    uint8_t sorted[MOST];
    size_t n = 0;
    for (int last = 0; last < 2; last++)
        for (uint32_t i = 0; i < l->count; i++)
            if (is_turning(l, i, ipco) == (last == 1)) {
                memcpy(sorted + n, l->at + i * l->bytes, l->bytes);
                n += l->bytes;
            }
    if (n && memcmp(l->at, sorted, n) != 0) {
        memcpy(l->at, sorted, n);
        a->changed = true;
    }
}

/* `as_stored`: the parts of the primary item are not transformed themselves. */
static void adapt_associations(adapter *a, scry_bytes ipma, scry_bytes ipco, bool as_stored)
{
    uint32_t flags;
    uint32_t version = scry_box_take_version(&ipma, &flags);
    associations l = { .bytes = flags & 1 ? 2 : 1 };
    for (uint32_t entries = scry_box_take32(&ipma, 4); entries > 0 && ipma.n > 0; entries--) {
        uint32_t id = scry_box_take32(&ipma, version < 1 ? 2 : 4);
        const item *of = find_item(a, id);
        l.count = scry_box_take32(&ipma, 1);
        if (ipma.n < l.count * l.bytes)
            return;
        l.at = writable(a, ipma.p);
        if (as_stored && of && of->is_needed && id != a->primary)
            drop_transformations(a, &l, ipco);
        put_transformations_last(a, &l, ipco);
        ipma.p += l.count * l.bytes;
        ipma.n -= l.count * l.bytes;
    }
}

static void adapt_properties(adapter *a, bool as_stored)
{
    scry_bytes iprp, ipco, ipma;
    char type[4];
    if (!scry_box_find(a->meta, "iprp", &iprp) || !scry_box_find(iprp, "ipco", &ipco))
        return;
    while (scry_box_next(&iprp, type, &ipma))
        if (memcmp(type, "ipma", 4) == 0)
            adapt_associations(a, ipma, ipco, as_stored);
}

/* ---- brands --------------------------------------------------------------------- */

/* libheif reads a file that names one of four brands as compatible; one that names others is given the general one. */
static void name_general_brand(adapter *a, scry_bytes file)
{
    static const char known[][5] = { "heic", "heix", "mif1", "avif" };
    enum { BEFORE = 8 };   /* the major brand and its version */
    scry_bytes ftyp;
    if (!scry_box_find(file, "ftyp", &ftyp) || ftyp.n < BEFORE + 4)
        return;
    for (size_t at = BEFORE; at + 4 <= ftyp.n; at += 4)
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (memcmp(ftyp.p + at, known[i], 4) == 0)
                return;
    memcpy(writable(a, ftyp.p + BEFORE), "mif1", 4);
    a->changed = true;
}

/* ---- the file ------------------------------------------------------------------- */

/* The size without what begins at a second ftyp. */
static size_t own_size(const uint8_t *bytes, size_t n)
{
    scry_bytes rest = { bytes, n }, content;
    char type[4];
    size_t at = 0;
    while (scry_box_next(&rest, type, &content)) {
        if (at > 0 && memcmp(type, "ftyp", 4) == 0)
            return at;
        at = n - rest.n;
    }
    return n;
}

/* The items of the file, with the needed ones marked; false when there is no primary item. */
static bool read_structure(adapter *a, scry_bytes file)
{
    if (!scry_box_find_meta(file, &a->meta, &a->primary) || !read_items(a))
        return false;
    if (scry_box_find(a->meta, "iref", &a->iref))
        a->id_bytes = scry_box_take_version(&a->iref, NULL) < 1 ? 2 : 4;
    mark_needed(a);
    return true;
}

/* ---- where the bytes of items are ------------------------------------------------- */

/* Removes the extents of one item; true when one ends behind the file. A length of 0 is the rest of the file. */
static bool extents_end_behind(scry_bytes *iloc, const size_t widths[4], uint64_t file_bytes)
{
    uint64_t base = scry_box_take(iloc, widths[2]);
    bool behind = false;
    for (uint32_t count = scry_box_take32(iloc, 2); count > 0 && iloc->n > 0; count--) {
        scry_box_take(iloc, widths[3]);
        uint64_t at = scry_box_take(iloc, widths[0]), length = scry_box_take(iloc, widths[1]);
        behind |= base > file_bytes || at > file_bytes - base || length > file_bytes - base - at;
    }
    return behind;
}

static bool is_cut(const adapter *a, uint64_t file_bytes)
{
    scry_bytes s;
    if (!scry_box_find(a->meta, "iloc", &s))
        return false;
    uint32_t version = scry_box_take_version(&s, NULL), sizes = scry_box_take32(&s, 2);
    size_t number = version < 2 ? 2 : 4;
    size_t widths[4] = { sizes >> 12 & 15, sizes >> 8 & 15, sizes >> 4 & 15, version ? sizes & 15 : 0 };
    for (size_t i = 0; i < 4; i++)
        if (widths[i] > 8)
            return false;
    for (uint32_t count = scry_box_take32(&s, number); count > 0 && s.n > 0; count--) {
        const item *of = find_item(a, scry_box_take32(&s, number));
        bool in_file = (version ? scry_box_take32(&s, 2) & 15 : 0) == 0;
        scry_box_take32(&s, 2);
        if (extents_end_behind(&s, widths, file_bytes) && in_file && of && of->is_needed)
            return true;
    }
    return false;
}

bool scry_heif_is_cut(const uint8_t *bytes, size_t n)
{
    adapter a = { .id_bytes = 2, .items = scry_try_alloc(MAX_ITEMS, sizeof *a.items) };
    bool cut = a.items && read_structure(&a, (scry_bytes){ bytes, n }) && is_cut(&a, n);
    free(a.items);
    return cut;
}

/* A last box that says 0, as far as the file goes: libheif wants its size. */
static void name_last_size(adapter *a, size_t n)
{
    scry_bytes rest = { a->copy, n }, content;
    char type[4];
    for (const uint8_t *box = rest.p; scry_box_next(&rest, type, &content); box = rest.p)
        if (scry_read_big_endian(box, 4) == 0 && (size_t)(a->copy + n - box) <= UINT32_MAX) {
            scry_write_big_endian(writable(a, box), 4, (uint64_t)(a->copy + n - box));
            a->changed = true;
        }
}

static void adapt_copy(adapter *a, size_t n, bool avif)
{
    name_last_size(a, n);
    name_general_brand(a, (scry_bytes){ a->copy, n });
    if (!read_structure(a, (scry_bytes){ a->copy, n }))
        return;
    adapt_properties(a, avif);
    hide_relations(a);
    hide_other_items(a);
}

void scry_heif_adapt(scry_heif_file *out, const uint8_t *bytes, size_t n, bool avif)
{
    adapter a = { .id_bytes = 2 };
    size_t size = own_size(bytes, n);
    *out = (scry_heif_file){ bytes, size, NULL };
    a.copy = scry_try_alloc(size, 1);
    a.items = scry_try_alloc(MAX_ITEMS, sizeof *a.items);
    if (a.copy && a.items) {
        memcpy(a.copy, bytes, size);
        adapt_copy(&a, size, avif);
    }
    free(a.items);
    if (a.changed)
        *out = (scry_heif_file){ a.copy, size, a.copy };
    else
        free(a.copy);
}

void scry_heif_dispose(scry_heif_file *file)
{
    free(file->copy);
    *file = (scry_heif_file){ 0 };
}

/* ---- what libheif needs ---------------------------------------------------------- */

typedef struct coding {
    char type[5], version[5];    /* of the items; of libheif that first reads them */
    int decoder;                 /* heif_compression_format, where it is a package of its own in newer versions */
    const char *name, *package;
} coding;

/* In the order of versions. */
static const coding codings[] = {
    { "hvc1", "", 1, "HEVC", "libheif-plugin-libde265" },
    { "av01", "", 4, "AV1", "libheif-plugin-dav1d" },
    { "unci", "1.16", 0, NULL, NULL },
    { "j2k1", "1.17", 7, "JPEG 2000", "libheif-plugin-j2kdec" },
    { "jpeg", "1.17", 3, "JPEG", "libheif-plugin-jpegdec" },
    { "vvc1", "1.18", 0, NULL, NULL },   /* a plugin too, which is no package */
    { "avc1", "1.19", 2, "AVC", "libheif-plugin-ffmpegdec" },
    { "tili", "1.19", 0, NULL, NULL },
    { "iden", "1.19", 0, NULL, NULL },
};

static const coding *coding_of(const item *of)
{
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++)
        if (memcmp(of->type, codings[i].type, 4) == 0)
            return &codings[i];
    return NULL;
}

void scry_heif_needs(scry_heif_parts *out, const uint8_t *bytes, size_t n, bool (*has_decoder)(int format))
{
    adapter a = { .id_bytes = 2, .items = scry_try_alloc(MAX_ITEMS, sizeof *a.items) };
    scry_bytes file = { bytes, n }, box;
    const coding *last = NULL;
    *out = (scry_heif_parts){ 0 };
    if (!a.items || !read_structure(&a, file))   /* a sequence of pictures, and none of its own */
        out->version = !scry_box_find(file, "meta", &box) && scry_box_find(file, "moov", &box) ? "1.20" : NULL;
    for (size_t i = 0; i < a.count; i++) {
        const coding *c = a.items[i].is_needed ? coding_of(&a.items[i]) : NULL;
        if (c && (!last || c > last))
            last = c;
        if (c && c->decoder && !has_decoder(c->decoder)) {
            out->coding = c->name;
            out->package = c->package;
        }
    }
    if (last && last->version[0])
        out->version = last->version;
    free(a.items);
}
