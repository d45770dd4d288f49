#include "decoder/raw_previews.h"

#include "base/byte_order.h"
#include "decoder/jpeg_size.h"
#include "metadata/boxes.h"
#include "metadata/tiff.h"

#include <stdlib.h>
#include <string.h>

typedef struct list {
    scry_bytes file;
    scry_preview *previews;    /* [SCRY_MAX_PREVIEWS] */
    size_t count;
    int directories;           /* that may still be read: they can name each other */
} list;

/* `n` bytes of the file, when they are a JPEG. */
static void add(list *l, uint64_t at, uint64_t n)
{
    scry_preview p = { .jpeg = { l->file.p, 0 } };
    if (at > l->file.n || n > l->file.n - at || l->count == SCRY_MAX_PREVIEWS)
        return;
    p.jpeg = (scry_bytes){ l->file.p + at, (size_t)n };
    if (scry_jpeg_size(p.jpeg.p, p.jpeg.n, &p.w, &p.h))
        l->previews[l->count++] = p;
}

/* ---- TIFF ------------------------------------------------------------------------ */

static void add_directories(list *l, const scry_tiff *t, uint64_t at);

static void add_directory(list *l, const scry_tiff *t, uint64_t at)
{
    enum { JPEG, JPEG_BYTES, STRIP, STRIP_BYTES, KIND, BELOW, PANASONIC, COUNT, CFA = 32803 };
    static const uint16_t tags[COUNT] = { 0x201, 0x202, 0x111, 0x117, 0x106, 0x14a, 0x2e };
    scry_tiff_value v[COUNT] = { 0 };
    scry_tiff_read(t, at, tags, COUNT, v);
    uint64_t numbers[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        numbers[i] = (uint64_t)scry_tiff_number(t, &v[i], 0);
    add(l, numbers[JPEG], numbers[JPEG_BYTES]);
    if (v[STRIP].count == 1 && numbers[KIND] < CFA)
        add(l, numbers[STRIP], numbers[STRIP_BYTES]);
    if (v[PANASONIC].type)
        add(l, (uint64_t)(v[PANASONIC].p - l->file.p), scry_tiff_bytes(&v[PANASONIC]).n);
    for (size_t i = 0; i < v[BELOW].count && l->directories > 0; i++)
        add_directories(l, t, (uint64_t)scry_tiff_number(t, &v[BELOW], i));
}

static void add_directories(list *l, const scry_tiff *t, uint64_t at)
{
    for (; at && l->directories-- > 0; at = scry_tiff_next(t, at))
        add_directory(l, t, at);
}

/* ---- CR3 ------------------------------------------------------------------------- */

/* A box that holds a JPEG behind a few numbers. */
static void add_from_box(list *l, scry_bytes box)
{
    enum { HEAD = 24 };
    const uint8_t *at = memmem(box.p, box.n < HEAD ? box.n : HEAD, "\xff\xd8\xff", 3);
    if (at)
        add(l, (uint64_t)(at - l->file.p), box.n - (size_t)(at - box.p));
}

/* The first sample of a track. */
static void add_from_track(list *l, scry_bytes s)
{
    static const char *const path[] = { "mdia", "minf", "stbl" };
    scry_bytes sizes, offsets;
    for (size_t i = 0; i < sizeof path / sizeof *path; i++)
        if (!scry_box_find(s, path[i], &s))
            return;
    if (!scry_box_find(s, "stsz", &sizes) || !scry_box_find(s, "co64", &offsets))
        return;
    scry_box_take(&sizes, 4);
    scry_box_take(&offsets, 8);   /* and how many */
    uint64_t size = scry_box_take(&sizes, 4);
    scry_box_take(&sizes, 4);
    if (size == 0)                /* not the same for all */
        size = scry_box_take(&sizes, 4);
    add(l, scry_box_take(&offsets, 8), size);
}

static void add_boxes(list *l)
{
    enum { ID = 16, COUNT = 8 };
    static const char previews[] = "\xea\xf4\x2b\x5e\x1c\x98\x4b\x88\xb9\xfb\xb7\xdc\x40\x6e\x4d\x16";
    char type[4];
    scry_bytes all = l->file, box, inner, found;
    while (scry_box_next(&all, type, &box)) {
        if (memcmp(type, "uuid", 4) == 0 && box.n > ID + COUNT && memcmp(box.p, previews, ID) == 0) {
            scry_bytes content = { box.p + ID + COUNT, box.n - ID - COUNT };
            if (scry_box_find(content, "PRVW", &found))
                add_from_box(l, found);
        }
        while (memcmp(type, "moov", 4) == 0 && scry_box_next(&box, type, &inner)) {
            if (memcmp(type, "trak", 4) == 0)
                add_from_track(l, inner);
            else if (memcmp(type, "uuid", 4) == 0 && inner.n > ID
                     && scry_box_find((scry_bytes){ inner.p + ID, inner.n - ID }, "THMB", &found))
                add_from_box(l, found);
            memcpy(type, "moov", 4);
        }
    }
}

static int by_size(const void *a, const void *b)
{
    const scry_preview *x = a, *y = b;
    int64_t m = (int64_t)x->w * x->h, n = (int64_t)y->w * y->h;
    return (m > n) - (m < n);
}

size_t scry_raw_previews(scry_bytes file, scry_preview out[SCRY_MAX_PREVIEWS])
{
    enum { RAF_JPEG = 84, MAX_DIRECTORIES = 64 };
    list l = { .file = file, .previews = out, .directories = MAX_DIRECTORIES };
    scry_tiff t;
    if (file.n >= RAF_JPEG + 8 && memcmp(file.p, "FUJIFILMCCD-RAW ", 16) == 0)
        add(&l, scry_read_big_endian(file.p + RAF_JPEG, 4), scry_read_big_endian(file.p + RAF_JPEG + 4, 4));
    else if (file.n >= 8 && memcmp(file.p + 4, "ftyp", 4) == 0)
        add_boxes(&l);
    else if (scry_tiff_open(&t, file))
        add_directories(&l, &t, scry_tiff_first(&t));
    qsort(out, l.count, sizeof *out, by_size);
    return l.count;
}
