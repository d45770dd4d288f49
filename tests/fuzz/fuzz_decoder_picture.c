/* PNG without its texts, whether a file is cut off, and the readers of scry-decode itself (JPEG around
 * libjpeg, GIF, BMP, PNM) and the sink: the first byte chooses the request, the format is sniffed. */
#include "decoder/cut.h"
#include "decoder/png_thin.h"
#include "decoder/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { SIDE = 24, OUTPUT = 1 << 18 };
    static uint8_t out[OUTPUT];
    if (size < 2)
        return 0;
    size_t thin_size = 0;
    uint8_t *thin = scry_png_thin(data + 1, size - 1, &thin_size);
    if (thin && thin_size >= size - 1)
        abort();
    free(thin);
    uint8_t how = data[0];
    scry_decode_kind kind = how & 1 ? SCRY_DECODE_JPEG : how & 64 ? SCRY_DECODE_RGB : SCRY_DECODE_VIEWS;
    scry_format format = scry_sniff_format(data + 1, size - 1);
    (void)scry_is_cut(format, (scry_bytes){ data + 1, size - 1 });
    if (format == SCRY_FORMAT_NONE || scry_wire_needs_formats(format))
        return 0;
    scry_wire_request request = {
        .magic = SCRY_WIRE_MAGIC, .input_bytes = size - 1, .output_bytes = OUTPUT,
        .max_pixels = 1 << 18, .format = format,
        .what = { .kind = kind,
                  .spec = { SIDE, 2, { SCRY_FIT_CROP_FLOOR, SCRY_FIT_SQUASH },
                            how & 2 ? SCRY_FILTER_BICUBIC : SCRY_FILTER_BILINEAR },
                  .max_side = 40, .keep_orientation = how & 4, .exact = how & 8,
                  .region = how & 16 ? (scry_region){ how >> 5, how >> 6, 9, 7 }
                                     : (scry_region){ 0 } },
    };
    scry_wire_reply reply = { 0 };
    scry_error err = SCRY_ERROR_INIT;
    /* A copy of its own, so that reading past the end is seen. */
    uint8_t *bytes = malloc(size - 1);
    for (size_t i = 1; i < size; i++)
        bytes[i - 1] = data[i];
    scry_job job = { .bytes = bytes, .size = size - 1, .request = &request, .out = out,
                     .reply = &reply };
    if (scry_wire_check_request(&request, &err) == 0 && scry_read_picture(&job, &err) < 0
        && (err.code == 0 || !err.message[0]))
        abort();
    free(bytes);
    return 0;
}
