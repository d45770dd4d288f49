/* wire.h - what the client and a worker of scry-decode say to each other.
 *
 * Both are built together and run on one machine: plain structures over a SEQPACKET
 * socket, one message each. The bytes of the file and the pixels lie in two shared
 * memories whose descriptors the worker is born with:
 *
 *     client                                    worker
 *       |  <----------- hello ------------------  |  ready, or why not
 *       |  file -> input memory                   |
 *       |  ------------ request --------------->  |  reads input
 *       |  <----------- reply ------------------  |  pixels -> output memory
 *
 * The worker may have been taken over by a hostile picture: the client believes nothing
 * of a reply before scry_wire_take_reply() has checked it, and neither memory can be
 * made shorter under it.
 */
#ifndef SCRY_IMAGE_WIRE_H
#define SCRY_IMAGE_WIRE_H

#include "image/image.h"

/* Descriptors of the worker. */
enum { SCRY_WIRE_SOCKET_FD = 3, SCRY_WIRE_INPUT_FD = 4, SCRY_WIRE_OUTPUT_FD = 5 };

enum { SCRY_WIRE_MAGIC = 0x79726373 };

typedef struct scry_wire_hello {
    uint32_t magic;
    uint32_t bytes;        /* of hello, request and reply: another build is not talked to */
    int32_t code;          /* 0 = ready */
    char message[244];
} scry_wire_hello;

typedef struct scry_wire_request {
    uint32_t magic, serial;
    uint64_t input_bytes;
    uint64_t output_bytes;  /* size of the output memory */
    uint64_t max_pixels;
    int32_t format;
    int32_t time_limit_ms;
    scry_decode_request what;
} scry_wire_request;

typedef struct scry_wire_reply {
    uint32_t magic, serial;
    int32_t code;          /* 0, or SCRY_E* and `message` */
    char message[244];
    uint64_t encoded_bytes;
    scry_decode_result result;   /* format and pointers are left to the client */
} scry_wire_reply;

static inline uint32_t scry_wire_bytes(void)
{
    return (uint32_t)(sizeof(scry_wire_hello) + sizeof(scry_wire_request)
                      + sizeof(scry_wire_reply));
}

/* Whether a format is read by libvips or LibRaw, which only some workers have loaded. */
static inline bool scry_wire_needs_formats(int format)
{
    return format != SCRY_FORMAT_JPEG && format != SCRY_FORMAT_GIF && format != SCRY_FORMAT_BMP
           && format != SCRY_FORMAT_PNM;
}

/* Whether a request makes sense: views within their limits and fitting the output. For
 * the client before it asks and the worker before it works. */
int scry_wire_check_request(const scry_wire_request *r, scry_error *err) SCRY_NODISCARD;

/* Bytes that the pixels of `what` take; 0 for an encoded picture. */
size_t scry_wire_view_bytes(const scry_decode_request *what);

/* A reply of `n` bytes to `request`: its result checked and copied to *out, with pixels
 * or encoded pointing into `output`. The reply's own error is passed on; SCRY_EREMOTE when
 * it is no reply that an honest worker gives. */
int scry_wire_take_reply(const void *bytes, size_t n, const scry_wire_request *request,
                         const uint8_t *output, scry_decode_result *out, scry_error *err)
    SCRY_NODISCARD;

#endif
