#include "decoder/formats/formats.h"

int scry_read_picture(const scry_job *job, scry_error *err)
{
    job->reply->result.orientation = 1;
    if (scry_wire_needs_formats(job->request->format) && !job->formats)
        return scry_fail(err, SCRY_EINVALID, "this decoder was started without libvips");
    switch ((scry_format)job->request->format) {
    case SCRY_FORMAT_JPEG: return scry_read_jpeg(job, err);
    case SCRY_FORMAT_GIF:  return scry_read_gif(job, err);
    case SCRY_FORMAT_BMP:  return scry_read_bmp(job, err);
    case SCRY_FORMAT_PNM:  return scry_read_pnm(job, err);
    case SCRY_FORMAT_RAW:  return job->formats->read_raw(job, err);
    default:               return job->formats->read_vips(job, err);
    }
}
