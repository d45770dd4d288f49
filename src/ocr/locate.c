/* locate.c - the sizes at which a picture is given to the detector.
 *
 *     whole       its shorter side at 736 or more, narrow ones at 4.5 million pixels or less, as in PP-OCR
 *     first look  65,536 pixels: most photographs end here. Else the part around what may be text is taken from the whole at the
 *                 size above, if it is less than half of it. Its probabilities differ a little from those in the whole, since the
 *                 network has means over all that it sees.
 */
#include "ocr/locate.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNIT = SCRY_OCR_UNIT,
    DETECTED_SIDE = 736,
    MOST_DETECTED = 4500000,
    LOOKED = 65536,
    MARGIN = 3                             /* UNITs around what the first look found */
};
static const float LOOKED_FOR = 0.05f;     /* tools/words/look.py measures what is lost */

int scry_ocr_reserve(scry_ocr_locator *l, size_t floats, scry_error *err)
{
    if (floats <= l->memory_floats)
        return 0;
    free(l->memory);
    l->memory = scry_try_alloc_aligned(floats, sizeof *l->memory);
    l->memory_floats = l->memory ? floats : 0;
    return l->memory ? 0 : scry_fail(err, SCRY_ENOMEM, "not enough memory to read words: %zu MB", floats * sizeof(float) >> 20);
}

void scry_ocr_trim(scry_ocr_locator *l, size_t most_floats)
{
    if (l->memory_floats <= most_floats)
        return;
    free(l->memory);
    l->memory = NULL;
    l->memory_floats = 0;
}

typedef struct {
    const scry_ocr_detector *detector;
    scry_ocr_detection job;
} detecting;

static void run_detection(scry_nn *n, void *arg)
{
    detecting *d = arg;
    scry_ocr_detect(n, d->detector, &d->job);
}

/* The size at which text is looked for. */
static void detected_size(const scry_ocr_image *image, size_t *height, size_t *width)
{
    double h = (double)image->height, w = (double)image->width, shorter = fmin(h, w), ratio = fmax(1, DETECTED_SIDE / shorter);
    ratio = fmin(ratio, sqrt(MOST_DETECTED / (h * w)));
    *height = scry_ocr_to_unit(h * ratio);
    *width = scry_ocr_to_unit(w * ratio);
}

/* A part of the picture at the size at which text is looked for; all four are multiples of UNIT. */
typedef struct {
    size_t x, y, width, height;
} area;

/* Leave that part of an image. */
static void cut(scry_ocr_image *image, const area *a)
{
    for (size_t y = 0; y < a->height; y++)
        memmove(image->rgb + y * a->width * 3, image->rgb + ((a->y + y) * image->width + a->x) * 3, a->width * 3);
    image->height = a->height;
    image->width = a->width;
}

/* From the probabilities of that part, [height, width], to those of the map around it, in the same memory: 0 there. */
static void widen(float *p, const scry_ocr_box_source *map, const area *a)
{
    for (size_t y = map->height; y-- > 0;) {
        float *row = p + y * map->width;
        const bool inside = y >= a->y && y < a->y + a->height;
        if (inside)
            memmove(row + a->x, p + (y - a->y) * a->width, a->width * sizeof *row);
        memset(row, 0, (inside ? a->x : map->width) * sizeof *row);
        if (inside)
            memset(row + a->x + a->width, 0, (map->width - a->x - a->width) * sizeof *row);
    }
}

/* How likely each place is text, in that part of the map, whose size the caller set. Valid until memory is reserved again. */
static int find_text(scry_ocr_locator *l, const scry_ocr_image *image, scry_ocr_box_source *map, const area *part, scry_error *err)
{
    scry_ocr_image seen;
    const size_t threads = (size_t)scry_team_threads(l->team);
    int rc = scry_ocr_new_image(&seen, map->height, map->width, err);
    if (rc == 0)
        rc = scry_ocr_resize(image, &seen, err);
    size_t floats = scry_ocr_detect_floats(l->detector, part->height, part->width, threads);
    if (rc == 0)
        rc = scry_ocr_reserve(l, floats + map->height * map->width, err);
    if (rc == 0) {
        cut(&seen, part);
        float *probability = l->memory + floats;
        detecting d = { l->detector, { { seen.rgb, seen.height, seen.width, seen.width }, l->memory, NULL, probability } };
        scry_team_run(l->team, run_detection, &d);
        widen(probability, map, part);
        map->probability = probability;
    }
    free(seen.rgb);
    return rc;
}

/* The range of UNITs of `size` pixels around [first, last] of `looked`, with a margin; all of them where these are most. */
static void grow(size_t first, size_t last, size_t looked, size_t size, size_t *from, size_t *length)
{
    size_t begin = first * size / looked / UNIT, end = (last + 1) * size / looked / UNIT + 1, units = size / UNIT;
    begin = begin > MARGIN ? begin - MARGIN : 0;
    end = end + MARGIN < units ? end + MARGIN : units;
    *from = begin * UNIT;
    *length = (end - begin) * UNIT;
}

/* The part of a map of that size that may have text, from a copy of LOOKED pixels; its height is 0 if there is none. That
 * takes 10 ms where the whole takes 100 to 500. */
static int look(scry_ocr_locator *l, const scry_ocr_image *image, const scry_ocr_box_source *map, area *part, scry_error *err)
{
    const double h = (double)image->height, w = (double)image->width, ratio = sqrt(LOOKED / (h * w));
    scry_ocr_box_source small = { .height = scry_ocr_to_unit(h * ratio), .width = scry_ocr_to_unit(w * ratio) };
    size_t left = small.width, right = 0, top = small.height, bottom = 0;
    int rc = find_text(l, image, &small, &(area){ 0, 0, small.width, small.height }, err);
    for (size_t i = 0; rc == 0 && i < small.height * small.width; i++)
        if (small.probability[i] > LOOKED_FOR) {
            size_t x = i % small.width, y = i / small.width;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y;
        }
    *part = (area){ 0 };
    if (rc == 0 && top < small.height) {
        grow(left, right, small.width, map->width, &part->x, &part->width);
        grow(top, bottom, small.height, map->height, &part->y, &part->height);
    }
    return rc;
}

/* Whether there is text at an edge of the part, within the map: it may go on outside. */
static bool is_cut(const scry_ocr_box_source *map, const area *a)
{
    const size_t right = a->x + a->width, bottom = a->y + a->height;
    const size_t from_x = a->x ? a->x + UNIT : 0, to_x = right < map->width ? right - UNIT : right;
    const size_t from_y = a->y ? a->y + UNIT : 0, to_y = bottom < map->height ? bottom - UNIT : bottom;
    for (size_t y = a->y; y < bottom; y++)
        for (size_t x = a->x; x < right; x++)
            if ((x < from_x || x >= to_x || y < from_y || y >= to_y)
                && map->probability[y * map->width + x] > SCRY_OCR_BOX_THRESHOLD)
                return true;
    return false;
}

int scry_ocr_locate(scry_ocr_locator *l, const scry_ocr_image *image, scry_ocr_box *boxes, size_t *count, scry_error *err)
{
    scry_ocr_box_source map = { .to_height = image->height, .to_width = image->width };
    detected_size(image, &map.height, &map.width);
    const area whole = { 0, 0, map.width, map.height };
    area part = whole;
    int rc = l->looks_first ? look(l, image, &map, &part, err) : 0;
    if (rc < 0 || part.height == 0)
        return rc;
    if (2 * part.width * part.height > map.width * map.height)
        part = whole;
    rc = find_text(l, image, &map, &part, err);
    if (rc == 0 && is_cut(&map, &part))
        rc = find_text(l, image, &map, &whole, err);
    return rc < 0 ? rc : scry_ocr_find_boxes(&map, boxes, count, err);
}
