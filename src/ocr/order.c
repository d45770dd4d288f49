#include "ocr/order.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

static const double MOST = 2.0 / 3, CROOKED = 0.0175;   /* of the text; radians */

int scry_ocr_page_direction(const scry_ocr_placed *lines, size_t n)
{
    double weight[4] = { 0 }, all = 0;
    int best = 0;
    for (size_t i = 0; i < n; i++) {
        weight[lines[i].direction] += lines[i].weight;
        all += lines[i].weight;
    }
    for (int d = 1; d < 4; d++)
        if (weight[d] > weight[best])
            best = d;
    return all > 0 && weight[best] >= MOST * all ? best : -1;
}

/* Clockwise from left to right in the picture, -pi to pi. */
static double angle_of(const scry_ocr_box *b)
{
    return atan2((double)(b->y[1] - b->y[0]), (double)(b->x[1] - b->x[0]));
}

typedef struct {
    double angle, weight;
} leaning;

static int by_angle(const void *a, const void *b)
{
    const leaning *p = a, *q = b;
    return (p->angle > q->angle) - (p->angle < q->angle);
}

/* The weighted median of how much the lines of a direction differ from it. */
static double lean_of(const scry_ocr_placed *lines, size_t n, double straight, int direction)
{
    leaning *all = scry_alloc((n + 1) * sizeof *all);
    double sum = 0, seen = 0, median = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (lines[i].direction == direction && lines[i].weight > 0) {
            all[count++] = (leaning){ remainder(angle_of(&lines[i].box) - straight, 2 * M_PI), lines[i].weight };
            sum += lines[i].weight;
        }
    qsort(all, count, sizeof *all, by_angle);
    for (size_t i = 0; i < count && seen < sum / 2; i++) {
        seen += all[i].weight;
        median = all[i].angle;
    }
    free(all);
    return median;
}

typedef struct {
    double left, top, bottom;   /* of the straight page */
    size_t number;
} straightened;

static straightened straighten(const scry_ocr_box *b, double angle, size_t number)
{
    straightened s = { INFINITY, INFINITY, -INFINITY, number };
    for (int i = 0; i < 4; i++) {
        double x = (double)b->x[i], y = (double)b->y[i];
        double across = x * cos(angle) + y * sin(angle), down = y * cos(angle) - x * sin(angle);
        /* Not fmin and fmax: gcc 12 for aarch64 fails at a loop of both (internal compiler error in vect_transform_reduction). */
        s.left = across < s.left ? across : s.left;
        s.top = down < s.top ? down : s.top;
        s.bottom = down > s.bottom ? down : s.bottom;
    }
    return s;
}

static int by_top(const void *a, const void *b)
{
    const straightened *p = a, *q = b;
    return p->top != q->top ? (p->top < q->top ? -1 : 1) : (p->number > q->number) - (p->number < q->number);
}

static int by_left(const void *a, const void *b)
{
    const straightened *p = a, *q = b;
    return p->left != q->left ? (p->left < q->left ? -1 : 1) : (p->number > q->number) - (p->number < q->number);
}

/* In rows as sort_boxes of boxes.c has them. */
static void sort_rows(straightened *all, size_t n)
{
    qsort(all, n, sizeof *all, by_top);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && all[to].top <= (all[from].top + all[from].bottom) / 2;)
            to++;
        qsort(all + from, to - from, sizeof *all, by_left);
    }
}

void scry_ocr_reading_order(const scry_ocr_placed *lines, size_t n, size_t *order)
{
    int direction = scry_ocr_page_direction(lines, n);
    double straight = fmax(direction, 0) * M_PI / 2, lean = direction < 0 ? 0 : lean_of(lines, n, straight, direction);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    if (n < 2 || direction < 0 || (direction == 0 && fabs(lean) < CROOKED))
        return;
    straightened *all = scry_alloc(n * sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = straighten(&lines[i].box, straight + lean, i);
    sort_rows(all, n);
    for (size_t i = 0; i < n; i++)
        order[i] = all[i].number;
    free(all);
}
