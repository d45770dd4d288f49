/* embed.h - many texts or pictures to vectors, on all processors.
 *
 *     scry_embed_options o = SCRY_EMBED_OPTIONS_INIT;
 *     float *rows = ...;                                   // [n, dim]
 *     scry_embed_files(model, paths, n, &o, rows, &failed, &err);
 *     scry_encoded upload = { bytes, size };                 // a JPEG, PNG, ... in memory
 *     scry_embed_memory(model, &upload, 1, NULL, row, &err);
 *     scry_rgb frame = { pixels, 1920, 1080, stride };     // decoded already
 *     scry_embed_rgb(model, &frame, 1, NULL, row, &err);
 *
 * Each worker thread owns a decoder process and a session of one thread; a picture that cannot
 * be used affects no other. For indexing a collection see index.h.
 */
#ifndef SCRY_EMBED_H
#define SCRY_EMBED_H

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scry_embed_options {
    int workers;               /* 0: one for each processor */
    bool keep_orientation;     /* do not apply the EXIF orientation */
    bool exact;                /* decode JPEGs in full before resizing */
    uint32_t formats;          /* mask over scry_format; 0: all that can be read */
    const scry_cancel *cancel;  /* non-zero: return SCRY_ECANCELLED soon; may be NULL */
    size_t *texts_cut;         /* the number of texts that are longer than the model reads is added to it; may be NULL */

    /* Both called by any worker, one call at a time; either may be NULL. `path` is NULL for pictures in memory. */
    void (*failed)(void *arg, size_t index, const char *path, const char *reason);
    void (*progress)(void *arg, size_t done, size_t total);
    void *arg;
} scry_embed_options;

#define SCRY_EMBED_OPTIONS_INIT SCRY_ZERO_INIT

/* `options` may be NULL: the defaults. */

/* The picture files `paths` [n] to `out` [n, dim], unit rows in the order of the paths. A
 * picture that fails leaves a row of NaN, is reported through `failed` and counted in *failures (may be NULL). */
int scry_embed_files(const scry_model *model, const char *const *paths, size_t n,
                     const scry_embed_options *options, float *out, size_t *failures,
                     scry_error *err) SCRY_NODISCARD;

/* The bytes of a picture's file, in any format that is read. Up to 8 GiB. */
typedef struct scry_encoded {
    const void *data;
    size_t size;
} scry_encoded;

/* Files in memory, borrowed for the call, to `out` [n, dim], unit rows. They are decoded in other processes, as files are. A
 * picture that fails leaves a row of NaN and is reported through options->failed; where that is NULL, it ends the call
 * with its reason. */
int scry_embed_memory(const scry_model *model, const scry_encoded *pictures, size_t n,
                      const scry_embed_options *options, float *out, scry_error *err) SCRY_NODISCARD;

/* Pixels: `height` rows of `width` RGB triples of bytes, upright, `stride` bytes from one row to the next: 0 for rows without
 * gaps, negative where the first row is the last in memory (`data` is the first row's then, too). Sides of 1 to 1,000,000. */
typedef struct scry_rgb {
    const uint8_t *data;
    int width, height;
    ptrdiff_t stride;
} scry_rgb;

/* The same for pixels of any size, borrowed for the call: resized and cropped as the model's pictures are. No decoder is
 * needed. Of the options, `keep_orientation`, `exact` and `formats` are not used. */
int scry_embed_rgb(const scry_model *model, const scry_rgb *pictures, size_t n,
                   const scry_embed_options *options, float *out, scry_error *err) SCRY_NODISCARD;

/* Texts to `out` [n, dim], unit rows. *cuts (may be NULL) counts those that were longer than
 * the model reads. Of the options, `workers`, `cancel`, `texts_cut` and `progress` are used. */
int scry_embed_lines(const scry_model *model, const char *const *texts, size_t n,
                     const scry_embed_options *options, float *out, size_t *cuts,
                     scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
