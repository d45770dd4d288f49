/* wire.h - the messages between the client and a worker of scry-decode.
 *
 * Both are of one build and run on one machine, so messages are plain structures over a
 * SEQPACKET socket. The bytes of the file and the pixels are in two shared memories whose
 * descriptors the worker inherits:
 *
 *     client                                    worker
 *       |  <----------- hello ------------------  |  ready, or why not
 *       |  file -> input memory                   |
 *       |  ------------ request --------------->  |  reads input
 *       |  <----------- reply ------------------  |  pixels -> output memory
 *
 * A hostile picture may have taken control of the worker: the client uses no field of a reply
 * before scry_wire_take_reply() has checked it, and neither memory can be truncated while it is
 * mapped.
 */
#ifndef SCRY_IMAGE_WIRE_H
#define SCRY_IMAGE_WIRE_H

#include "image/image.h"

/* Descriptors of the worker. */
enum { SCRY_WIRE_SOCKET_FD = 3, SCRY_WIRE_INPUT_FD = 4, SCRY_WIRE_OUTPUT_FD = 5 };

/* What a process reads lines of text with, where it is installed. */
#define SCRY_LINES_LIBRARY "libtesseract.so.5"

enum { SCRY_WIRE_MAGIC = 0x79726373 };

typedef struct scry_wire_hello {
    uint32_t magic;
    int32_t code;          /* 0 = ready */
    char build[17];        /* scry_build of the worker; another build is refused */
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

/* Whether a format is read by libvips or LibRaw, which only some workers have loaded. */
static inline bool scry_wire_needs_formats(int format)
{
    return format != SCRY_FORMAT_JPEG && format != SCRY_FORMAT_GIF && format != SCRY_FORMAT_BMP
           && format != SCRY_FORMAT_PNM;
}

/* Whether the values of a request are in range: views within their limits and fitting the output.
 * The client checks before it sends, the worker before it decodes. */
int scry_wire_check_request(const scry_wire_request *r, scry_error *err) SCRY_NODISCARD;

/* Bytes that the pixels of `what` take at most; 0 for an encoded picture. */
size_t scry_wire_pixel_bytes(const scry_decode_request *what);

/* A reply of `n` bytes to `request`: its result checked and copied to *out, with pixels
 * or encoded pointing into `output`. The reply's own error is passed on; SCRY_EREMOTE when
 * a field is out of range. */
int scry_wire_take_reply(const void *bytes, size_t n, const scry_wire_request *request,
                         const uint8_t *output, scry_decode_result *out, scry_error *err)
    SCRY_NODISCARD;

#endif
