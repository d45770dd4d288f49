/* Both directions of the decoder protocol: replies of a compromised worker, and requests. */
#include "image/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t output[1 << 16];
    scry_wire_request request = { 0 };
    scry_decode_result result;
    scry_error err = SCRY_ERROR_INIT;
    if (size < 1)
        return 0;
    size_t n = size - 1 < sizeof request ? size - 1 : sizeof request;
    memcpy(&request, data + 1, n);
    if (data[0] & 1) {   /* as an honest client has it */
        request.magic = SCRY_WIRE_MAGIC;
        request.serial = 7;
        request.output_bytes = sizeof output;
    }
    if (request.output_bytes > sizeof output)
        request.output_bytes = sizeof output;
    if (scry_wire_check_request(&request, &err) == 0
        && scry_wire_pixel_bytes(&request.what) > request.output_bytes)
        abort();
    if (scry_wire_take_reply(data + 1 + n, size - 1 - n, &request, output, &result, &err) < 0)
        return 0;
    if (request.what.kind == SCRY_DECODE_RGB
        && 3 * (uint64_t)result.rgb_width * (uint64_t)result.rgb_height > scry_wire_pixel_bytes(&request.what))
        abort();
    if (result.encoded_bytes > request.output_bytes || result.width < 1 || result.orientation > 8
        || !scry_metadata_is_sound(&result.metadata))
        abort();
    return 0;
}
