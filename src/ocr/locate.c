/* locate.c - the sizes at which a picture is given to the detector.
 *
 *     whole       its shorter side at 736 or more, narrow ones at 4.5 million pixels or less, as in PP-OCR
 *     first look  65,536 pixels: most photographs without text end here, or nearly. Else the parts around what may be text are
 *                 taken from the whole at the size above, each by itself, if they are less than half of it. Probabilities in a
 *                 part differ a little from those in the whole, since the network has means over all that it sees.
 *     half        where a part has large letters, the whole picture once more at half the size: at the size above they are
 *                 strokes to the network, and a part divides them
 */
#include "ocr/locate.h"

#include "base/alloc.h"
#include "ocr/look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNIT = SCRY_OCR_UNIT,
    DETECTED_SIDE = 736,
    MOST_DETECTED = 4500000,
    LOOKED = 65536,
    MOST_GROWTH = 2,                       /* how often parts grow before all is taken */
    LARGE = 96                             /* pixels of the map, of the height of a line */
};
static const float LOOKED_FOR = -2.25f;     /* log-odds; tools/words/look.py measures what is lost */

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

/* The detector's answer for a part of the picture at the map's size: a suspicion for each cell, or a probability for each
 * pixel; valid until more memory is reserved. NULL: an error. */
static const float *detect(scry_ocr_locator *l, const scry_ocr_image *image, const scry_ocr_box_source *map,
                           const scry_ocr_area *part, bool look, scry_error *err)
{
    const float *out = NULL;
    scry_ocr_image seen;
    const size_t pixels = part->height * part->width;
    const size_t floats = scry_ocr_detect_floats(l->detector, part->height, part->width, (size_t)scry_team_threads(l->team));
    int rc = scry_ocr_new_image(&seen, part->height, part->width, err);
    if (rc == 0)
        rc = scry_ocr_resize_part(image, map->height, map->width, part, seen.rgb, err);
    if (rc == 0)
        rc = scry_ocr_reserve(l, floats + (look ? pixels / (SCRY_OCR_CELL * SCRY_OCR_CELL) : pixels), err);
    if (rc == 0) {
        float *answer = l->memory + floats;
        detecting d = { look ? l->looker : l->detector, { { seen.rgb, seen.height, seen.width, seen.width }, l->memory, NULL,
                                       look ? NULL : answer, look ? answer : NULL } };
        scry_team_run(l->team, run_detection, &d);
        out = answer;
    }
    free(seen.rgb);
    return out;
}

/* The probabilities of the areas that are not done, into `probability`, [height, width] of the map. */
static int find_text(scry_ocr_locator *l, const scry_ocr_image *image, const scry_ocr_box_source *map, scry_ocr_areas *areas,
                     float *probability, scry_error *err)
{
    for (size_t i = 0; i < areas->count; i++) {
        const scry_ocr_area *a = &areas->area[i];
        if (areas->done[i])
            continue;
        const float *found = detect(l, image, map, a, false, err);
        if (!found)
            return SCRY_ENOMEM;
        for (size_t y = 0; y < a->height; y++)
            memcpy(probability + (a->y + y) * map->width + a->x, found + y * a->width, a->width * sizeof *found);
        areas->done[i] = true;
    }
    return 0;
}

/* The parts of the map that may have text, from a copy of LOOKED pixels. That takes 9 ms where the whole takes 100 to 500. */
static int look(scry_ocr_locator *l, const scry_ocr_image *image, scry_ocr_areas *areas, scry_error *err)
{
    const double h = (double)image->height, w = (double)image->width, ratio = sqrt(LOOKED / (h * w));
    const scry_ocr_box_source small = { .height = scry_ocr_to_unit(h * ratio), .width = scry_ocr_to_unit(w * ratio) };
    const float *cells = detect(l, image, &small, &(scry_ocr_area){ 0, 0, small.width, small.height }, true, err);
    if (!cells)
        return SCRY_ENOMEM;
    return scry_ocr_suspect(cells, small.height / SCRY_OCR_CELL, small.width / SCRY_OCR_CELL, LOOKED_FOR, areas, err);
}

/* ---- large letters ---- */

static bool is_large(const scry_ocr_box *b, double scale)
{
    return scale * fmin(hypot(b->x[1] - b->x[0], b->y[1] - b->y[0]), hypot(b->x[3] - b->x[0], b->y[3] - b->y[0])) >= LARGE;
}

static bool has_large(const scry_ocr_box *boxes, size_t count, double scale)
{
    for (size_t i = 0; i < count; i++)
        if (is_large(&boxes[i], scale))
            return true;
    return false;
}

typedef struct {
    float low, high;
} span;

static span span_of(const float v[4])
{
    return (span){ fminf(fminf(v[0], v[1]), fminf(v[2], v[3])), fmaxf(fmaxf(v[0], v[1]), fmaxf(v[2], v[3])) };
}

static double common(span a, span b)
{
    return fmax(0, fmin((double)a.high, (double)b.high) - fmax((double)a.low, (double)b.low));
}

/* Whether more than half of a box, or of what is around it, is around the other one. */
static bool covers(const scry_ocr_box *large, const scry_ocr_box *b)
{
    span x = span_of(b->x), y = span_of(b->y);
    return common(span_of(large->x), x) * common(span_of(large->y), y) > 0.5 * (double)(x.high - x.low) * (double)(y.high - y.low);
}

/* The large ones of `half` come in place of what they cover. */
static void put_large(scry_ocr_box *boxes, size_t *count, const scry_ocr_box *half, size_t halves, double scale)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        bool covered = false;
        for (size_t k = 0; k < halves && !covered; k++)
            covered = is_large(&half[k], scale) && covers(&half[k], &boxes[i]);
        if (!covered)
            boxes[kept++] = boxes[i];
    }
    for (size_t k = 0; k < halves && kept < SCRY_OCR_MAX_BOXES; k++)
        if (is_large(&half[k], scale))
            boxes[kept++] = half[k];
    *count = kept;
}

/* A quarter of the time of the whole. */
static int find_large(scry_ocr_locator *l, const scry_ocr_image *image, const scry_ocr_box_source *map, scry_ocr_box *boxes,
                      size_t *count, scry_error *err)
{
    scry_ocr_box_source half = { .height = scry_ocr_to_unit((double)map->height / 2),
                                 .width = scry_ocr_to_unit((double)map->width / 2),
                                 .to_height = map->to_height, .to_width = map->to_width };
    scry_ocr_box *found = scry_alloc(SCRY_OCR_MAX_BOXES * sizeof *found);
    size_t n = 0;
    half.probability = detect(l, image, &half, &(scry_ocr_area){ 0, 0, half.width, half.height }, false, err);
    int rc = half.probability ? scry_ocr_find_boxes(&half, found, &n, err) : SCRY_ENOMEM;
    if (rc == 0)
        put_large(boxes, count, found, n, (double)map->height / (double)map->to_height);
    free(found);
    return rc;
}

int scry_ocr_locate(scry_ocr_locator *l, const scry_ocr_image *image, scry_ocr_box *boxes, size_t *count, scry_error *err)
{
    scry_ocr_box_source map = { .to_height = image->height, .to_width = image->width };
    detected_size(image, &map.height, &map.width);
    const scry_ocr_areas whole = { map.height, map.width, .area = { { 0, 0, map.width, map.height } }, .count = 1 };
    scry_ocr_areas areas = whole;
    const double scale = (double)map.height / (double)map.to_height;
    int rc = l->looks_first ? look(l, image, &areas, err) : 0;
    if (rc < 0 || areas.count == 0)
        return rc;
    float *probability = scry_try_alloc(map.height * map.width, sizeof *probability);
    if (!probability)
        return scry_fail(err, SCRY_ENOMEM, "not enough memory for a map of %zu x %zu", map.width, map.height);
    memset(probability, 0, map.height * map.width * sizeof *probability);
    rc = find_text(l, image, &map, &areas, probability, err);
    for (int i = 0; rc == 0 && scry_ocr_extend(&areas, probability); i++) {
        if (i == MOST_GROWTH)
            areas = whole;
        rc = find_text(l, image, &map, &areas, probability, err);
    }
    map.probability = probability;
    rc = rc < 0 ? rc : scry_ocr_find_boxes(&map, boxes, count, err);
    free(probability);
    if (rc == 0 && l->looks_first && has_large(boxes, *count, scale))
        rc = find_large(l, image, &map, boxes, count, err);
    return rc;
}
