#include "ocr/boxes.h"

#include "base/alloc.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const float LEAST_SCORE = 0.5f;
static const double UNCLIP = 1.6, LEAST_SIDE = 3, LEAST_UNCLIPPED_SIDE = 5, PI = 3.14159265358979323846;
enum { MOST_ARC = 64 };

typedef struct {
    double x, y;
} point;

/* ---- regions ---- */

/* Pixels [x, end) of row y that are in the mask; `region` is its union's parent, then its root. */
typedef struct {
    int32_t y, x, end, region;
} run;

typedef struct {
    run *at;
    size_t n, capacity;
    bool failed;
} runs;

static void add_run(runs *r, run one)
{
    if (r->n == r->capacity) {
        size_t more = r->capacity ? 2 * r->capacity : 1024;
        run *at = more < INT32_MAX ? realloc(r->at, more * sizeof *at) : NULL;
        r->failed |= !at;
        if (!at)
            return;
        r->at = at;
        r->capacity = more;
    }
    one.region = (int32_t)r->n;
    r->at[r->n++] = one;
}

static int32_t root_of(run *at, int32_t i)
{
    while (at[i].region != i) {
        at[i].region = at[at[i].region].region;
        i = at[i].region;
    }
    return i;
}

/* The mask is every pixel over the threshold with its neighbours on the right, below and between: those of this row and the
 * one above. */
static void row_runs(const scry_ocr_box_source *s, size_t y, bool *mask, runs *out)
{
    const float *row = s->probability + y * s->width, *above = y ? row - s->width : row;
    for (size_t x = 0; x < s->width; x++)
        mask[x] = row[x] > SCRY_OCR_BOX_THRESHOLD || above[x] > SCRY_OCR_BOX_THRESHOLD;
    for (size_t x = s->width; x-- > 1;)
        mask[x] |= mask[x - 1];
    for (size_t x = 0; x < s->width;) {
        while (x < s->width && !mask[x])
            x++;
        size_t from = x;
        while (x < s->width && mask[x])
            x++;
        if (x > from)
            add_run(out, (run){ (int32_t)y, (int32_t)from, (int32_t)x, 0 });
    }
}

/* Join each run of [from, to) with those of [before, from), the row above, that touch it, corners included. */
static void join_rows(runs *r, size_t before, size_t from)
{
    for (size_t i = from, j = before; i < r->n; i++) {
        while (j < from && r->at[j].end < r->at[i].x)
            j++;
        for (size_t k = j; k < from && r->at[k].x <= r->at[i].end; k++) {
            int32_t a = root_of(r->at, (int32_t)i), b = root_of(r->at, (int32_t)k);
            r->at[a > b ? a : b].region = a > b ? b : a;
        }
    }
}

/* All runs, each with the number of its region's first run. */
static void find_regions(const scry_ocr_box_source *s, runs *r)
{
    bool *mask = scry_try_alloc(s->width, sizeof *mask);
    r->failed = !mask;
    for (size_t y = 0, before = 0; y < s->height && !r->failed; y++) {
        size_t from = r->n;
        row_runs(s, y, mask, r);
        if (from > before && r->at[from - 1].y + 1 == (int32_t)y)
            join_rows(r, before, from);
        before = from;
    }
    for (size_t i = 0; i < r->n; i++)
        r->at[i].region = root_of(r->at, (int32_t)i);
    free(mask);
}

static int by_region(const void *a, const void *b)
{
    const run *x = a, *y = b;
    if (x->region != y->region)
        return x->region < y->region ? -1 : 1;
    return x->y != y->y ? (x->y < y->y ? -1 : 1) : (x->x > y->x) - (x->x < y->x);
}

static size_t end_of_region(const runs *r, size_t from)
{
    size_t to = from + 1;
    while (to < r->n && r->at[to].region == r->at[from].region)
        to++;
    return to;
}

/* ---- rectangles ---- */

static double cross(point o, point a, point b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

static int by_y_x(const void *a, const void *b)
{
    const point *p = a, *q = b;
    return p->y != q->y ? (p->y < q->y ? -1 : 1) : (p->x > q->x) - (p->x < q->x);
}

/* The convex hull of points in the order of by_y_x, to hull [n + 1]: Andrew's monotone chain. */
static size_t convex_hull(const point *p, size_t n, point *hull)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        while (k >= 2 && cross(hull[k - 2], hull[k - 1], p[i]) <= 0)
            k--;
        hull[k++] = p[i];
    }
    size_t least = k + 1;
    for (size_t i = n; i-- > 1;) {
        while (k >= least && cross(hull[k - 2], hull[k - 1], p[i - 1]) <= 0)
            k--;
        hull[k++] = p[i - 1];
    }
    return k > 1 ? k - 1 : k;
}

/* A hull with its sides, in float as OpenCV has them: corners are cut to whole pixels later, so that its rounding errors move
 * boxes by a pixel. */
typedef struct {
    float x, y, dx, dy, inverse;   /* a corner; the side to the next one, 1 / its length */
} side;

/* The hull in the other direction, from the corner at the top on, of two the left or the `right` one. */
static void make_sides(const point *hull, size_t n, bool right, side *out)
{
    size_t first = 0;
    for (size_t i = 1; i < n; i++)
        if (hull[i].y < hull[first].y || (hull[i].y == hull[first].y && (hull[i].x > hull[first].x) == right))
            first = i;
    for (size_t i = 0; i < n; i++) {
        point a = hull[(first + n - i) % n], b = hull[(first + 2 * n - i - 1) % n];
        out[i] = (side){ (float)a.x, (float)a.y, (float)(b.x - a.x), (float)(b.y - a.y), (float)(1 / hypot(b.x - a.x, b.y - a.y)) };
    }
}

/* The corners where a rectangle around the hull touches it: with the least y, the most x, the most y, the least x. */
static void find_ends(const side *s, size_t n, size_t at[4])
{
    at[0] = at[1] = at[2] = at[3] = 0;
    for (size_t i = 1; i < n; i++) {
        at[0] = s[i].y < s[at[0]].y ? i : at[0];
        at[1] = s[i].x > s[at[1]].x ? i : at[1];
        at[2] = s[i].y > s[at[2]].y ? i : at[2];
        at[3] = s[i].x < s[at[3]].x ? i : at[3];
    }
}

/* Turn the rectangle, whose first side has the direction (*a, *b), until one of its sides lies on the next side of the hull. */
static void turn(const side *s, size_t n, size_t at[4], float *a, float *b)
{
    const float x = *a, y = *b, ex[4] = { x, -y, -x, y }, ey[4] = { y, x, -y, -x };
    size_t first = 0;
    float most = -INFINITY;
    for (size_t i = 0; i < 4; i++) {
        float cosine = (ex[i] * s[at[i]].dx + ey[i] * s[at[i]].dy) * s[at[i]].inverse;
        if (cosine > most) {
            most = cosine;
            first = i;
        }
    }
    const side *on = &s[at[first]];
    const float u = on->dx * on->inverse, v = on->dy * on->inverse, as[4] = { u, v, -u, -v }, bs[4] = { v, -u, -v, u };
    *a = as[first];
    *b = bs[first];
    at[first] = at[first] + 1 == n ? 0 : at[first] + 1;
}

/* The corners of the rectangle of the direction (a, b) that touches the hull at the corners `l` and `d`. Returns its shorter
 * side. */
static float make_corners(const side *l, const side *d, const float ab[2], const float size[2], point corner[4])
{
    const float a = ab[0], b = ab[1], c1 = a * l->x + l->y * b, c2 = -b * d->x + d->y * a, over = 1 / (a * a + b * b);
    const float wx = a * size[0], wy = b * size[0], hx = -b * size[1], hy = a * size[1];
    const float cx = (c1 * a - c2 * b) * over + (wx + hx) * 0.5f, cy = (a * c2 + b * c1) * over + (wy + hy) * 0.5f;
    const float w = (float)sqrt((double)wx * (double)wx + (double)wy * (double)wy),
        h = (float)sqrt((double)hx * (double)hx + (double)hy * (double)hy);
    const double angle = (double)(float)(atan2((double)wy, (double)wx) * 180 / PI) * PI / 180;
    const float co = (float)cos(angle) * 0.5f, si = (float)sin(angle) * 0.5f;
    const float x0 = cx - si * h - co * w, y0 = cy + co * h - si * w, x1 = cx + si * h - co * w, y1 = cy - co * h - si * w;
    corner[0] = (point){ (double)x0, (double)y0 };
    corner[1] = (point){ (double)x1, (double)y1 };
    corner[2] = (point){ (double)(2 * cx - x0), (double)(2 * cy - y0) };
    corner[3] = (point){ (double)(2 * cx - x1), (double)(2 * cy - y1) };
    return fminf(w, h);
}

/* The rectangle with the least area of those that have a side on a side of the hull, by rotating calipers; `sides` has room
 * for n. Of equal ones the last, which depends on where they begin: see make_sides. Returns its shorter side, 0 where it has
 * no area. */
static double rectangle(const point *hull, size_t n, bool right, side *sides, point corner[4])
{
    size_t at[4], left = 0, top = 0;
    float a = -1, b = 0, least = INFINITY, ab[2] = { 0, 0 }, size[2] = { 0, 0 };
    if (n < 3)
        return 0;
    make_sides(hull, n, right, sides);
    find_ends(sides, n, at);
    for (size_t i = 0; i < n; i++) {
        turn(sides, n, at, &a, &b);
        float width = (sides[at[1]].x - sides[at[3]].x) * a + (sides[at[1]].y - sides[at[3]].y) * b;
        float height = -(sides[at[2]].x - sides[at[0]].x) * b + (sides[at[2]].y - sides[at[0]].y) * a;
        if (width * height > least)
            continue;
        least = width * height;
        left = at[3];
        top = at[0];
        ab[0] = a;
        ab[1] = b;
        size[0] = width;
        size[1] = height;
    }
    return (double)make_corners(&sides[left], &sides[top], ab, size, corner);
}

/* Four corners clockwise from the top left one: the two on the left by height, and the two on the right. */
static void order(point c[4])
{
    for (int i = 1; i < 4; i++)
        for (int k = i; k > 0 && c[k].x < c[k - 1].x; k--) {
            point swapped = c[k];
            c[k] = c[k - 1];
            c[k - 1] = swapped;
        }
    bool left = c[1].y < c[0].y, right = c[3].y < c[2].y;
    point ordered[4] = { c[left], c[2 + right], c[3 - right], c[!left] };
    memcpy(c, ordered, sizeof ordered);
}

/* ---- score ---- */

/* Where the edges of a convex polygon cross row y. */
static void crossings(const point c[4], double y, double *left, double *right)
{
    *left = INFINITY;
    *right = -INFINITY;
    for (int i = 0; i < 4; i++) {
        point a = c[i], b = c[(i + 1) % 4];
        if (fmin(a.y, b.y) > y || fmax(a.y, b.y) < y)
            continue;
        double x0 = a.y == b.y ? a.x : a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y), x1 = a.y == b.y ? b.x : x0;
        *left = fmin(*left, fmin(x0, x1));
        *right = fmax(*right, fmax(x0, x1));
    }
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* The mean probability of the pixels of the rectangle, whose corners are cut to whole pixels. */
static double score(const scry_ocr_box_source *s, const point corner[4])
{
    const double w = (double)s->width - 1, h = (double)s->height - 1;
    double x0 = INFINITY, y0 = INFINITY, y1 = -INFINITY, sum = 0, count = 0;
    point c[4];
    for (int i = 0; i < 4; i++) {
        x0 = fmin(x0, corner[i].x);
        y0 = fmin(y0, corner[i].y);
    }
    x0 = clamp(floor(x0), 0, w);
    y0 = clamp(floor(y0), 0, h);
    for (int i = 0; i < 4; i++) {
        c[i] = (point){ x0 + trunc(corner[i].x - x0), y0 + trunc(corner[i].y - y0) };
        y1 = fmax(y1, c[i].y);
    }
    for (double y = y0; y <= fmin(y1, h); y++) {
        double left, right;
        crossings(c, y, &left, &right);
        left = clamp(floor(left + 0.5), 0, w);
        right = clamp(floor(right + 0.5), -1, w);
        for (double x = left; x <= right; x++, count++)
            sum += s->probability[(size_t)y * s->width + (size_t)x];
    }
    return count > 0 ? sum / count : 0;
}

/* ---- unclipping ---- */

static double whole(double x)   /* rounded, halves away from zero */
{
    return x < 0 ? ceil(x - 0.5) : floor(x + 0.5);
}

/* The rectangle's outline at `distance` with rounded corners, as points of whole pixels in `out` [4 * MOST_ARC]: what the
 * library Clipper makes of corners that are cut to whole pixels, with its tolerance of 1/4 pixel. */
static size_t offset(const point corner[4], double distance, point *out)
{
    point c[4], normal[4];
    size_t n = 0, distinct = 0;
    for (int i = 0; i < 4; i++) {
        point p = { trunc(corner[i].x), trunc(corner[i].y) };
        if (distinct == 0 || p.x != c[distinct - 1].x || p.y != c[distinct - 1].y)
            c[distinct++] = p;
    }
    while (distinct > 1 && c[0].x == c[distinct - 1].x && c[0].y == c[distinct - 1].y)
        distinct--;
    double tolerance = fmin(0.25, distance * 0.25), steps = fmin(PI / acos(1 - tolerance / distance), distance * PI);
    for (size_t i = 0; i < distinct; i++) {
        point a = c[i], b = c[(i + 1) % distinct];
        double length = hypot(b.x - a.x, b.y - a.y);
        normal[i] = length > 0 ? (point){ (b.y - a.y) / length, -(b.x - a.x) / length } : (point){ 0, -1 };
    }
    for (size_t i = 0; i < distinct; i++) {
        point from = normal[(i + distinct - 1) % distinct], to = normal[i];
        double angle = atan2(from.x * to.y - to.x * from.y, from.x * to.x + from.y * to.y);
        size_t arc = (size_t)fmax(1, whole(steps / (2 * PI) * fabs(angle)));
        for (size_t k = 0; k <= arc && k < MOST_ARC; k++) {
            double turn = k == arc ? angle : (double)k * 2 * PI / steps, x = from.x * cos(turn) - from.y * sin(turn),
                y = from.x * sin(turn) + from.y * cos(turn);
            out[n++] = (point){ whole(c[i].x + x * distance), whole(c[i].y + y * distance) };
        }
    }
    return n;
}

/* The rectangle made larger by its area * UNCLIP / its outline on each side. Returns its shorter side, 0 where it has no area. */
static double unclip(point corner[4])
{
    double area = 0, length = 0;
    point outline[4 * MOST_ARC], hull[4 * MOST_ARC + 1];
    side sides[4 * MOST_ARC + 1];
    for (int i = 0; i < 4; i++) {
        point a = corner[i], b = corner[(i + 1) % 4];
        area += a.x * b.y - b.x * a.y;
        length += hypot(b.x - a.x, b.y - a.y);
    }
    double distance = fabs(area) / 2 * UNCLIP / length;
    if (!(distance > 0))
        return 0;
    size_t n = offset(corner, distance, outline);
    qsort(outline, n, sizeof *outline, by_y_x);
    return rectangle(hull, convex_hull(outline, n, hull), true, sides, corner);
}

/* ---- boxes ---- */

/* In the picture's pixels; false where it is too small. */
static bool place(const scry_ocr_box_source *s, point corner[4], scry_ocr_box *out)
{
    const float w = (float)s->to_width, h = (float)s->to_height;
    order(corner);
    for (int i = 0; i < 4; i++) {
        corner[i].x = clamp(rintf((float)corner[i].x / (float)s->width * w), 0, w);
        corner[i].y = clamp(rintf((float)corner[i].y / (float)s->height * h), 0, h);
    }
    order(corner);
    for (int i = 0; i < 4; i++) {
        out->x[i] = (float)clamp(corner[i].x, 0, w - 1);
        out->y[i] = (float)clamp(corner[i].y, 0, h - 1);
    }
    return hypotf(out->x[0] - out->x[1], out->y[0] - out->y[1]) >= 4 && hypotf(out->x[0] - out->x[3], out->y[0] - out->y[3]) >= 4;
}

/* Room for the points of the largest region. */
typedef struct {
    point *points, *hull;
    side *sides;
} room;

/* The box of one region's runs. */
static bool box_of(const scry_ocr_box_source *s, const run *r, size_t n, const room *m, scry_ocr_box *out)
{
    point *points = m->points;
    point corner[4];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        points[count++] = (point){ r[i].x, r[i].y };
        if (r[i].end - 1 > r[i].x)
            points[count++] = (point){ r[i].end - 1, r[i].y };
    }
    if (rectangle(m->hull, convex_hull(points, count, m->hull), false, m->sides, corner) < LEAST_SIDE)
        return false;
    order(corner);
    return score(s, corner) >= LEAST_SCORE && unclip(corner) >= LEAST_UNCLIPPED_SIDE && place(s, corner, out);
}

static int by_top(const void *a, const void *b)
{
    const scry_ocr_box *p = a, *q = b;
    return p->y[0] != q->y[0] ? (p->y[0] < q->y[0] ? -1 : 1) : (p->x[0] > q->x[0]) - (p->x[0] < q->x[0]);
}

static int by_left(const void *a, const void *b)
{
    const scry_ocr_box *p = a, *q = b;
    return p->x[0] != q->x[0] ? (p->x[0] < q->x[0] ? -1 : 1) : (p->y[0] > q->y[0]) - (p->y[0] < q->y[0]);
}

/* A box stands in one row with the topmost one if its top is not below the middle of that one's left side. */
static void sort_boxes(scry_ocr_box *boxes, size_t n)
{
    if (n)
        qsort(boxes, n, sizeof *boxes, by_top);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && boxes[to].y[0] <= (boxes[from].y[0] + boxes[from].y[3]) / 2;)
            to++;
        qsort(boxes + from, to - from, sizeof *boxes, by_left);
    }
}

int scry_ocr_find_boxes(const scry_ocr_box_source *s, scry_ocr_box *out, size_t *count, scry_error *err)
{
    runs r = { .n = 0 };
    size_t most = 0;
    *count = 0;
    find_regions(s, &r);
    if (r.n)
        qsort(r.at, r.n, sizeof *r.at, by_region);
    for (size_t from = 0, to; from < r.n; from = to) {
        to = end_of_region(&r, from);
        most = to - from > most ? to - from : most;
    }
    room m = { scry_try_alloc(2 * most + 1, sizeof *m.points), scry_try_alloc(2 * most + 1, sizeof *m.hull),
               scry_try_alloc(2 * most + 1, sizeof *m.sides) };
    bool enough = !r.failed && m.points && m.hull && m.sides;
    for (size_t from = 0, to; enough && from < r.n && *count < SCRY_OCR_MAX_BOXES; from = to) {
        to = end_of_region(&r, from);
        *count += box_of(s, r.at + from, to - from, &m, &out[*count]);
    }
    sort_boxes(out, *count);
    free(m.points);
    free(m.hull);
    free(m.sides);
    free(r.at);
    return enough ? 0 : scry_fail(err, SCRY_ENOMEM, "not enough memory for the regions of %zu x %zu pixels", s->width, s->height);
}
