/* model.h - a dual encoder (CLIP, SigLIP and similar): texts and pictures to unit vectors.
 *
 *     scry_model *model;  scry_session *session;  float v[512];
 *     const char *text = "a white dog";
 *     scry_model_open(&model, "models/starter", NULL, &err);
 *     scry_session_new(&session, model, 0, &err);
 *     scry_embed_texts(session, &text, 1, v, &err);
 *     scry_session_free(session);  scry_model_free(model);
 *
 * A model is immutable and may be shared by any number of threads. A session holds
 * the scratch memory of one computation: one thread at a time. A text query touches
 * only the text tower: each tower is prepared when it is first needed.
 */
#ifndef SCRY_MODEL_H
#define SCRY_MODEL_H

#include "scry/cancel.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scry_model scry_model;
typedef struct scry_session scry_session;

/* Arithmetic of the towers. AUTO is bf16 where the processor has it, else fp32. */
typedef enum {
    SCRY_PRECISION_AUTO, SCRY_PRECISION_FP32, SCRY_PRECISION_BF16, SCRY_PRECISION_INT8
} scry_precision;

/* "auto", "fp32", "bf16" or "int8"; "?" for what is none. */
const char *scry_precision_name(scry_precision p);

typedef struct scry_model_options {
    scry_precision precision;
    bool portable;   /* the reference implementation in plain C, fp32: for tests, slow */
    bool raw;        /* vectors as the towers output them, not normalised: for comparisons */
    /* For text models that are told a text's language (NLLB): its code ("deu_Latn", "deu"). NULL or "auto": guessed from
     * each text. SCRY_EINVALID for one that the model does not know, or with a model that is not told any. */
    const char *language;
    /* The weights of a model that is opened for the first time, or has changed, are read in full: a second for a gigabyte or two.
     * How far that is, and to stop it; NULL: nobody watches. */
    const scry_long_options *reading;
    const char *name;   /* what scry_model_info says; NULL, or a path: the last part of the folder's path */
} scry_model_options;

#define SCRY_MODEL_OPTIONS_INIT { SCRY_PRECISION_AUTO, false, false, NULL, NULL, NULL }

/* How a picture becomes the pixels of one view (src/resize implements it). */
typedef enum { SCRY_FILTER_BILINEAR, SCRY_FILTER_BICUBIC } scry_filter;
typedef enum {
    SCRY_FIT_CROP_FLOOR,  /* shorter side to `size`, centre crop at floor((side - size) / 2): Hugging Face */
    SCRY_FIT_CROP_EVEN,   /* the same, crop offset rounded half to even: torchvision, open_clip */
    SCRY_FIT_SQUASH,      /* both sides to `size`, aspect ratio not kept: SigLIP */
    SCRY_FIT_PATCHES      /* NaFlex: to whole patches of 16 x 16 pixels, at most n * n of them, the aspect ratio nearly kept;
                             `size` is 16 n + 1. The view begins with its pixels, [height, width, 3], and ends with the
                             numbers of its rows and columns of patches, two bytes each, the lower one first. */
} scry_fit;

enum { SCRY_MAX_VIEWS = 4, SCRY_MAX_IMAGE_SIZE = 1024 };

/* What a decoder has to produce for the image tower: `views` squares of `size` x `size` RGB
 * bytes, one after the other, each [size, size, 3]. Their embeddings are averaged. */
typedef struct scry_image_spec {
    int size;
    int views;
    scry_fit fit[SCRY_MAX_VIEWS];
    scry_filter filter;
} scry_image_spec;

/* A word that was bound to pictures: teach.h. */
typedef struct scry_taught_name {
    const char *name;
    int pictures;              /* that it was taught with */
    const char *taught_at;     /* "2026-11-22T14:00:00Z" */
} scry_taught_name;

typedef struct scry_model_info {
    const char *name;          /* scry_model_options.name, or the last part of the folder's path */
    const char *dir;
    const char *family;        /* "clip", "open_clip", "siglip", "clip with texts of M-CLIP" */
    const char *identity;      /* hex SHA-256 over weights, tokenizer, preprocessing; in a pair, of the pictures' checkpoint */
    int dim;                   /* D of the embeddings */
    int context;               /* longest text in tokens, start and end included */
    scry_image_spec image;
    scry_precision precision;  /* what runs: never AUTO */
    double logit_scale;        /* factor on the cosine before a softmax (exp already taken) */
    double min_score;          /* the score threshold of config.json; NAN when it has none */
    const char *text_summary;  /* "causal transformer, 12 layers, width 512, ..." */
    const char *image_summary;
    const char *tokenizer;     /* "CLIP byte-pair encoding, 49408 ids" */
    const char *preprocessing;
    const char *dtype;         /* of the weights as stored: "F32" */
    const char *licence;       /* NULL when not known */
    double logit_bias;         /* NAN, or (SigLIP) each label has a probability of its own:
                                  sigmoid(logit_scale * cosine + logit_bias) */
    const char *text_identity; /* the same as identity, but in a pair it covers the texts' checkpoint, too, with
                                  options.language that, and with taught names these */
    const char *pictures_dir, *texts_dir;   /* different in a pair, else the folder of the checkpoint */
    const scry_taught_name *taught;   /* [taught_count] names that texts may have since the model was opened: teach.h */
    size_t taught_count;
} scry_model_info;

/* Open the checkpoint folder `dir`. Every tensor's name, shape and dtype is checked
 * before use; a damaged or unsupported checkpoint is SCRY_EINVALID naming what is wrong. `options` may be NULL: the defaults. */
int scry_model_open(scry_model **out, const char *dir, const scry_model_options *options,
                    scry_error *err) SCRY_NODISCARD;
const scry_model_info *scry_model_get_info(const scry_model *m);   /* borrowed from the model */
void scry_model_free(scry_model *m);

/* `threads`: how many share one computation; 0 = all processors, 1 for workers that each
 * have a session. */
int scry_session_new(scry_session **out, const scry_model *m, int threads, scry_error *err)
    SCRY_NODISCARD;
void scry_session_free(scry_session *s);

/* Texts (UTF-8, zero-terminated) to `out` [n, dim], unit rows. Invalid bytes are read as
 * U+FFFD. `cut`, when not NULL, is [n]: whether the text was longer than the context and
 * lost its end. */
int scry_embed_texts(scry_session *s, const char *const *texts, size_t n, float *out, bool *cut,
                     scry_error *err) SCRY_NODISCARD;

/* Natural logarithm of the probability of a word's pieces (`n` bytes of UTF-8), by which gibberish is told from
 * words; NAN when the model's tokenizer has none. */
double scry_model_log_probability(const scry_model *m, const char *word, size_t n);

/* Whether the model's tokenizer has a piece for every character of a short text (`n` bytes of UTF-8). What it has none for
 * says nothing to the model, whatever it is. */
bool scry_model_reads(const scry_model *m, const char *word, size_t n);

/* Pixels [n, views, size, size, 3] in the form of the image spec, to `out` [n, dim], unit rows. */
int scry_embed_pixels(scry_session *s, const uint8_t *pixels, size_t n, float *out,
                      scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
