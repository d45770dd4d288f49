#include "decoder/formats/formats.h"
#include "decoder/line_read.h"

/* The libraries that decode these apply the orientation themselves; the reply has its value. */
static bool turned_by_loader(const scry_job *job)
{
    uint32_t format = job->request->format;
    return format == SCRY_FORMAT_HEIC || format == SCRY_FORMAT_AVIF || format == SCRY_FORMAT_JXL;
}

int scry_turn_to_apply(const scry_job *job)
{
    static const uint8_t back[] = { 0, 1, 2, 3, 4, 5, 8, 7, 6 };
    int orientation = job->reply->result.orientation;
    bool keep = job->request->what.keep_orientation;
    if (turned_by_loader(job))
        return keep ? back[orientation] : 1;
    /* Pillow applies the orientation of TIFF itself, so the references see it applied. */
    return keep && job->request->format != SCRY_FORMAT_TIFF ? 1 : orientation;
}

int scry_read_picture(const scry_job *job, scry_error *err)
{
    job->reply->result.orientation = 1;
    if (job->request->what.kind == SCRY_DECODE_LINE)
        return scry_read_line(job, err);
    if (scry_wire_needs_formats(job->request->format) && !job->formats)
        return job->no_formats ? scry_fail(err, SCRY_ENOTFOUND, "%s", job->no_formats)
                               : scry_fail(err, SCRY_EINVALID, "this decoder was started without libvips");
    switch ((scry_format)job->request->format) {
    case SCRY_FORMAT_JPEG: return scry_read_jpeg(job, err);
    case SCRY_FORMAT_GIF:  return scry_read_gif(job, err);
    case SCRY_FORMAT_BMP:  return scry_read_bmp(job, err);
    case SCRY_FORMAT_PNM:  return scry_read_pnm(job, err);
    case SCRY_FORMAT_RAW:  return job->formats->read_raw(job, err);
    default:               return job->formats->read_vips(job, err);
    }
}
