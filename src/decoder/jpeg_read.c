/* jpeg_read.c - JPEG to rows of RGB, as Pillow's convert("RGB") has them.
 *
 * libjpeg's own inverse DCT (the accurate one) and upsampling give Pillow's pixels.
 * Three things are left out that the views do not need: resolution (the DCT's scaling,
 * down to twice the target), columns outside the crop, and rows outside of it. The rest
 * of the file is still parsed to its end, because a file that is cut short is an error.
 */
#include "decoder/reader.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/alloc.h"
#include "decoder/exif.h"

enum {
    MAX_SCANS = 500,       /* of a progressive file: each costs a pass over all of it */
    STRIP_ROWS = 16,
    COLUMN_MARGIN = 32     /* so that upsampling sees the neighbours of the crop's edge */
};

typedef struct reader {
    struct jpeg_decompress_struct c;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    const scry_job *job;
    scry_sink sink;
    uint8_t *strip;        /* [STRIP_ROWS] padded rows of RGB */
    uint8_t *cmyk;         /* one row of four bytes a pixel, or NULL */
    bool truncated, too_many_scans;
    scry_error err;        /* when something other than libjpeg failed */
} reader;

/* ---- libjpeg's call-backs ------------------------------------------------------- */

static void stop(j_common_ptr c)
{
    longjmp(((reader *)c)->jump, 1);
}

static void quiet(j_common_ptr c)
{
}

static void no_work(j_decompress_ptr c)
{
}

static boolean ran_out(j_decompress_ptr c)
{
    reader *r = (reader *)c;
    r->truncated = true;
    stop((j_common_ptr)c);
    return FALSE;
}

static void skip_input(j_decompress_ptr c, long n)
{
    struct jpeg_source_mgr *s = c->src;
    if (n <= 0)
        return;
    if ((size_t)n > s->bytes_in_buffer)
        ran_out(c);
    s->next_input_byte += n;
    s->bytes_in_buffer -= (size_t)n;
}

static void watch(j_common_ptr c)
{
    reader *r = (reader *)c;
    if (c->is_decompressor && r->c.input_scan_number > MAX_SCANS) {
        r->too_many_scans = true;
        stop(c);
    }
}

static void open_source(reader *r)
{
    r->c.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = stop;
    r->errors.output_message = quiet;
    jpeg_create_decompress(&r->c);
    r->source = (struct jpeg_source_mgr){
        .next_input_byte = r->job->bytes, .bytes_in_buffer = r->job->size,
        .init_source = no_work, .fill_input_buffer = ran_out, .skip_input_data = skip_input,
        .resync_to_restart = jpeg_resync_to_restart, .term_source = no_work,
    };
    r->c.src = &r->source;
    r->progress.progress_monitor = watch;
    r->c.progress = &r->progress;
    jpeg_save_markers(&r->c, JPEG_APP0 + 1, 0xffff);
}

/* ---- reading ------------------------------------------------------------------- */

static void check(reader *r, int rc)
{
    if (rc < 0)
        stop((j_common_ptr)&r->c);
}

static void read_exif(reader *r)
{
    for (jpeg_saved_marker_ptr m = r->c.marker_list; m; m = m->next) {
        if (m->data_length > 6 && memcmp(m->data, "Exif\0", 6) == 0) {
            scry_exif_read(m->data, m->data_length, &r->job->reply->result);
            return;
        }
    }
}

static void read_header(reader *r)
{
    struct jpeg_decompress_struct *c = &r->c;
    jpeg_read_header(c, TRUE);
    if (!r->job->is_preview)
        read_exif(r);
    check(r, scry_sink_init(&r->sink, r->job->request, r->job->out, (int)c->image_width,
                            (int)c->image_height, scry_turn_to_apply(r->job), &r->err));
    if (c->num_components == 2)
        check(r, scry_fail(&r->err, SCRY_EINVALID, "a JPEG of two colour components"));
    c->out_color_space = c->num_components >= 4 ? JCS_CMYK : JCS_RGB;
    c->scale_num = 1;
    c->scale_denom = (unsigned)scry_sink_shrink(&r->sink);
    c->dct_method = JDCT_ISLOW;
}

/* One row of CMYK, inverted as Adobe writes it, to RGB with Pillow's rounding. */
static void from_cmyk(const uint8_t *in, int n, uint8_t *out)
{
    for (int i = 0; i < n; i++, in += 4, out += 3) {
        for (int k = 0; k < 3; k++) {
            int white = in[3];
            int v = (255 - in[k]) * white + 128;
            v = white - (((v >> 8) + v) >> 8);
            out[k] = (uint8_t)(v < 0 ? 0 : v);
        }
    }
}

/* Rows [from, to) to the sink; `x` is the first column that libjpeg gives. */
static void read_rows(reader *r, int to, unsigned x, size_t stride)
{
    struct jpeg_decompress_struct *c = &r->c;
    while ((int)c->output_scanline < to) {
        int y = (int)c->output_scanline, n = 0;
        while (n < STRIP_ROWS && y + n < to) {
            uint8_t *row = r->strip + (size_t)n * stride + 3 * (size_t)x;
            JSAMPROW line = r->cmyk ? r->cmyk : row;
            n += (int)jpeg_read_scanlines(c, &line, 1);
            if (r->cmyk)
                from_cmyk(r->cmyk, (int)c->output_width, row);
        }
        scry_sink_put(&r->sink, y, n, r->strip, stride);
    }
}

static void read_picture(reader *r)
{
    struct jpeg_decompress_struct *c = &r->c;
    jpeg_start_decompress(c);
    int w = (int)c->output_width, h = (int)c->output_height;
    check(r, scry_sink_begin(&r->sink, w, h, (int)c->scale_denom, &r->err));
    size_t stride = 3 * (size_t)w + SCRY_ROW_SLACK;
    r->strip = scry_try_alloc(STRIP_ROWS, stride);
    r->cmyk = c->out_color_space == JCS_CMYK ? scry_try_alloc((size_t)w, 4) : NULL;
    if (!r->strip || (c->out_color_space == JCS_CMYK && !r->cmyk))
        check(r, scry_fail(&r->err, SCRY_ENOMEM, "no memory for rows of %d pixels", w));
    scry_span rows = scry_sink_rows(&r->sink), columns = scry_sink_columns(&r->sink);
    JDIMENSION x = 0;
    if (columns.end - columns.first + 2 * COLUMN_MARGIN < w) {
        int first = columns.first > COLUMN_MARGIN ? columns.first - COLUMN_MARGIN : 0;
        int end = columns.end + COLUMN_MARGIN < w ? columns.end + COLUMN_MARGIN : w;
        JDIMENSION width = (JDIMENSION)(end - first);
        x = (JDIMENSION)first;
        jpeg_crop_scanline(c, &x, &width);
    }
    if (rows.first > 0)
        jpeg_skip_scanlines(c, (JDIMENSION)rows.first);
    read_rows(r, rows.end, x, stride);
    /* To the last row but one without pixels, then the last: skipping to the very end
     * would leave the rest of the file unread. */
    if (rows.end < h - 1)
        jpeg_skip_scanlines(c, (JDIMENSION)(h - 1 - rows.end));
    read_rows(r, h, x, stride);
    jpeg_finish_decompress(c);
    check(r, scry_sink_finish(&r->sink, r->job->reply, &r->err));
}

static int explain(reader *r, scry_error *err)
{
    char message[JMSG_LENGTH_MAX];
    if (r->err.code)
        return scry_fail(err, r->err.code, "%s", r->err.message);
    if (r->truncated)
        return scry_fail(err, SCRY_EINVALID, "truncated JPEG");
    if (r->too_many_scans)
        return scry_fail(err, SCRY_ELIMIT, "a JPEG of more than %d scans", MAX_SCANS);
    r->errors.format_message((j_common_ptr)&r->c, message);
    if (strstr(message, "nsufficient memory"))
        return scry_fail(err, SCRY_ENOMEM, "decoding needs more memory than the limit");
    return scry_fail(err, SCRY_EINVALID, "damaged JPEG: %s", message);
}

int scry_read_jpeg(const scry_job *job, scry_error *err)
{
    reader *r = scry_alloc(sizeof *r);
    r->job = job;
    int rc = 0;
    if (setjmp(r->jump) == 0) {
        open_source(r);
        read_header(r);
        read_picture(r);
    } else {
        rc = explain(r, err);
    }
    jpeg_destroy_decompress(&r->c);
    scry_sink_dispose(&r->sink);
    free(r->strip);
    free(r->cmyk);
    free(r);
    return rc;
}
