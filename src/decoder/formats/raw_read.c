/* raw_read.c - camera RAW: a preview that the camera stored in the file, else the developed picture.
 *
 * The preview is what the photographer saw, and ten times as fast. Of several the smallest is read that serves the request.
 * The sensor's data are developed when there is none, as in most files of telephones, or only a thumbnail. Width and height
 * of the result depend on the file alone: they are the largest preview's, or the developed picture's.
 */
#include "decoder/formats/formats.h"
#include "decoder/claim.h"
#include "decoder/cut.h"
#include "decoder/jpeg_size.h"
#include "decoder/raw_previews.h"
#include "decoder/rows.h"

#include "base/alloc.h"
#include "decoder/file_headers.h"
#include "metadata/fields.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libraw/libraw.h>

/* LibRaw's rotation as EXIF has it. */
static int orientation_of(int flip)
{
    return flip == 3 ? 3 : flip == 5 ? 8 : flip == 6 ? 6 : 1;
}

static int damaged(const scry_job *job, int rc, scry_error *err)
{
    if (rc == LIBRAW_UNSUFFICIENT_MEMORY)
        return scry_fail(err, SCRY_ENOMEM, "decoding needs more memory than the limit");
    if (scry_is_cut(SCRY_FORMAT_RAW, (scry_bytes){ job->bytes, job->size }))
        return scry_fail(err, SCRY_EINVALID, "truncated camera RAW: bytes of the picture are missing");
    if (rc == LIBRAW_FILE_UNSUPPORTED)
        return scry_fail(err, SCRY_EINVALID, "a camera RAW that LibRaw does not know");
    if (rc == LIBRAW_NO_THUMBNAIL || rc == LIBRAW_UNSUPPORTED_THUMBNAIL)
        return scry_fail(err, SCRY_EINVALID, "a camera RAW without a preview");
    return scry_fail(err, SCRY_EINVALID, "damaged camera RAW: %s", rc == LIBRAW_SUCCESS ? "bad data" : libraw_strerror(rc));
}

/* As the file's headers say; camera and time from LibRaw where they have none that are known here. `raw`: NULL where LibRaw
 * does not know the camera. */
static void read_facts(const scry_job *job, const libraw_data_t *raw)
{
    scry_decode_result *r = &job->reply->result;
    scry_metadata *m = &r->metadata;
    scry_read_file_headers(SCRY_FORMAT_RAW, (scry_bytes){ job->bytes, job->size }, NULL, m);
    r->orientation = m->orientation ? m->orientation : 1;
    if (!raw)
        return;
    scry_metadata_put_camera(m, raw->idata.make, raw->idata.model);
    struct tm local;
    time_t taken = raw->other.timestamp;   /* the clock at the place, which LibRaw took for this machine's zone */
    bool is_dated = m->taken_source != SCRY_TAKEN_UNKNOWN && m->taken_source != SCRY_TAKEN_GPS;
    if (!is_dated && taken > 0 && localtime_r(&taken, &local))
        scry_metadata_put_date(m, &(scry_date){ .at = timegm(&local) }, SCRY_TAKEN_EXIF_ORIGINAL);
    r->orientation = orientation_of(raw->sizes.flip);
}

static void bitmap_row(const void *picture, int y, uint8_t *out)
{
    const libraw_thumbnail_t *t = picture;
    size_t n = 3 * (size_t)t->twidth;
    memcpy(out, t->thumb + (size_t)y * n, n);
}

static int read_bitmap(const scry_job *job, const libraw_thumbnail_t *t, scry_error *err)
{
    scry_sink sink = { 0 };
    int rc = scry_sink_init(&sink, job, t->twidth, t->theight, err);
    if (rc == 0 && (size_t)t->tlength < 3 * (size_t)t->twidth * (size_t)t->theight)
        rc = scry_fail(err, SCRY_EINVALID, "truncated preview of a camera RAW");
    if (rc == 0)
        rc = scry_put_picture(&sink, bitmap_row, t, err);
    scry_sink_dispose(&sink);
    return rc;
}

static int read_jpeg(const scry_job *job, scry_bytes jpeg, const scry_preview *whole, scry_error *err)
{
    scry_job preview = *job;
    preview.bytes = jpeg.p;
    preview.size = jpeg.n;
    preview.is_preview = true;
    preview.whole_w = whole ? whole->w : 0;
    preview.whole_h = whole ? whole->h : 0;
    return scry_read_jpeg(&preview, err);
}

/* LibRaw's preview. */
static int read_thumbnail(const scry_job *job, const libraw_thumbnail_t *t, scry_error *err)
{
    if (t->tformat == LIBRAW_THUMBNAIL_BITMAP)
        return read_bitmap(job, t, err);
    return read_jpeg(job, (scry_bytes){ (const uint8_t *)t->thumb, t->tlength }, NULL, err);
}

/* The smallest of the previews that serves the request; the last is the largest. */
static int read_previews(const scry_job *job, const scry_preview *p, size_t count, scry_error *err)
{
    const scry_preview *whole = &p[count - 1];
    scry_sink sink = { 0 };
    int rc = scry_sink_init(&sink, job, whole->w, whole->h, err);
    while (rc == 0 && p < whole && !scry_sink_may_be_copy(&sink, p->w, p->h))
        p++;
    scry_sink_dispose(&sink);
    return rc < 0 ? rc : read_jpeg(job, p->jpeg, whole, err);
}

/* Whether a preview is no mere thumbnail: of at least 1,024 pixels, or half of what the sensor has. */
static bool suffices(const libraw_data_t *raw, int w, int h)
{
    enum { ENOUGH = 1024 };
    int side = w > h ? w : h, sensor = raw->sizes.width > raw->sizes.height ? raw->sizes.width : raw->sizes.height;
    return side >= ENOUGH || 2 * side >= sensor;
}

static bool thumbnail_suffices(const libraw_data_t *raw)
{
    const libraw_thumbnail_t *t = &raw->thumbnail;
    int w = t->twidth, h = t->theight;
    if (t->tformat == LIBRAW_THUMBNAIL_JPEG && !scry_jpeg_size((const uint8_t *)t->thumb, t->tlength, &w, &h))
        return true;   /* its reader says why it is damaged */
    return suffices(raw, w, h);
}

/* ---- developing ----------------------------------------------------------------- */

#if LIBRAW_COMPILE_CHECK_VERSION_NOTLESS(0, 22)
typedef INT64 damaged_at;
#else
typedef int damaged_at;
#endif

static void note_damage(void *data, const char *file, const damaged_at offset)
{
    *(bool *)data = true;
}

static void developed_row(const void *picture, int y, uint8_t *out)
{
    const libraw_processed_image_t *p = picture;
    const uint8_t *in = p->data + (size_t)y * p->width * p->colors;
    for (int x = 0; x < p->width; x++, in += p->colors)
        for (int k = 0; k < 3; k++)
            *out++ = in[p->colors >= 3 ? k : 0];
}

/* Of half the size the sensor's cells of 2 x 2 need no interpolation. */
static int put_developed(scry_sink *sink, const libraw_processed_image_t *p, int shrink, scry_error *err)
{
    bool halved = shrink == 2 && p->width == (sink->full_w + 1) / 2 && p->height == (sink->full_h + 1) / 2;
    if (p->type != LIBRAW_IMAGE_BITMAP || p->bits != 8)
        return scry_fail(err, SCRY_EINVALID, "a camera RAW without a preview");
    if (!halved && (p->width != sink->full_w || p->height != sink->full_h)) {   /* square pixels of sensors with others */
        const struct scry_job *job = sink->job;
        scry_sink_dispose(sink);
        int rc = scry_sink_init(sink, job, p->width, p->height, err);
        if (rc < 0)
            return rc;
    }
    return scry_put_shrunk(sink, halved ? 2 : 1, developed_row, p, err);
}

static int develop(const scry_job *job, libraw_data_t *raw, scry_error *err)
{
    scry_sink sink = { 0 };
    bool is_damaged = false;
    int why = 0;
    libraw_processed_image_t *picture = NULL;
    int rc = scry_sink_init(&sink, job, raw->sizes.width, raw->sizes.height, err);
    if (rc == 0 && (uint64_t)raw->sizes.width * raw->sizes.height / 8 > job->size)   /* a bit for each pixel */
        rc = scry_refuse_claim("camera RAW", job->size, raw->sizes.width, raw->sizes.height, err);
    if (rc < 0) {
        scry_sink_dispose(&sink);
        return rc;
    }
    int shrink = scry_sink_shrink(&sink) >= 2 ? 2 : 1;
    raw->params.half_size = shrink == 2;
    raw->params.use_camera_wb = 1;
    raw->params.user_qual = 0;    /* interpolated linearly: what is resampled hides the difference */
    raw->params.user_flip = 0;    /* the sink turns it */
    raw->params.output_bps = 8;
    libraw_set_dataerror_handler(raw, note_damage, &is_damaged);
    why = libraw_unpack(raw);
    if (why == LIBRAW_SUCCESS)
        why = libraw_dcraw_process(raw);
    if (why == LIBRAW_SUCCESS)
        picture = libraw_dcraw_make_mem_image(raw, &why);
    if (!picture)
        rc = damaged(job, why, err);
    else if (is_damaged)
        rc = damaged(job, LIBRAW_SUCCESS, err);
    else
        rc = put_developed(&sink, picture, shrink, err);
    if (picture)
        libraw_dcraw_clear_mem(picture);
    scry_sink_dispose(&sink);
    return rc;
}

/* *usable: LibRaw has a preview of a kind that is read here. */
static int unpack_thumbnail(const scry_job *job, libraw_data_t *raw, bool *usable, scry_error *err)
{
    int rc = libraw_unpack_thumb(raw);
    const libraw_thumbnail_t *t = &raw->thumbnail;
    *usable = rc == LIBRAW_SUCCESS && (t->tformat == LIBRAW_THUMBNAIL_BITMAP || t->tformat == LIBRAW_THUMBNAIL_JPEG);
    return rc == LIBRAW_SUCCESS || rc == LIBRAW_NO_THUMBNAIL || rc == LIBRAW_UNSUPPORTED_THUMBNAIL ? 0 : damaged(job, rc, err);
}

static int open_file(const scry_job *job, libraw_data_t *raw, scry_error *err)
{
    int rc = libraw_open_buffer(raw, (void *)job->bytes, job->size);
    return rc == LIBRAW_SUCCESS ? 0 : damaged(job, rc, err);
}

/* A file whose picture cannot be developed has its thumbnail at least. */
static int develop_or_thumbnail(const scry_job *job, libraw_data_t *raw, scry_error *err)
{
    scry_error ignored = SCRY_ERROR_INIT;
    bool usable = false;
    int rc = unpack_thumbnail(job, raw, &usable, err);
    if (rc < 0)
        return rc;
    if (usable && thumbnail_suffices(raw))
        return read_thumbnail(job, &raw->thumbnail, err);
    rc = develop(job, raw, usable ? &ignored : err);
    if (rc == 0 || !usable)
        return rc;
    job->reply->result.damaged = true;
    rc = open_file(job, raw, err);   /* again: LibRaw has released it all */
    if (rc == 0)
        rc = unpack_thumbnail(job, raw, &usable, err);
    return rc == 0 && usable ? read_thumbnail(job, &raw->thumbnail, err) : rc;
}

static int read_best(const scry_job *job, libraw_data_t *raw, scry_error *err)
{
    scry_preview previews[SCRY_MAX_PREVIEWS];
    size_t count = scry_raw_previews((scry_bytes){ job->bytes, job->size }, previews);
    int rc = open_file(job, raw, err);
    read_facts(job, rc == 0 ? raw : NULL);
    if (count > 0 && suffices(raw, previews[count - 1].w, previews[count - 1].h))
        return read_previews(job, previews, count, err);
    return rc == 0 ? develop_or_thumbnail(job, raw, err) : rc;
}

void scry_raw_start(void)
{
    void (*threads)(int);   /* LibRaw's; each decoding thread of scry has a decoder already */
    *(void **)&threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (threads)
        threads(1);
}

int scry_read_raw(const scry_job *job, scry_error *err)
{
    libraw_data_t *raw = libraw_init(0);
    if (!raw)
        return damaged(job, LIBRAW_UNSUFFICIENT_MEMORY, err);
    int rc = read_best(job, raw, err);
    libraw_close(raw);
    return rc;
}
