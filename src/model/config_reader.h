/* config_reader.h - values out of a checkpoint's JSON, checked.
 *
 *     scry_config_reader r = { .path = path, .err = err };
 *     scry_config_part text = { "text_config", scry_json_get(config, "text_config") };
 *     vocab = scry_config_size(&r, &text, "vocab_size", 49408, SCRY_MAX_VOCAB);
 *     width = ...
 *     return r.code;
 *
 * The first error is kept and names file, part and key; values read after it may be anything. A
 * value of the wrong type is an error; for an absent one the fallback is returned.
 */
#ifndef SCRY_MODEL_CONFIG_READER_H
#define SCRY_MODEL_CONFIG_READER_H

#include "base/json.h"
#include "model/tower_config.h"

typedef struct scry_config_reader {
    const char *path;            /* of the file, for messages */
    scry_error *err;
    int code;                    /* 0, or the first error's */
} scry_config_reader;

/* An object of a configuration. */
typedef struct scry_config_part {
    const char *name;            /* for messages; NULL: the whole file */
    const scry_json *object;
} scry_config_part;

/* Keep an error "PATH: MESSAGE" unless there is one. Returns the reader's code. */
int scry_config_fail(scry_config_reader *r, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

const scry_json *scry_config_value(const scry_config_part *p, const char *key);

/* A whole number from 1 to `most`; `fallback` 0: the key must be there. 1 after an error. */
size_t scry_config_size(scry_config_reader *r, const scry_config_part *p, const char *key,
                        size_t fallback, size_t most);
int64_t scry_config_int(scry_config_reader *r, const scry_config_part *p, const char *key, int64_t fallback);
double scry_config_num(scry_config_reader *r, const scry_config_part *p, const char *key, double fallback);
bool scry_config_bool(scry_config_reader *r, const scry_config_part *p, const char *key, bool fallback);
const char *scry_config_str(scry_config_reader *r, const scry_config_part *p, const char *key,
                            const char *fallback);   /* borrowed from the JSON */

/* Fail unless the string at `key` is `only` (or absent). */
void scry_config_require(scry_config_reader *r, const scry_config_part *p, const char *key, const char *only);

/* Fail at a key that is not among `keys` (NULL-terminated) unless it is off: null, false, 0, {}. The message
 * names its value. */
void scry_config_known(scry_config_reader *r, const scry_config_part *p, const char *const *keys);

/* Fail at any key, whatever its value. */
void scry_config_none(scry_config_reader *r, const scry_config_part *p);

/* The same as scry_config_known for a key that must be off. */
void scry_config_off(scry_config_reader *r, const scry_config_part *p, const char *key);

/* Three finite numbers, above 0 if `positive`; `fallback` NULL: the key must be there. */
void scry_config_three(scry_config_reader *r, const scry_config_part *p, const char *key,
                       const float *fallback, bool positive, float *out);

/* s->act by s->act_name: "quick_gelu", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu6", "relu", "silu"; and
 * the sizes that must agree with each other. */
void scry_config_check_stack(scry_config_reader *r, const scry_config_part *p, scry_stack_config *s);

/* A picture can be cut into the patches. */
void scry_config_check_patches(scry_config_reader *r, const scry_image_config *image);

#endif
