/* ocr.c - a picture to lines of text: detection by all threads together, then each thread takes lines.
 *
 *     picture -> at most 2,000 pixels a side -> detection (locate.h) -> boxes
 *     box -> straight picture -> 48 pixels high -> upside down? -> characters -> text
 *     lines read without confidence, the other way up than most of the page -> read again the way that most are
 *     lines -> in the order of the page (order.h)
 *
 * Sizes, thresholds and the widths of lines (six of similar shape have one width) are those of the package rapidocr, so that
 * the words are, too. */
#include "ocr/ocr.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "ocr/locate.h"
#include "ocr/networks.h"
#include "ocr/order.h"
#include "ocr/scripts.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_SIDE = 2000, LEAST_SIDE = 30,     /* of the picture that is read */
    LEAST_LETTER = 5,                      /* in pixels: a picture that is less high or wide has none */
    BATCH = 6,
    MOST_RGB_SIDE = 1000000,               /* as elsewhere */
    KEPT_BYTES = 256 << 20                 /* of memory between pictures */
};
static const double FLAT = 8, LEAST_RATIO = 320.0 / 48, UPSIDE_DOWN = 0.9;
static const float LEAST_CONFIDENCE = 0.5f, SURE = 0.9f, LEAST_OTHER = 0.7f, LEAST_GREEK = 0.4f;

struct scry_ocr {
    scry_ocr_networks networks;
    scry_team *team;
    scry_ocr_locator locator;   /* its memory is also that of the lines */
    scry_ocr_other other;       /* read NULL: none */
    bool reads_once;
};

int scry_ocr_open_in(scry_ocr **out, const char *folder, int threads, scry_mode mode, scry_error *err)
{
    scry_ocr *o = scry_alloc(sizeof *o);
    int rc = scry_ocr_networks_open(&o->networks, folder, mode, err);
    if (rc == 0)
        rc = scry_team_new(&o->team, scry_kernels_best(), threads, &o->networks.need, err);
    if (rc == 0)
        rc = scry_ocr_networks_pack(&o->networks, o->team, err);
    if (rc < 0) {
        scry_ocr_close(o);
        return rc;
    }
    o->locator = (scry_ocr_locator){ .detector = &o->networks.detector, .looker = &o->networks.looker,
                                      .team = o->team };
    *out = o;
    return 0;
}

int scry_ocr_folder(char **out, scry_error *err)
{
    char *file = scry_program_file("models/words/" SCRY_OCR_WEIGHTS);
    if (!file)
        return scry_fail(err, SCRY_ENOTFOUND, "the weights that read words are not where the program is installed "
                         "(share/scry/models/words): install scry again, or set SCRY_DATA_DIR to the folder where it is installed");
    *strrchr(file, '/') = '\0';
    *out = file;
    return 0;
}

int scry_ocr_open(scry_ocr **out, const char *folder, int threads, scry_error *err)
{
    char *installed = NULL;
    int rc = folder ? 0 : scry_ocr_folder(&installed, err);
    if (rc == 0)
        rc = scry_ocr_open_in(out, folder ? folder : installed, threads, SCRY_MODE_F32, err);
    free(installed);
    return rc;
}

void scry_ocr_look_first(scry_ocr *o, bool yes)
{
    o->locator.looks_first = yes;
}

void scry_ocr_read_once(scry_ocr *o, bool yes)
{
    o->reads_once = yes;
}

void scry_ocr_ask_other(scry_ocr *o, const scry_ocr_other *other)
{
    o->other = *other;
}

void scry_ocr_close(scry_ocr *o)
{
    if (!o)
        return;
    scry_team_free(o->team);
    scry_ocr_networks_close(&o->networks);
    free(o->locator.memory);
    free(o);
}

void scry_ocr_page_free(scry_ocr_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        free(page->lines[i].text);
    free(page->lines);
    *page = (scry_ocr_page){ NULL, 0 };
}

/* ---- the picture ---- */

static int check(const scry_rgb *p, scry_error *err)
{
    if (!p->data || p->width < 1 || p->height < 1)
        return scry_fail(err, SCRY_EINVALID, "a picture of %d x %d pixels%s", p->width, p->height, p->data ? "" : " without data");
    if (p->width > MOST_RGB_SIDE || p->height > MOST_RGB_SIDE)
        return scry_fail(err, SCRY_ELIMIT, "a side of %d x %d pixels is over %d", p->width, p->height, MOST_RGB_SIDE);
    ptrdiff_t row = 3 * (ptrdiff_t)p->width;
    if (p->stride && p->stride < row && p->stride > -row)
        return scry_fail(err, SCRY_EINVALID, "rows of %d RGB pixels take %td bytes, and the stride is %td", p->width, row, p->stride);
    return 0;
}

/* Replace an image by itself in another size. */
static int resize(scry_ocr_image *image, size_t height, size_t width, scry_error *err)
{
    scry_ocr_image to;
    int rc = scry_ocr_new_image(&to, height, width, err);
    if (rc == 0)
        rc = scry_ocr_resize(image, &to, err);
    if (rc < 0) {
        free(to.rgb);
        return rc;
    }
    free(image->rgb);
    *image = to;
    return 0;
}

/* The picture without gaps, and no larger or smaller than is read. */
static int prepare(scry_ocr_image *image, const scry_rgb *p, scry_error *err)
{
    size_t h = (size_t)p->height, w = (size_t)p->width, longer = h > w ? h : w;
    int rc = scry_ocr_new_image(image, h, w, err);
    for (size_t y = 0; rc == 0 && y < h; y++)
        memcpy(image->rgb + y * 3 * w, p->data + (ptrdiff_t)y * (p->stride ? p->stride : 3 * (ptrdiff_t)w), 3 * w);
    if (rc == 0 && longer > MOST_SIDE) {
        double ratio = (double)MOST_SIDE / (double)longer;
        rc = resize(image, scry_ocr_to_unit((double)h * ratio), scry_ocr_to_unit((double)w * ratio), err);
    }
    size_t shorter = image->height < image->width ? image->height : image->width;
    if (rc == 0 && shorter < LEAST_SIDE) {
        double ratio = (double)LEAST_SIDE / (double)shorter;
        rc = resize(image, scry_ocr_to_unit((double)image->height * ratio), scry_ocr_to_unit((double)image->width * ratio), err);
    }
    return rc;
}

/* Black above and below a flat picture; *top is how much. */
static int pad(scry_ocr_image *image, size_t *top, scry_error *err)
{
    const size_t h = image->height, row = 3 * image->width;
    *top = 0;
    if ((double)image->width / (double)h <= FLAT && h > LEAST_SIDE)
        return 0;
    size_t wanted = 2 * (size_t)fmax(trunc((double)image->width / FLAT), LEAST_SIDE);
    scry_ocr_image to;
    *top = (wanted > h ? wanted - h : h - wanted) / 2;
    int rc = scry_ocr_new_image(&to, h + 2 * *top, image->width, err);
    if (rc < 0)
        return rc;
    memset(to.rgb, 0, to.height * row);
    memcpy(to.rgb + *top * row, image->rgb, h * row);
    free(image->rgb);
    *image = to;
    return 0;
}

/* ---- lines ---- */

typedef struct {
    scry_ocr_box box;
    size_t height, width;    /* of its picture */
    bool turned;             /* a standing line */
    size_t scaled, padded;   /* widths at SCRY_OCR_LINE_HEIGHT: of the picture, with what follows it */
    bool upside_down;
    bool again;              /* to be read the other way up, too */
    scry_buf text;
    size_t characters;       /* of it, without spaces */
    double confidence;
} line;

typedef struct {
    const scry_ocr_networks *networks;
    const scry_ocr_image *image;
    line *lines;
    line **order;            /* [count] by width */
    size_t count;
    atomic_size_t next;
    uint8_t *pixels;         /* [threads, pixel_bytes] */
    size_t pixel_bytes;
    float *memory;           /* [threads, floats] */
    size_t floats;
    _Atomic int failed;      /* the first error, without a message */
} reading;

static int by_ratio(const void *a, const void *b)
{
    const line *p = *(line *const *)a, *q = *(line *const *)b;
    double x = (double)p->width / (double)p->height, y = (double)q->width / (double)q->height;
    return x != y ? (x < y ? -1 : 1) : (p > q) - (p < q);
}

/* Each six lines of similar shape are as wide as the widest of them. */
static void measure_lines(reading *r)
{
    for (size_t i = 0; i < r->count; i++)
        r->order[i] = &r->lines[i];
    qsort(r->order, r->count, sizeof *r->order, by_ratio);
    for (size_t from = 0; from < r->count; from += BATCH) {
        size_t to = from + BATCH < r->count ? from + BATCH : r->count;
        const line *widest = r->order[to - 1];
        double ratio = fmax(LEAST_RATIO, (double)widest->width / (double)widest->height);
        size_t padded = (size_t)fmin(SCRY_OCR_LINE_HEIGHT * ratio, SCRY_OCR_MAX_LINE_WIDTH);
        for (size_t i = from; i < to; i++) {
            line *l = r->order[i];
            size_t scaled = (size_t)ceil(SCRY_OCR_LINE_HEIGHT * ((double)l->width / (double)l->height));
            l->scaled = scaled < padded ? scaled : padded;
            l->padded = padded;
        }
    }
}

/* Bytes that a thread needs for one line: its picture, and at two sizes. */
static size_t bytes_of(const line *l)
{
    return 3 * (l->height * l->width + SCRY_OCR_LINE_HEIGHT * (l->scaled + SCRY_OCR_CLASSIFIED_WIDTH));
}

/* Whether the line is upside down; its picture at the classifier's size goes to `seen`. */
static bool is_upside_down(scry_nn *n, const reading *r, const scry_ocr_image *crop, const scry_ocr_image *seen, float *memory)
{
    if (scry_ocr_resize(crop, seen, NULL) < 0)
        return false;
    return scry_ocr_classify(n, &r->networks->classifier, seen->rgb, seen->width, memory, NULL) > UPSIDE_DOWN;
}

/* The characters of places: the likeliest ones, each that follows itself once. */
static void decode(const reading *r, const scry_ocr_recognition *job, line *l)
{
    size_t places = scry_ocr_line_places(job->pixels.padded), count = 0;
    double sum = 0;
    for (size_t i = 0; i < places; i++) {
        if (job->probability[i] <= 0)
            continue;
        const char *text = scry_ocr_class_text(r->networks, job->best[i]);
        scry_buf_puts(&l->text, text);
        l->characters += text[0] != ' ';
        sum += (double)job->probability[i];
        count++;
    }
    l->confidence = count ? sum / (double)count : 0;
}

/* What a line says the other way up, if the reader is surer of that. */
static void decode_again(const reading *r, const scry_ocr_recognition *job, line *l)
{
    line other = { .text = SCRY_BUF_INIT(1 << 16) };
    decode(r, job, &other);
    bool surer = other.confidence > l->confidence && !other.text.failed;
    if (surer) {
        scry_buf before = l->text;
        l->text = other.text;
        other.text = before;
        l->characters = other.characters;
        l->confidence = other.confidence;
    }
    l->upside_down ^= !surer;
    scry_buf_dispose(&other.text);
}

static int read_line(scry_nn *n, reading *r, line *l, uint8_t *pixels, float *memory)
{
    scry_ocr_image crop = { pixels, l->height, l->width };
    scry_ocr_image scaled = { pixels + 3 * l->height * l->width, SCRY_OCR_LINE_HEIGHT, l->scaled }, seen = scaled;
    scry_ocr_crop(r->image, &l->box, &crop, l->turned);
    if (l->scaled > SCRY_OCR_CLASSIFIED_WIDTH) {
        seen.width = SCRY_OCR_CLASSIFIED_WIDTH;
        seen.rgb += 3 * SCRY_OCR_LINE_HEIGHT * l->scaled;
    }
    l->upside_down = l->again ? !l->upside_down : is_upside_down(n, r, &crop, &seen, memory);
    if (l->upside_down)
        scry_ocr_turn_over(&crop);
    int rc = scry_ocr_resize(&crop, &scaled, NULL);
    if (rc < 0)
        return rc;
    size_t places = scry_ocr_line_places(l->padded);
    float *probability = memory + scry_ocr_recognise_floats(&r->networks->recogniser, l->padded);
    scry_ocr_recognition job = { { scaled.rgb, SCRY_OCR_LINE_HEIGHT, l->scaled, l->padded }, memory, NULL,
                                 (uint32_t *)(probability + places),
                                 probability };
    scry_ocr_recognise(n, &r->networks->recogniser, &job);
    if (l->again)
        decode_again(r, &job, l);
    else
        decode(r, &job, l);
    return 0;
}

/* Each thread takes lines, the widest first. */
static void read_lines(scry_nn *n, void *arg)
{
    reading *r = arg;
    scry_nn alone = *n;
    alone.index = 0;
    alone.count = 1;
    uint8_t *pixels = r->pixels + (size_t)n->index * r->pixel_bytes;
    float *memory = r->memory + (size_t)n->index * r->floats;
    for (size_t i; (i = atomic_fetch_add(&r->next, 1)) < r->count;) {
        int rc = read_line(&alone, r, r->order[r->count - 1 - i], pixels, memory);
        if (rc < 0)
            r->failed = rc;
    }
}

static scry_ocr_placed placed(const line *l)
{
    scry_ocr_placed p = { .direction = (l->turned ? 1 : 0) + (l->upside_down ? 2 : 0),
                          .weight = l->confidence >= (double)SURE ? (double)l->characters : 0 };
    for (int i = 0; i < 4; i++) {
        p.box.x[i] = l->box.x[(i + p.direction) % 4];
        p.box.y[i] = l->box.y[(i + p.direction) % 4];
    }
    return p;
}

static scry_ocr_placed *place_all(const reading *r)
{
    scry_ocr_placed *all = scry_alloc(r->count * sizeof *all);
    for (size_t i = 0; i < r->count; i++)
        all[i] = placed(&r->lines[i]);
    return all;
}

/* Leave in r->order those that are unsure, and the other way up than most of the page: how many. */
static size_t choose_again(reading *r)
{
    size_t chosen = 0;
    scry_ocr_placed *all = place_all(r);
    int direction = scry_ocr_page_direction(all, r->count);
    for (size_t i = 0; i < r->count && direction >= 0; i++) {
        line *l = r->order[i];
        l->again = (all[l - r->lines].direction ^ 2) == direction && l->confidence < (double)SURE;
        if (l->again)
            r->order[chosen++] = l;
    }
    free(all);
    return chosen;
}

static void read_again(scry_ocr *o, reading *r)
{
    size_t count = r->count, chosen = choose_again(r);
    if (chosen == 0)
        return;
    r->count = chosen;
    r->next = 0;
    scry_team_run(o->team, read_lines, r);
    r->count = count;
}

/* The lines' shapes, and memory for the threads, before they are read. */
static int read_all(scry_ocr *o, reading *r, scry_error *err)
{
    size_t threads = (size_t)scry_team_threads(o->team), widest = 0;
    measure_lines(r);
    for (size_t i = 0; i < r->count; i++) {
        size_t bytes = bytes_of(&r->lines[i]);
        r->pixel_bytes = bytes > r->pixel_bytes ? bytes : r->pixel_bytes;
        widest = r->lines[i].padded > widest ? r->lines[i].padded : widest;
    }
    size_t floats = scry_ocr_recognise_floats(&o->networks.recogniser, widest) + 2 * scry_ocr_line_places(widest),
        least = scry_ocr_classify_floats();
    r->floats = ((floats > least ? floats : least) + 15) / 16 * 16;
    int rc = scry_ocr_reserve(&o->locator, r->floats * threads, err);
    r->memory = o->locator.memory;
    r->pixels = scry_try_alloc(threads, r->pixel_bytes);
    if (rc == 0 && !r->pixels)
        rc = scry_fail(err, SCRY_ENOMEM, "not enough memory for lines of %zu bytes", r->pixel_bytes);
    if (rc == 0)
        scry_team_run(o->team, read_lines, r);
    if (rc == 0 && !r->failed && !o->reads_once)
        read_again(o, r);
    if (rc == 0 && r->failed)
        rc = scry_fail(err, r->failed, "not enough memory to read a line");
    free(r->pixels);
    return rc;
}

/* ---- lines in other scripts ---- */

/* Letters that the networks do not have are left out by them, or read as others, without confidence. Their own characters are at
 * most as wide as high. */
static bool is_unsure(const line *l)
{
    return scry_ocr_has_greek(scry_buf_str(&l->text)) || l->confidence < (double)SURE ||
           l->characters * SCRY_OCR_LINE_HEIGHT < l->scaled;
}

/* The line's picture as for the networks, grey: where there were three bytes is one. */
static int draw_grey(const reading *r, const line *l, scry_ocr_grey *out, scry_error *err)
{
    scry_ocr_image crop, scaled = { NULL, 0, 0 };
    int rc = scry_ocr_new_image(&crop, l->height, l->width, err);
    if (rc < 0)
        return rc;
    scry_ocr_crop(r->image, &l->box, &crop, l->turned);
    if (l->upside_down)
        scry_ocr_turn_over(&crop);
    rc = scry_ocr_new_image(&scaled, SCRY_OCR_LINE_HEIGHT, l->scaled, err);
    if (rc == 0)
        rc = scry_ocr_resize(&crop, &scaled, err);
    free(crop.rgb);
    if (rc < 0) {
        free(scaled.rgb);
        return rc;
    }
    uint8_t *p = scaled.rgb;
    for (size_t i = 0; i < SCRY_OCR_LINE_HEIGHT * l->scaled; i++)
        p[i] = (uint8_t)((77 * p[3 * i] + 150 * p[3 * i + 1] + 29 * p[3 * i + 2]) >> 8);
    *out = (scry_ocr_grey){ p, SCRY_OCR_LINE_HEIGHT, l->scaled };
    return 0;
}

static void turn_over(uint8_t *grey, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t other = grey[i];
        grey[i] = grey[n - 1 - i];
        grey[n - 1 - i] = other;
    }
}

/* The other reader's text of the picture, if its confidence is at least `least`: then *taken. */
static int ask_other(const scry_ocr *o, const scry_ocr_grey *grey, float least, line *l, bool *taken, scry_error *err)
{
    char *text = NULL;
    float confidence = 0;
    int rc = o->other.read(o->other.arg, grey, &text, &confidence, err);
    bool greek = scry_ocr_has_greek(scry_buf_str(&l->text));
    *taken = rc == 0 && text && confidence >= (greek ? LEAST_GREEK : least) && scry_ocr_has_other_letters(text, greek);
    if (*taken) {
        scry_buf_clear(&l->text);
        scry_buf_puts(&l->text, text);
        l->confidence = (double)confidence;
    }
    free(text);
    return rc;
}

/* An unsure line also upside down, since the classifier of that knows no other letters. */
static int read_other(const scry_ocr *o, const reading *r, line *l, bool unsure, bool *taken, scry_error *err)
{
    scry_ocr_grey grey;
    int rc = draw_grey(r, l, &grey, err);
    if (rc < 0)
        return rc;
    rc = ask_other(o, &grey, unsure ? LEAST_OTHER : SURE, l, taken, err);
    if (rc == 0 && !*taken && unsure) {
        turn_over(grey.pixels, grey.height * grey.width);
        rc = ask_other(o, &grey, LEAST_OTHER, l, taken, err);
        l->upside_down ^= *taken;
    }
    free(grey.pixels);
    return rc;
}

/* First the unsure lines; if one is in another script, all: networks may be sure of capitals that look like Latin ones. */
static int read_others(const scry_ocr *o, const reading *r, scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    bool any = false, *asked = scry_alloc(r->count * sizeof *asked);
    int rc = 0;
    for (int pass = 0; rc == 0 && o->other.read && pass < (any ? 2 : 1); pass++)
        for (size_t i = 0; rc == 0 && i < r->count; i++) {
            bool taken = false;
            if (asked[i] || (pass == 0 && !is_unsure(&r->lines[i])))
                continue;
            asked[i] = true;
            rc = read_other(o, r, &r->lines[i], pass == 0, &taken, &why);
            any |= taken;
        }
    free(asked);
    return rc == 0 || rc == SCRY_EINVALID || rc == SCRY_ELIMIT ? 0 : scry_fail(err, rc, "%s", why.message);
}

/* ---- the page ---- */

static bool has_text(const char *s)
{
    while (*s == ' ' || strncmp(s, "\xe3\x80\x80", 3) == 0)
        s += *s == ' ' ? 1 : 3;
    return *s != '\0';
}

/* The corners in parts of the picture, from where reading begins; `top` rows above the picture are not its own. */
static void place(const reading *r, const line *l, size_t top, scry_ocr_line *out)
{
    const float w = (float)r->image->width, h = (float)(r->image->height - 2 * top);
    const int first = (l->turned ? 1 : 0) + (l->upside_down ? 2 : 0);
    for (int i = 0; i < 4; i++) {
        float x = l->box.x[(i + first) % 4] / w, y = (l->box.y[(i + first) % 4] - (float)top) / h;
        out->corner[2 * i] = x < 0 ? 0 : x > 1 ? 1 : x;
        out->corner[2 * i + 1] = y < 0 ? 0 : y > 1 ? 1 : y;
    }
}

static void make_page(reading *r, size_t top, scry_ocr_page *page)
{
    size_t *order = scry_alloc((r->count + 1) * sizeof *order);
    scry_ocr_placed *all = place_all(r);
    scry_ocr_reading_order(all, r->count, order);
    free(all);
    page->lines = scry_alloc((r->count ? r->count : 1) * sizeof *page->lines);
    for (size_t i = 0; i < r->count; i++) {
        line *l = &r->lines[order[i]];
        if ((float)l->confidence >= LEAST_CONFIDENCE && !l->text.failed && has_text(scry_buf_str(&l->text))) {
            scry_ocr_line *out = &page->lines[page->count++];
            place(r, l, top, out);
            out->text = scry_buf_take(&l->text);
            out->confidence = (float)l->confidence;
        }
        scry_buf_dispose(&l->text);
    }
    free(order);
}

static int read_page(scry_ocr *o, const scry_ocr_image *image, size_t top, scry_ocr_page *page, scry_error *err)
{
    size_t count = 0;
    scry_ocr_box *boxes = scry_alloc(SCRY_OCR_MAX_BOXES * sizeof *boxes);
    int rc = scry_ocr_locate(&o->locator, image, boxes, &count, err);
    if (rc == 0 && count) {
        reading r = { .networks = &o->networks, .image = image, .count = count };
        r.lines = scry_alloc(count * sizeof *r.lines);
        r.order = scry_alloc(count * sizeof *r.order);
        for (size_t i = 0; i < count; i++) {
            r.lines[i] = (line){ .box = boxes[i], .text = SCRY_BUF_INIT(1 << 16) };
            scry_ocr_crop_size(&boxes[i], &r.lines[i].height, &r.lines[i].width, &r.lines[i].turned);
        }
        rc = read_all(o, &r, err);
        if (rc == 0)
            rc = read_others(o, &r, err);
        make_page(&r, top, page);
        free(r.lines);
        free(r.order);
    }
    free(boxes);
    if (rc < 0)
        scry_ocr_page_free(page);
    return rc;
}

int scry_ocr_read(scry_ocr *o, const scry_rgb *picture, scry_ocr_page *page, scry_error *err)
{
    scry_ocr_image image = { NULL, 0, 0 };
    size_t top = 0;
    *page = (scry_ocr_page){ NULL, 0 };
    int rc = check(picture, err);
    /* 2,000 x 1 pixels would be enlarged to 60,000 x 32 and padded to 60,000 x 15,000. */
    if (rc < 0 || picture->width < LEAST_LETTER || picture->height < LEAST_LETTER)
        return rc;
    rc = prepare(&image, picture, err);
    if (rc == 0)
        rc = pad(&image, &top, err);
    if (rc == 0)
        rc = read_page(o, &image, top, page, err);
    free(image.rgb);
    scry_ocr_trim(&o->locator, KEPT_BYTES / sizeof(float));
    return rc;
}
