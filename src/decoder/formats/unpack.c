#include "decoder/formats/formats.h"

#include <brotli/decode.h>
#include <zlib.h>

static size_t unpack_zlib(scry_bytes packed, int window_bits, uint8_t *out, size_t capacity)
{
    z_stream z = { .next_in = (z_const Bytef *)packed.p, .avail_in = (uInt)packed.n, .next_out = out, .avail_out = (uInt)capacity };
    if (inflateInit2(&z, window_bits) != Z_OK)
        return 0;
    int rc = inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? capacity - z.avail_out : 0;
}

static size_t unpack_brotli(scry_bytes packed, uint8_t *out, size_t capacity)
{
    BrotliDecoderState *b = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (!b)
        return 0;
    size_t left = capacity;
    BrotliDecoderResult rc = BrotliDecoderDecompressStream(b, &packed.n, &packed.p, &left, &out, NULL);
    BrotliDecoderDestroyInstance(b);
    return rc == BROTLI_DECODER_RESULT_ERROR ? 0 : capacity - left;
}

static size_t unpack(scry_packing how, scry_bytes packed, uint8_t *out, size_t capacity)
{
    switch (how) {
    case SCRY_PACKED_ZLIB:    return unpack_zlib(packed, MAX_WBITS, out, capacity);
    case SCRY_PACKED_DEFLATE: return unpack_zlib(packed, -MAX_WBITS, out, capacity);
    case SCRY_PACKED_BROTLI:  return unpack_brotli(packed, out, capacity);
    }
    return 0;
}

const scry_unpacker *scry_unpacker_get(void)
{
    static uint8_t memory[1 << 20];
    static const scry_unpacker u = { unpack, memory, sizeof memory };
    return &u;
}
