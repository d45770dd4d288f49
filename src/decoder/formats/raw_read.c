/* raw_read.c - camera RAW: the preview that the camera put into the file.
 *
 * The sensor's data are not developed: the preview is what the photographer saw, and a
 * hundred times as fast. Width and height of the result are the preview's.
 */
#include "decoder/formats/formats.h"
#include "decoder/rows.h"

#include "base/alloc.h"
#include "decoder/exif.h"

#include <stdlib.h>
#include <string.h>

#include <libraw/libraw.h>

/* LibRaw's rotation as EXIF has it. */
static int orientation_of(int flip)
{
    return flip == 3 ? 3 : flip == 5 ? 8 : flip == 6 ? 6 : 1;
}

static int damaged(int rc, scry_error *err)
{
    if (rc == LIBRAW_UNSUFFICIENT_MEMORY)
        return scry_fail(err, SCRY_ENOMEM, "decoding needs more memory than the limit");
    if (rc == LIBRAW_FILE_UNSUPPORTED)
        return scry_fail(err, SCRY_EINVALID, "a camera RAW that LibRaw does not know");
    if (rc == LIBRAW_NO_THUMBNAIL || rc == LIBRAW_UNSUPPORTED_THUMBNAIL)
        return scry_fail(err, SCRY_EINVALID, "a camera RAW without a preview");
    return scry_fail(err, SCRY_EINVALID, "damaged camera RAW: %s", libraw_strerror(rc));
}

/* EXIF as the file has it; the camera from LibRaw where the file has no TIFF inside. */
static void read_facts(const scry_job *job, const libraw_data_t *raw)
{
    scry_decode_result *r = &job->reply->result;
    scry_exif_read(job->bytes, job->size, r);
    if (!r->camera[0])
        snprintf(r->camera, sizeof r->camera, "%.30s %.30s", raw->idata.make, raw->idata.model);
    for (char *c = r->camera; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            *c = '?';
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
    int rc = scry_sink_init(&sink, job->request, job->out, t->twidth, t->theight,
                            scry_turn_to_apply(job), err);
    if (rc == 0 && (size_t)t->tlength < 3 * (size_t)t->twidth * (size_t)t->theight)
        rc = scry_fail(err, SCRY_EINVALID, "truncated preview of a camera RAW");
    if (rc == 0)
        rc = scry_put_picture(&sink, t->twidth, t->theight, bitmap_row, t, job->reply, err);
    scry_sink_dispose(&sink);
    return rc;
}

static int read_preview(const scry_job *job, libraw_data_t *raw, scry_error *err)
{
    int rc = libraw_open_buffer(raw, (void *)job->bytes, job->size);
    if (rc != LIBRAW_SUCCESS)
        return damaged(rc, err);
    read_facts(job, raw);
    rc = libraw_unpack_thumb(raw);
    if (rc != LIBRAW_SUCCESS)
        return damaged(rc, err);
    const libraw_thumbnail_t *t = &raw->thumbnail;
    if (t->tformat == LIBRAW_THUMBNAIL_BITMAP)
        return read_bitmap(job, t, err);
    if (t->tformat != LIBRAW_THUMBNAIL_JPEG)
        return scry_fail(err, SCRY_EINVALID, "a camera RAW without a preview");
    scry_job preview = *job;
    preview.bytes = (const uint8_t *)t->thumb;
    preview.size = t->tlength;
    preview.is_preview = true;
    return scry_read_jpeg(&preview, err);
}

int scry_read_raw(const scry_job *job, scry_error *err)
{
    libraw_data_t *raw = libraw_init(0);
    if (!raw)
        return damaged(LIBRAW_UNSUFFICIENT_MEMORY, err);
    int rc = read_preview(job, raw, err);
    libraw_close(raw);
    return rc;
}
