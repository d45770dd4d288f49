/* tower.h - the two halves of a dual encoder, one interface for all kinds.
 *
 * A tower is built from the mapped checkpoint when it is first needed and is immutable from
 * then on, except that its matrices may be packed.
 */
#ifndef SCRY_MODEL_TOWER_H
#define SCRY_MODEL_TOWER_H

#include "model/binder.h"
#include "model/config.h"
#include "model/trace.h"

typedef struct scry_tower {
    scry_weights *weights;     /* small parameters and packed matrices */
    scry_linear **linears;     /* [linear_count]; owned list */
    size_t linear_count;
    bool packed;
    const scry_tensors *tensors;   /* where the weights are mapped; borrowed */
    char *summary;             /* for display; owned */
} scry_tower;

/* Pictures through an image tower. */
typedef struct scry_image_job {
    const uint8_t *pixels;     /* [n, size, size, 3], views as scry_image_spec has them */
    size_t n;                  /* at most the tower's batch */
    float *memory;             /* [n * picture_floats] */
    float *out;                /* [n, dim]; not normalised */
    const scry_tracer *tracer;
} scry_image_job;

enum { SCRY_MAX_PICTURES_A_PASS = 400 };

struct scry_image_tower {
    scry_tower base;
    scry_scratch_need need;
    size_t dim, size;          /* D; side of its pictures */
    size_t batch;              /* pictures a pass: as many as keep the caches busy */
    size_t picture_floats;
    void (*run)(scry_nn *t, const scry_image_tower *tower, const scry_image_job *job);
    void (*free)(scry_image_tower *tower);
};

/* Texts through a text tower. The caller cut them to the tower's context. */
typedef struct scry_text_job {
    const int32_t *ids;        /* [starts[n]] */
    const size_t *starts;      /* [n + 1] */
    const size_t *shared;      /* [n] tokens of each text before its own, or NULL: attention.h */
    size_t n;
    float *memory;             /* [starts[n] * token_floats] */
    float *out;                /* [n, dim]; not normalised */
    const size_t *pool;        /* [n] the pooled token, counted among its own tokens; NULL: the mean of all */
    const scry_tracer *tracer;
} scry_text_job;

struct scry_text_tower {
    scry_tower base;
    scry_scratch_need need;
    size_t dim, token_floats;
    void (*run)(scry_nn *t, const scry_text_tower *tower, const scry_text_job *job);
    void (*free)(scry_text_tower *tower);
};

/* Constructors. With `check` only the tensors are verified: the result has the sizes and
 * must not be run. */
struct scry_tower_source {
    const scry_config *config;
    const scry_tensors *tensors;
    scry_mode mode;
    bool check;
};

scry_new_image_tower scry_vit_new, scry_naflex_new, scry_effnet_new, scry_fastvit_new, scry_convnext_new;
scry_new_text_tower scry_clip_text_new, scry_bert_new;

/* "KIND, 12 layers, width 512, 8 heads, quick_gelu"; owned by the caller. */
char *scry_stack_summary(const char *kind, const scry_stack_config *s);

/* For the constructors: begin a binder, and move what it collected into the tower. */
scry_binder scry_tower_begin(scry_tower *t, const scry_tower_source *src, scry_error *err);
void scry_tower_end(scry_tower *t, scry_binder *b);
void scry_tower_dispose(scry_tower *t);

/* Lay out all matrices for the kernels, the team sharing the work. The caller holds the
 * model's lock. Sessions may be running the tower meanwhile. */
int scry_tower_pack(scry_tower *t, scry_team *team, scry_error *err) SCRY_NODISCARD;

/* (byte * factor - mean) / std for each channel and byte. */
void scry_pixel_table(const scry_preprocess *p, float table[3][256]);

#endif
