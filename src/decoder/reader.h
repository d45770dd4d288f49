/* reader.h - one function for each family of formats: bytes to rows in a sink.
 *
 * A reader stores orientation and EXIF in job->reply, opens the sink with
 * the size in the header before it decodes anything, and puts rows. Its error message is
 * the reason shown for the picture.
 */
#ifndef SCRY_DECODER_READER_H
#define SCRY_DECODER_READER_H

#include "decoder/sink.h"

struct scry_formats;

typedef struct scry_job {
    const uint8_t *bytes;               /* the file, in shared memory */
    size_t size;
    const scry_wire_request *request;
    uint8_t *out;
    scry_wire_reply *reply;
    bool is_preview;                    /* within another file, whose EXIF was read already */
    int whole_w, whole_h;               /* of a preview: the size to report, as stored; 0: its own */
    const struct scry_formats *formats; /* NULL in a worker that was started without, */
    const char *no_formats;             /* or could not load it: why, else NULL */
} scry_job;

/* The orientation for the sink, once the reply has the picture's own. */
int scry_turn_to_apply(const scry_job *job);

/* Where words are to be read, what is transparent is a middle grey: dark letters are seen on it, light ones, and letters that are
 * holes. Elsewhere alpha is dropped, as Pillow's convert("RGB") does. */
enum { SCRY_BEHIND_LETTERS = 128 };
static inline bool scry_job_reads_words(const scry_job *job)
{
    return job->request->what.kind == SCRY_DECODE_RGB;
}

/* JPEG through libjpeg-turbo, made smaller by its inverse DCT where that is allowed. */
int scry_read_jpeg(const scry_job *job, scry_error *err) SCRY_NODISCARD;

/* Simple formats, read here. */
int scry_read_gif(const scry_job *job, scry_error *err) SCRY_NODISCARD;
int scry_read_bmp(const scry_job *job, scry_error *err) SCRY_NODISCARD;
int scry_read_pnm(const scry_job *job, scry_error *err) SCRY_NODISCARD;

/* The reader for the format of the request. */
int scry_read_picture(const scry_job *job, scry_error *err) SCRY_NODISCARD;

#endif
