/* image.h - pictures decoded in other processes: the client of scry-decode.
 *
 * A decoder owns one worker process at a time. It gets the bytes of a file in shared memory
 * (read once, so that the bytes hashed are the bytes decoded) and returns pixels at the model's
 * size, and the metadata of the headers. If a worker crashes or exceeds its time or memory
 * limit, only this picture fails: the worker is killed, and the next request starts another.
 *
 *     scry_decoder *d;  scry_decode_result r;
 *     scry_decoder_new(&d, &options, &err);
 *     size_t size;
 *     scry_decoder_load(d, "IMG_1.jpg", &bytes, &size, &st, &err);
 *     scry_decoder_run(d, &request, &r, &err);      // r.pixels borrowed until the next load
 *     scry_decoder_free(d);
 *
 * Thread rule: a decoder belongs to one thread at a time; use one for each worker thread.
 */
#ifndef SCRY_IMAGE_H
#define SCRY_IMAGE_H

#include "scry/error.h"
#include "scry/model.h"

#include "metadata/metadata.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

typedef struct scry_decoder scry_decoder;

typedef enum {
    SCRY_FORMAT_NONE, SCRY_FORMAT_JPEG, SCRY_FORMAT_PNG, SCRY_FORMAT_WEBP, SCRY_FORMAT_GIF,
    SCRY_FORMAT_TIFF, SCRY_FORMAT_HEIC, SCRY_FORMAT_AVIF, SCRY_FORMAT_JXL, SCRY_FORMAT_RAW,
    SCRY_FORMAT_JP2, SCRY_FORMAT_PNM, SCRY_FORMAT_BMP, SCRY_FORMAT_SVG, SCRY_FORMAT_COUNT
} scry_format;

/* Lower-case name ("jpeg"), "none" for NONE; and back (NONE when unknown; "jpg" too). */
const char *scry_format_name(scry_format f);
scry_format scry_format_from_name(const char *name);

/* Bit masks over scry_format: what is read by default, and with `--formats all`. */
uint32_t scry_formats_default(void);
uint32_t scry_formats_all(void);
/* "jpeg,png" | "all" | "default" -> mask. */
int scry_formats_parse(const char *list, uint32_t *out, scry_error *err) SCRY_NODISCARD;

/* The format by content: the first bytes decide, never the file's name. */
scry_format scry_sniff_format(const uint8_t *bytes, size_t n);

/* Whether a file of this name may be a picture at all (its extension is known): a cheap
 * test for walking folders; the content decides later. */
bool scry_name_may_be_picture(const char *name);

typedef struct scry_decoder_options {
    const char *program;        /* scry-decode; NULL: $SCRY_DECODER, else the installed one */
    uint32_t formats;           /* mask; 0 = default */
    size_t max_file_bytes;      /* larger files are skipped; 0 = 8 GiB */
    size_t memory_bytes;        /* address space limit of a worker; 0 = 1 GiB, and for one picture at a time that
                                   needs more up to 4 GiB, at most half of the machine's memory */
    uint64_t max_pixels;        /* width * height as the header says; 0 = 500 million */
    int time_limit_ms;          /* a picture, of processor time, or of the clock while it gets none; 0 = 30,000 */
    const char *lines;          /* for LINE: "FOLDER:rus+ukr", the data of Tesseract and its languages; NULL: without */
} scry_decoder_options;

#define SCRY_DECODER_OPTIONS_INIT { NULL, 0, 0, 0, 0, 0, NULL }

typedef struct scry_region {    /* in pixels of the upright picture; w = 0: the whole */
    int x, y, w, h;
} scry_region;

typedef enum {
    SCRY_DECODE_VIEWS,   /* r.pixels is [views, size, size, 3] after `spec` */
    SCRY_DECODE_JPEG,    /* r.encoded: a JPEG whose longer side is at most `max_side` (thumbnail,
                            or the whole picture for a viewer that cannot show the format) */
    SCRY_DECODE_RGB,     /* r.pixels is [rgb_height, rgb_width, 3]: the picture, whose longer side is at most `max_side` */
    SCRY_DECODE_LINE     /* r.encoded: the text of one line, UTF-8 with a NUL, from a PGM of one byte a pixel, whose size
                            is in `region` */
} scry_decode_kind;

enum { SCRY_DECODE_MAX_RGB_SIDE = 4096 };

typedef struct scry_decode_request {
    scry_decode_kind kind;
    scry_image_spec spec;    /* for VIEWS */
    int max_side;            /* for JPEG; 0 = as it is. For RGB 1 to SCRY_DECODE_MAX_RGB_SIDE */
    int quality;             /* for JPEG; 0 = 82 */
    bool keep_orientation;   /* ignore the EXIF orientation, as the references do (Pillow applies TIFF's) */
    bool exact;              /* no JPEG shrink-on-load: every pixel decoded */
    scry_region region;
} scry_decode_request;

typedef struct scry_decode_result {
    scry_format format;
    int width, height;           /* upright, before any shrinking; of a camera RAW see raw_read.c */
    const uint8_t *pixels;       /* VIEWS: [views, size, size, 3]; RGB: [rgb_height, rgb_width, 3]; borrowed */
    int rgb_width, rgb_height;   /* RGB: of the pixels */
    const uint8_t *encoded;      /* JPEG, LINE: `encoded_bytes` bytes; borrowed */
    size_t encoded_bytes;
    float confidence;            /* LINE: 0..1 */
    int orientation;             /* as the format declares it: EXIF's 1..8; 1 when absent */
    bool damaged;                /* rows at its end are missing or wrong */
    scry_metadata metadata;
} scry_decode_result;

int scry_decoder_new(scry_decoder **out, const scry_decoder_options *options, scry_error *err)
    SCRY_NODISCARD;
void scry_decoder_free(scry_decoder *d);

/* Start a worker now, if none runs, instead of when the first picture is decoded: SCRY_EIO when none can be started. */
int scry_decoder_start(scry_decoder *d, scry_error *err) SCRY_NODISCARD;

/* Read the regular file `path` into the shared memory, or map it where it has more than 512 MiB. *bytes is borrowed until the next
 * load. `st` is the result of fstat for the bytes read; a file that changes meanwhile is
 * SCRY_EIO "changed while it was read". Never blocks on a FIFO or device; refuses files over
 * the limit. */
int scry_decoder_load(scry_decoder *d, const char *path, const uint8_t **bytes, size_t *size,
                      struct stat *st, scry_error *err) SCRY_NODISCARD;

/* The same from the start of a regular file that is open for reading; it stays the caller's. */
int scry_decoder_load_fd(scry_decoder *d, int file, const uint8_t **bytes, size_t *size, struct stat *st, scry_error *err)
    SCRY_NODISCARD;

/* The same with bytes that are already in memory (an upload). They are copied. */
int scry_decoder_load_bytes(scry_decoder *d, const uint8_t *bytes, size_t size, scry_error *err)
    SCRY_NODISCARD;

/* Decode what was loaded. SCRY_EIO means that no worker can be started: every
 * other picture will fail, too. With other codes the message is the reason that is stored and
 * shown for the file, without its path: "truncated JPEG: ...", "not a picture", "larger than
 * 500 million pixels", "the decoder crashed (signal 11)", "took longer than 30 s". */
int scry_decoder_run(scry_decoder *d, const scry_decode_request *request,
                     scry_decode_result *result, scry_error *err) SCRY_NODISCARD;

#endif
