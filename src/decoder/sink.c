#include "decoder/sink.h"

#include "base/alloc.h"
#include "decoder/claim.h"
#include "decoder/jpeg_write.h"
#include "decoder/reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool turns(int orientation)
{
    return orientation >= 5;   /* width and height change places */
}

/* ---- geometry ------------------------------------------------------------------ */

/* The size of the encoded picture, or of the pixels, for a part of w x h. */
static void thumb_size(const scry_decode_request *what, int w, int h, int *tw, int *th)
{
    int side = w > h ? w : h;
    *tw = w;
    *th = h;
    if (what->max_side == 0 || side <= what->max_side)
        return;
    *tw = (int)((int64_t)w * what->max_side / side);
    *th = (int)((int64_t)h * what->max_side / side);
    *tw = *tw > 0 ? *tw : 1;
    *th = *th > 0 ? *th : 1;
}

/* The requested region, in full pixels of the upright picture. */
static scry_region full_part(const scry_sink *s)
{
    const scry_region *g = &s->job->request->what.region;
    bool t = turns(s->orientation);
    if (g->w == 0)
        return (scry_region){ 0, 0, t ? s->full_h : s->full_w, t ? s->full_w : s->full_h };
    return *g;
}

/* One side of a picture, upright: `full` pixels, delivered as `size`; if mirrored, the
 * fraction of a pixel by which `size` is too large is before the picture. */
typedef struct side {
    int full, size;
    bool mirrored;
} side;

/* A range of one side in delivered pixels: the whole pixels [part, part + n), and within them
 * the extent [at, at + extent). */
typedef struct placed {
    int part, n;
    double at, extent;
} placed;

/* `length` full pixels from `first` on. */
static placed place(const side *of, int shrink, int first, int length)
{
    double spare = of->mirrored ? of->size - (double)of->full / shrink : 0;
    double begin = spare + (double)first / shrink;
    double end = spare + (double)(first + length) / shrink;
    int last = (int)ceil(end);
    placed p = { .part = (int)begin };
    p.n = (last > of->size ? of->size : last) - p.part;
    p.at = begin - p.part;
    p.extent = end - begin;
    if (p.at + p.extent > p.n)   /* by a rounding */
        p.extent = p.n - p.at;
    return p;
}

static bool mirrored_across(int orientation)
{
    return orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
}

static bool mirrored_down(int orientation)
{
    return orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
}

static void place_part(scry_sink *s)
{
    scry_region g = full_part(s);
    bool t = turns(s->orientation);
    side width = { t ? s->full_h : s->full_w, s->up_w, mirrored_across(s->orientation) };
    side height = { t ? s->full_w : s->full_h, s->up_h, mirrored_down(s->orientation) };
    placed x = place(&width, s->shrink, g.x, g.w), y = place(&height, s->shrink, g.y, g.h);
    s->part = (scry_region){ x.part, y.part, x.n, y.n };
    s->box_x = x.at;
    s->box_w = x.extent;
    s->box_y = y.at;
    s->box_h = y.extent;
}

int scry_sink_init(scry_sink *s, const struct scry_job *job, int full_w, int full_h, scry_error *err)
{
    const scry_wire_request *request = job->request;
    *s = (scry_sink){ .job = job, .full_w = full_w, .full_h = full_h, .orientation = scry_turn_to_apply(job) };
    if (full_w < 1 || full_h < 1)
        return scry_fail(err, SCRY_EINVALID, "a picture of %d x %d pixels", full_w, full_h);
    if ((uint64_t)full_w * (uint64_t)full_h > request->max_pixels)
        return scry_fail(err, SCRY_ELIMIT, "%d x %d pixels are more than the limit of %.6g million",
                         full_w, full_h, (double)request->max_pixels / 1e6);
    if (full_w > SCRY_MAX_SOURCE_SIDE || full_h > SCRY_MAX_SOURCE_SIDE)
        return scry_fail(err, SCRY_ELIMIT, "a side of %d x %d pixels is over %d", full_w, full_h,
                         SCRY_MAX_SOURCE_SIDE);
    int rc = scry_check_claim(job, full_w, full_h, err);
    if (rc < 0)
        return rc;
    const scry_region *g = &request->what.region;
    bool t = turns(s->orientation);
    int w = t ? full_h : full_w, h = t ? full_w : full_h;
    if (g->w && (g->x >= w || g->y >= h || g->w > w - g->x || g->h > h - g->y))
        return scry_fail(err, SCRY_EINVALID, "the region %d,%d,%d,%d is not within %d x %d pixels",
                         g->x, g->y, g->w, g->h, w, h);
    return 0;
}

/* The least size of the part from which the wanted sizes are made. */
static void least_size(const scry_sink *s, scry_region part, int64_t *w, int64_t *h)
{
    enum { AT_LEAST = 2 };   /* times the target: the least resolution for the final resampling */
    const scry_decode_request *what = &s->job->request->what;
    int tw, th;
    *w = *h = 0;
    if (what->kind != SCRY_DECODE_VIEWS) {
        thumb_size(what, part.w, part.h, &tw, &th);
        *w = (int64_t)AT_LEAST * tw;
        *h = (int64_t)AT_LEAST * th;
        return;
    }
    for (int i = 0; i < what->spec.views; i++) {
        scry_view_plan p = scry_plan_view(part.w, part.h, what->spec.size, what->spec.fit[i]);
        *w = (int64_t)AT_LEAST * p.width > *w ? (int64_t)AT_LEAST * p.width : *w;
        *h = (int64_t)AT_LEAST * p.height > *h ? (int64_t)AT_LEAST * p.height : *h;
    }
}

int scry_sink_shrink(const scry_sink *s)
{
    scry_region part = full_part(s);
    int64_t w, h;
    int shrink = 8;
    if (s->job->request->what.exact)
        return 1;
    least_size(s, part, &w, &h);
    while (shrink > 1 && (part.w / shrink < w || part.h / shrink < h))
        shrink /= 2;
    return shrink;
}

bool scry_sink_may_be_copy(const scry_sink *s, int w, int h)
{
    const scry_decode_request *what = &s->job->request->what;
    int64_t least_w, least_h, difference = (int64_t)w * s->full_h - (int64_t)h * s->full_w;
    if (what->exact || what->region.w || llabs(difference) * 100 > (int64_t)w * s->full_h)
        return false;
    least_size(s, full_part(s), &least_w, &least_h);
    return turns(s->orientation) ? h >= least_w && w >= least_h : w >= least_w && h >= least_h;
}

/* ---- resamplers ---------------------------------------------------------------- */

static int add_resizer(scry_sink *s, scry_resize_window w, scry_error *err)
{
    w.box_x = s->box_x;
    w.box_y = s->box_y;
    w.box_w = s->box_w;
    w.box_h = s->box_h;
    int rc = scry_resizer_new(&s->resizers[s->count], s->part.w, s->part.h, &w, err);
    s->count += rc == 0;
    return rc;
}

static int begin_views(scry_sink *s, scry_error *err)
{
    const scry_image_spec *spec = &s->job->request->what.spec;
    scry_region full = full_part(s);
    for (int i = 0; i < spec->views; i++) {
        /* Planned from the full size, so that rounding does not depend on the shrinking. */
        scry_view_plan p = scry_plan_view(full.w, full.h, spec->size, spec->fit[i]);
        scry_resize_window w = { .width = p.width, .height = p.height, .x = p.x, .y = p.y,
                                 .w = p.w, .h = p.h, .filter = spec->filter };
        int rc = add_resizer(s, w, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int begin_thumb(scry_sink *s, scry_error *err)
{
    scry_region full = full_part(s);
    thumb_size(&s->job->request->what, full.w, full.h, &s->thumb_w, &s->thumb_h);
    bool encoded = s->job->request->what.kind == SCRY_DECODE_JPEG;
    if (encoded && (s->thumb_w > SCRY_JPEG_MAX_SIDE || s->thumb_h > SCRY_JPEG_MAX_SIDE))
        return scry_fail(err, SCRY_ELIMIT, "a side over %d pixels cannot be written as JPEG",
                         SCRY_JPEG_MAX_SIDE);
    if (encoded)
        s->thumb = scry_try_alloc(3 * (size_t)s->thumb_w, (size_t)s->thumb_h);
    if (encoded && !s->thumb)
        return scry_fail(err, SCRY_ENOMEM, "no memory for %d x %d pixels", s->thumb_w, s->thumb_h);
    scry_resize_window w = { .width = s->thumb_w, .height = s->thumb_h, .w = s->thumb_w,
                             .h = s->thumb_h, .filter = SCRY_FILTER_BICUBIC };
    return add_resizer(s, w, err);
}

/* By how much a picture of full size is made smaller before it is turned. */
static int begin_reduction(scry_sink *s, int *w, int *h, int shrink, scry_error *err)
{
    enum { TURNED_BYTES = 128 << 20 };   /* a larger picture is not held whole where it need not be */
    s->reduce = 1;
    if (shrink > 1 || !turns(s->orientation) || (uint64_t)*w * (uint64_t)*h * 3 <= TURNED_BYTES)
        return 0;
    s->reduce = scry_sink_shrink(s);
    if (s->reduce == 1)
        return 0;
    *w = (*w + s->reduce - 1) / s->reduce;
    *h = (*h + s->reduce - 1) / s->reduce;
    s->sums = scry_try_alloc((size_t)*w * 3, sizeof *s->sums);
    s->reduced = scry_try_alloc((size_t)*w * 3 + SCRY_ROW_SLACK, 1);
    return s->sums && s->reduced ? 0 : scry_fail(err, SCRY_ENOMEM, "no memory for rows of %d pixels", *w);
}

int scry_sink_begin(scry_sink *s, int w, int h, int shrink, scry_error *err)
{
    bool t = turns(s->orientation);
    int reduced = begin_reduction(s, &w, &h, shrink, err);
    if (reduced < 0)
        return reduced;
    s->shrink = shrink * s->reduce;
    s->w = w;
    s->h = h;
    s->up_w = t ? h : w;
    s->up_h = t ? w : h;
    place_part(s);
    int rc = s->job->request->what.kind == SCRY_DECODE_VIEWS ? begin_views(s, err)
                                                        : begin_thumb(s, err);
    if (rc < 0)
        return rc;
    s->line = scry_try_alloc((size_t)w * 3 + SCRY_ROW_SLACK, 1);
    if (t) {
        s->turned_stride = 3 * (size_t)s->up_w + SCRY_ROW_SLACK;
        s->turned = scry_try_alloc(s->turned_stride, (size_t)s->up_h);
    }
    if (!s->line || (t && !s->turned))
        return scry_fail(err, SCRY_ENOMEM, "no memory to turn %d x %d pixels", w, h);
    return 0;
}

static scry_span join(scry_span a, scry_span b)
{
    return (scry_span){ a.first < b.first ? a.first : b.first, a.end > b.end ? a.end : b.end };
}

static scry_span mirror(scry_span a, int size)
{
    return (scry_span){ size - a.end, size - a.first };
}

/* The columns or rows of `upright` that the resamplers need. */
static scry_span needed(const scry_sink *s, bool down)
{
    int offset = down ? s->part.y : s->part.x;
    scry_span all = { 1 << 30, 0 };
    for (int i = 0; i < s->count; i++)
        all = join(all, down ? scry_resizer_rows(s->resizers[i])
                             : scry_resizer_columns(s->resizers[i]));
    return (scry_span){ all.first + offset, all.end + offset };
}

scry_span scry_sink_rows(const scry_sink *s)
{
    bool t = turns(s->orientation);
    bool mirrored = t ? mirrored_across(s->orientation) : mirrored_down(s->orientation);
    scry_span a = needed(s, !t);
    return mirrored ? mirror(a, s->h) : a;
}

scry_span scry_sink_columns(const scry_sink *s)
{
    bool t = turns(s->orientation);
    bool mirrored = t ? mirrored_down(s->orientation) : mirrored_across(s->orientation);
    scry_span a = needed(s, t);
    return mirrored ? mirror(a, s->w) : a;
}

/* ---- rows ---------------------------------------------------------------------- */

static void put_upright(scry_sink *s, int y, int n, const uint8_t *rows, ptrdiff_t stride)
{
    for (int i = 0; i < s->count; i++)
        scry_resizer_put(s->resizers[i], y - s->part.y, n, rows + 3 * (ptrdiff_t)s->part.x, stride);
}

static void put_mirrored(scry_sink *s, int y, const uint8_t *row)
{
    const uint8_t *from = row + 3 * (size_t)(s->w - 1);
    for (uint8_t *to = s->line; from >= row; to += 3, from -= 3)
        memcpy(to, from, 3);
    put_upright(s, y, 1, s->line, 0);
}

/* Orientations 5..8: rows become columns. Columns of `n` pixels at once keep the writes
 * of one upright row together. */
static void put_turned(scry_sink *s, int y, int n, const uint8_t *rows, size_t stride)
{
    bool from_right = s->orientation == 6 || s->orientation == 7;   /* first row, last column */
    bool from_bottom = s->orientation == 7 || s->orientation == 8;  /* first column, last row */
    for (int x = 0; x < s->w; x++) {
        uint8_t *row = s->turned + (size_t)(from_bottom ? s->w - 1 - x : x) * s->turned_stride;
        for (int i = 0; i < n; i++) {
            int column = from_right ? s->h - 1 - (y + i) : y + i;
            memcpy(row + 3 * (size_t)column, rows + (size_t)i * stride + 3 * (size_t)x, 3);
        }
    }
}

static void put_delivered(scry_sink *s, int y, int n, const uint8_t *rows, size_t stride)
{
    if (turns(s->orientation)) {
        put_turned(s, y, n, rows, stride);
        return;
    }
    if (s->orientation == 1) {
        put_upright(s, y, n, rows, (ptrdiff_t)stride);
        return;
    }
    for (int i = 0; i < n; i++) {
        const uint8_t *row = rows + (size_t)i * stride;
        int at = s->orientation == 2 ? y + i : s->h - 1 - (y + i);
        if (s->orientation == 4)
            put_upright(s, at, 1, row, 0);
        else
            put_mirrored(s, at, row);
    }
}

/* The rows of one line of blocks at most: means once they are complete. The last block of a side may be smaller. */
static void put_block_row(scry_sink *s, int y, const uint8_t *row)
{
    const uint8_t *end = row + 3 * (size_t)s->full_w;
    for (uint32_t *sum = s->sums; row < end; sum += 3)
        for (int i = 0; i < s->reduce && row < end; i++, row += 3) {
            sum[0] += row[0];
            sum[1] += row[1];
            sum[2] += row[2];
        }
    s->summed++;
    if (s->summed < s->reduce && y + 1 < s->full_h)
        return;
    for (int x = 0; x < s->w; x++) {
        int columns = s->full_w - x * s->reduce < s->reduce ? s->full_w - x * s->reduce : s->reduce;
        uint32_t n = (uint32_t)(columns * s->summed);
        for (int k = 0; k < 3; k++)
            s->reduced[3 * x + k] = (uint8_t)((s->sums[3 * x + k] + n / 2) / n);
    }
    memset(s->sums, 0, (size_t)s->w * 3 * sizeof *s->sums);
    s->summed = 0;
    put_delivered(s, y / s->reduce, 1, s->reduced, 0);
}

void scry_sink_put(scry_sink *s, int y, int n, const uint8_t *rows, size_t stride)
{
    if (s->reduce == 1)
        put_delivered(s, y, n, rows, stride);
    for (int i = 0; i < n && s->reduce > 1; i++)
        put_block_row(s, y + i, rows + (size_t)i * stride);
}

static void finish_views(scry_sink *s)
{
    const scry_image_spec *spec = &s->job->request->what.spec;
    scry_region full = full_part(s);
    uint8_t *view = s->job->out;
    for (int i = 0; i < s->count; i++, view += 3 * (size_t)spec->size * (size_t)spec->size) {
        scry_view_plan p = scry_plan_view(full.w, full.h, spec->size, spec->fit[i]);
        scry_resizer_finish(s->resizers[i], view);
        scry_view_complete(view, spec->size, spec->fit[i], &p);
    }
}

int scry_sink_finish(scry_sink *s, scry_error *err)
{
    scry_wire_reply *reply = s->job->reply;
    if (s->turned)
        put_upright(s, 0, s->up_h, s->turned, (ptrdiff_t)s->turned_stride);
    bool t = turns(s->orientation);
    int w = s->job->whole_w ? s->job->whole_w : s->full_w, h = s->job->whole_w ? s->job->whole_h : s->full_h;
    reply->result.width = t ? h : w;
    reply->result.height = t ? w : h;
    if (s->job->request->what.kind == SCRY_DECODE_VIEWS) {
        finish_views(s);
        return 0;
    }
    if (s->job->request->what.kind == SCRY_DECODE_RGB) {
        scry_resizer_finish(s->resizers[0], s->job->out);
        reply->result.rgb_width = s->thumb_w;
        reply->result.rgb_height = s->thumb_h;
        return 0;
    }
    scry_resizer_finish(s->resizers[0], s->thumb);
    scry_pixels p = { s->thumb, s->thumb_w, s->thumb_h, 3 * (size_t)s->thumb_w };
    size_t bytes = 0;
    int rc = scry_jpeg_write(&p, s->job->request->what.quality, s->job->out, s->job->request->output_bytes,
                             &bytes, err);
    reply->encoded_bytes = bytes;
    return rc;
}

void scry_sink_dispose(scry_sink *s)
{
    for (int i = 0; i < s->count; i++)
        scry_resizer_free(s->resizers[i]);
    free(s->turned);
    free(s->sums);
    free(s->reduced);
    free(s->line);
    free(s->thumb);
    *s = (scry_sink){ 0 };
}
