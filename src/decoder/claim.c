#include "decoder/claim.h"

#include "decoder/reader.h"

int scry_refuse_claim(const char *format, size_t size, int w, int h, scry_error *err)
{
    return scry_fail(err, SCRY_EINVALID, "truncated %s: %zu bytes cannot hold %d x %d pixels", format, size, w, h);
}

int scry_check_claim(const struct scry_job *job, int w, int h, scry_error *err)
{
    enum { MOST = 1032, DEPTH_AT = 24, KIND_AT = 25 };   /* in the file: its first chunk is IHDR */
    static const uint8_t channels[] = { 1, 0, 3, 1, 2, 0, 4 };
    if (job->request->format != SCRY_FORMAT_PNG || job->size <= KIND_AT || job->bytes[KIND_AT] >= sizeof channels)
        return 0;
    uint64_t bits = (uint64_t)w * job->bytes[DEPTH_AT] * channels[job->bytes[KIND_AT]];
    uint64_t inflated = (1 + bits / 8) * (uint64_t)h;
    return inflated / MOST > job->size ? scry_refuse_claim("PNG", job->size, w, h, err) : 0;
}
