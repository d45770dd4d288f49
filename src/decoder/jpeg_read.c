/* jpeg_read.c - JPEG to rows of RGB, as Pillow's convert("RGB") has them.
 *
 * libjpeg's own inverse DCT (the accurate one) and upsampling give Pillow's pixels. What the
 * views do not need is not decoded: resolution (the DCT scales down to twice the target),
 * columns and rows outside the crop. The rest of the file is still parsed to its end, to learn whether
 * it is cut short. One that is, is read once more, with every row and from its beginning, to count the rows that
 * are there (jpeg_damage.h).
 */
#include "decoder/reader.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/alloc.h"
#include "decoder/claim.h"
#include "decoder/jpeg_damage.h"
#include "metadata/headers.h"

enum {
    LEAST_PERCENT = 90,    /* of the rows that must be there */
    MAX_SCANS = 500,       /* of a progressive file: each costs a pass over all of it */
    STRIP_ROWS = 16,
    COLUMN_MARGIN = 32     /* upsampling needs the neighbours of the crop's edge */
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
    bool finishing;        /* all rows are in the sink */
    bool counting;         /* the second reading of a truncated file */
    scry_jpeg_damage damage;
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

/* The data end here, before the picture does. */
static void cut(reader *r)
{
    r->truncated = true;
    if (!r->counting)
        stop((j_common_ptr)&r->c);
}

static boolean ran_out(j_decompress_ptr c)
{
    static const JOCTET end_of_image[] = { 0xff, JPEG_EOI };
    cut((reader *)c);
    c->src->next_input_byte = end_of_image;
    c->src->bytes_in_buffer = sizeof end_of_image;
    return TRUE;
}

static void heed_warning(j_common_ptr c, int level)
{
    reader *r = (reader *)c;
    if (level >= 0 || c->err->msg_code != JWRN_HIT_MARKER || r->c.unread_marker != JPEG_EOI)
        return;
    cut(r);
    scry_jpeg_damage_cut(&r->damage, &r->c);   /* at the end of the file, or an end marker too early */
}

static void skip_input(j_decompress_ptr c, long n)
{
    struct jpeg_source_mgr *s = c->src;
    if (n <= 0)
        return;
    if ((size_t)n > s->bytes_in_buffer) {
        ran_out(c);
        return;
    }
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
    r->errors.emit_message = heed_warning;
    jpeg_create_decompress(&r->c);
    r->source = (struct jpeg_source_mgr){
        .next_input_byte = r->job->bytes, .bytes_in_buffer = r->job->size,
        .init_source = no_work, .fill_input_buffer = ran_out, .skip_input_data = skip_input,
        .resync_to_restart = jpeg_resync_to_restart, .term_source = no_work,
    };
    r->c.src = &r->source;
    r->progress.progress_monitor = watch;
    r->c.progress = &r->progress;
}

/* ---- reading ------------------------------------------------------------------- */

static void check(reader *r, int rc)
{
    if (rc < 0)
        stop((j_common_ptr)&r->c);
}

/* Huffman coding takes at least a bit for each block of 64 samples; half of that is required, since damaged files
 * are read in part (jpeg_damage.h). Progressive ones would take memory for all blocks. */
static bool is_credible(const reader *r)
{
    const struct jpeg_decompress_struct *c = &r->c;
    uint64_t blocks = 0;
    for (int i = 0; i < c->num_components; i++)
        blocks += (uint64_t)c->comp_info[i].width_in_blocks * c->comp_info[i].height_in_blocks;
    return c->arith_code || blocks / 2 / 8 <= r->job->size;
}

static void read_header(reader *r)
{
    struct jpeg_decompress_struct *c = &r->c;
    scry_decode_result *result = &r->job->reply->result;
    jpeg_read_header(c, TRUE);
    if (!r->job->is_preview) {
        scry_headers_read_jpeg((scry_bytes){ r->job->bytes, r->job->size }, &result->metadata);
        if (result->metadata.orientation)
            result->orientation = result->metadata.orientation;
    }
    check(r, scry_sink_init(&r->sink, r->job, (int)c->image_width, (int)c->image_height, &r->err));
    if (!is_credible(r))
        check(r, scry_refuse_claim("JPEG", r->job->size, (int)c->image_width, (int)c->image_height, &r->err));
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

/* Rows [from, to) to the sink; `x` is the first column that libjpeg returns. */
static void read_rows(reader *r, int to, unsigned x, size_t stride)
{
    struct jpeg_decompress_struct *c = &r->c;
    while ((int)c->output_scanline < to) {
        int y = (int)c->output_scanline, n = 0;
        while (n < STRIP_ROWS && y + n < to) {
            uint8_t *row = r->strip + (size_t)n * stride + 3 * (size_t)x;
            JSAMPROW line = r->cmyk ? r->cmyk : row;
            n += (int)jpeg_read_scanlines(c, &line, 1);
            if (r->counting)
                scry_jpeg_damage_follow(&r->damage, c);
            if (r->cmyk)
                from_cmyk(r->cmyk, (int)c->output_width, row);
        }
        scry_sink_put(&r->sink, y, n, r->strip, stride);
    }
}

/* What lies behind the last row decides only whether the file is damaged. */
static void finish(reader *r)
{
    struct jpeg_decompress_struct *c = &r->c;
    if (!r->counting) {
        jpeg_finish_decompress(c);
    } else {
        int percent = scry_jpeg_damage_percent(&r->damage, c);
        if (percent < LEAST_PERCENT)
            check(r, scry_fail(&r->err, SCRY_EINVALID, "truncated JPEG: %d %% of its rows are there", percent));
        r->job->reply->result.damaged = true;
    }
    check(r, scry_sink_finish(&r->sink, &r->err));
}

static void read_picture(reader *r)
{
    struct jpeg_decompress_struct *c = &r->c;
    if (r->counting && jpeg_has_multiple_scans(c))
        c->src->bytes_in_buffer = scry_jpeg_damage_left(&r->damage, c);
    jpeg_start_decompress(c);
    r->damage.first = r->damage.start = c->src->next_input_byte;
    int w = (int)c->output_width, h = (int)c->output_height;
    check(r, scry_sink_begin(&r->sink, w, h, (int)c->scale_denom, &r->err));
    size_t stride = 3 * (size_t)w + SCRY_ROW_SLACK;
    r->strip = scry_try_alloc(STRIP_ROWS, stride);
    r->cmyk = c->out_color_space == JCS_CMYK ? scry_try_alloc((size_t)w, 4) : NULL;
    if (!r->strip || (c->out_color_space == JCS_CMYK && !r->cmyk))
        check(r, scry_fail(&r->err, SCRY_ENOMEM, "no memory for rows of %d pixels", w));
    scry_span rows = scry_sink_rows(&r->sink), columns = scry_sink_columns(&r->sink);
    JDIMENSION x = 0;
    if (r->counting)
        rows = (scry_span){ 0, h };
    if (!r->counting && columns.end - columns.first + 2 * COLUMN_MARGIN < w) {
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
    r->finishing = true;
    finish(r);
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

/* *again: the file is cut short, or what lies behind the last row makes no sense. */
static int read_once(const scry_job *job, bool counting, bool *again, scry_error *err)
{
    reader *r = scry_alloc(sizeof *r);
    r->job = job;
    r->counting = counting;
    scry_jpeg_damage_init(&r->damage, job->bytes, job->size);
    int rc = 0;
    if (setjmp(r->jump) == 0) {
        open_source(r);
        read_header(r);
        read_picture(r);
    } else {
        rc = explain(r, err);
        *again = r->truncated || (r->finishing && !r->err.code);
    }
    jpeg_destroy_decompress(&r->c);
    scry_sink_dispose(&r->sink);
    free(r->strip);
    free(r->cmyk);
    free(r);
    return rc;
}

int scry_read_jpeg(const scry_job *job, scry_error *err)
{
    bool again = false;
    int rc = read_once(job, false, &again, err);
    return again ? read_once(job, true, &again, err) : rc;
}
