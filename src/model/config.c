#include "model/config.h"


#include <math.h>
#include <stdio.h>

const char *scry_family_name(scry_family f)
{
    static const char *const names[] = { "clip", "open_clip", "scry_dual_encoder" };
    return names[f];
}

int scry_config_size(const scry_json *object, const char *key, size_t fallback, size_t most,
                     const char *what, size_t *out, scry_error *err)
{
    const scry_json *v = scry_json_get(object, key);
    if (!v && fallback) {
        *out = fallback;
        return 0;
    }
    int64_t n = scry_json_int(v, -1);
    if (n < 1 || (uint64_t)n > most)
        return scry_fail(err, SCRY_EINVALID, "%s: %s must be a whole number from 1 to %zu", what,
                         key, most);
    *out = (size_t)n;
    return 0;
}

int scry_config_act(const char *name, const char *what, scry_act *out, scry_error *err)
{
    static const struct { const char *name; scry_act act; } known[] = {
        { "quick_gelu", SCRY_ACT_QUICK_GELU }, { "gelu", SCRY_ACT_GELU },
        { "gelu_new", SCRY_ACT_GELU_TANH }, { "gelu_pytorch_tanh", SCRY_ACT_GELU_TANH },
        { "relu6", SCRY_ACT_RELU6 }
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) == 0) {
            *out = known[i].act;
            return 0;
        }
    }
    return scry_fail(err, SCRY_EINVALID, "%s: the activation \"%.40s\" is not known to scry", what,
                     name);
}

/* ---- Hugging Face ---- */

/* Key of a tower's configuration: the old `text_config_dict` overrides `text_config`. */
static const scry_json *tower_value(const scry_json *config, const char *tower, const char *key)
{
    char name[64];
    snprintf(name, sizeof name, "%s_dict", tower);
    const scry_json *v = scry_json_get(scry_json_get(config, name), key);
    return v ? v : scry_json_get(scry_json_get(config, tower), key);
}

/* One number of a tower with transformers' default for an absent key. */
static int tower_size(const scry_json *config, const char *tower, const char *key,
                      size_t fallback, size_t most, const char *what, size_t *out,
                      scry_error *err)
{
    const scry_json *v = tower_value(config, tower, key);
    int64_t n = v ? scry_json_int(v, -1) : (int64_t)fallback;
    if (n < 1 || (uint64_t)n > most)
        return scry_fail(err, SCRY_EINVALID, "%s: %s.%s must be a whole number from 1 to %zu", what,
                         tower, key, most);
    *out = (size_t)n;
    return 0;
}

int scry_config_check_stack(const scry_stack_config *s, const char *what, const char *tower,
                            scry_error *err)
{
    if (s->width % s->heads != 0)
        return scry_fail(err, SCRY_EINVALID, "%s: %s: a width of %zu cannot be shared by %zu heads",
                         what, tower, s->width, s->heads);
    if (!(s->eps >= 0 && s->eps < 1))
        return scry_fail(err, SCRY_EINVALID, "%s: %s: layer_norm_eps is out of range", what, tower);
    return 0;
}

static int hf_stack(scry_stack_config *s, const scry_json *config, const char *tower, size_t width,
                    size_t heads, const char *what, scry_error *err)
{
    int r = tower_size(config, tower, "hidden_size", width, SCRY_MAX_WIDTH, what, &s->width, err);
    if (r == 0)
        r = tower_size(config, tower, "num_hidden_layers", 12, SCRY_MAX_LAYERS, what, &s->layers, err);
    if (r == 0)
        r = tower_size(config, tower, "num_attention_heads", heads, SCRY_MAX_WIDTH, what, &s->heads, err);
    if (r == 0)
        r = tower_size(config, tower, "intermediate_size", 4 * width, SCRY_MAX_FFN, what, &s->ffn, err);
    if (r < 0)
        return r;
    s->eps = (float)scry_json_num(tower_value(config, tower, "layer_norm_eps"), 1e-5);
    s->act_name = scry_json_str(tower_value(config, tower, "hidden_act"), "quick_gelu");
    r = scry_config_act(s->act_name, what, &s->act, err);
    return r < 0 ? r : scry_config_check_stack(s, what, tower, err);
}

static int check_patches(const scry_clip_config *c, const char *what, scry_error *err)
{
    enum { MAX_PATCHES = 1 << 13 };   /* 1024 pixels in patches of 14 are 5329 */
    size_t grid = c->image_size / c->patch;
    if (c->image_size % c->patch != 0)
        return scry_fail(err, SCRY_EINVALID, "%s: pictures of %zu pixels cannot be cut into patches "
                         "of %zu", what, c->image_size, c->patch);
    if (grid * grid > MAX_PATCHES)
        return scry_fail(err, SCRY_ELIMIT, "%s: %zu patches a picture: at most %d are supported",
                         what, grid * grid, MAX_PATCHES);
    return 0;
}

static int parse_hf_clip(scry_config *out, const scry_json *config, const char *what,
                         scry_error *err)
{
    scry_clip_config *c = &out->clip;
    int r = scry_config_size(config, "projection_dim", 512, SCRY_MAX_WIDTH, what, &c->dim, err);
    if (r == 0)
        r = hf_stack(&c->image, config, "vision_config", 768, 12, what, err);
    if (r == 0)
        r = hf_stack(&c->text, config, "text_config", 512, 8, what, err);
    if (r == 0)
        r = tower_size(config, "vision_config", "image_size", 224, SCRY_MAX_IMAGE_SIZE, what,
                       &c->image_size, err);
    if (r == 0)
        r = tower_size(config, "vision_config", "patch_size", 32, SCRY_MAX_IMAGE_SIZE, what,
                       &c->patch, err);
    if (r == 0)
        r = tower_size(config, "text_config", "vocab_size", 49408, SCRY_MAX_VOCAB, what, &c->vocab, err);
    if (r == 0)
        r = tower_size(config, "text_config", "max_position_embeddings", 77, SCRY_MAX_CONTEXT, what,
                       &c->context, err);
    if (r < 0)
        return r;
    /* Checkpoints made before transformers knew the real id say 2 and mean the highest. */
    c->eos_id = scry_json_int(tower_value(config, "text_config", "eos_token_id"), 49407);
    if (c->eos_id == 2)
        c->eos_id = -1;
    return check_patches(c, what, err);
}

int scry_config_parse_hf(scry_config *c, const scry_json *config, const char *what, scry_error *err)
{
    const char *type = scry_json_str(scry_json_get(config, "model_type"), "");
    if (strcmp(type, "clip") == 0) {
        c->family = SCRY_FAMILY_CLIP;
        return parse_hf_clip(c, config, what, err);
    }
    if (strcmp(type, "scry_dual_encoder") == 0) {
        c->family = SCRY_FAMILY_DUAL;
        return scry_dual_parse(&c->dual, config, what, err);
    }
    if (type[0] == '\0')
        return scry_fail(err, SCRY_EINVALID, "%s: no model_type in it: this is no checkpoint of "
                         "Hugging Face's kind", what);
    return scry_fail(err, SCRY_EINVALID, "%s: models of type \"%.40s\" are not supported: take a "
                     "CLIP checkpoint (model_type \"clip\"), see `scry model list`", what, type);
}

/* ---- open_clip ---- */

/* Keys of open_clip that change the computation in ways scry does not have. A value that
 * means "off" is fine. */
static int refuse_keys(const scry_json *cfg, const char *const *keys, const char *part,
                       const char *what, scry_error *err)
{
    for (; *keys; keys++) {
        const scry_json *v = scry_json_get(cfg, *keys);
        scry_json_type type = scry_json_type_of(v);
        bool off = type == SCRY_JSON_NONE || type == SCRY_JSON_NULL
                || (type == SCRY_JSON_BOOL && !scry_json_bool(v, true))
                || (type == SCRY_JSON_OBJECT && scry_json_size(v) == 0);
        if (!off)
            return scry_fail(err, SCRY_EINVALID, "%s: %s.%s is set: this variant of CLIP is not "
                             "supported (plain ViT and text transformers are)", what, part, *keys);
    }
    return 0;
}

static int require_string(const scry_json *cfg, const char *key, const char *only,
                          const char *part, const char *what, scry_error *err)
{
    const char *s = scry_json_str(scry_json_get(cfg, key), only);
    return strcmp(s, only) == 0 ? 0
         : scry_fail(err, SCRY_EINVALID, "%s: %s.%s is \"%.40s\": only \"%s\" is supported", what,
                     part, key, s, only);
}

static int open_clip_stack(scry_stack_config *s, const scry_json *cfg, size_t width, size_t heads,
                           bool quick, const char *part, const char *what, scry_error *err)
{
    int r = scry_config_size(cfg, "width", width, SCRY_MAX_WIDTH, what, &s->width, err);
    if (r == 0)
        r = scry_config_size(cfg, "layers", 12, SCRY_MAX_LAYERS, what, &s->layers, err);
    if (r == 0 && heads)
        r = scry_config_size(cfg, "heads", heads, SCRY_MAX_WIDTH, what, &s->heads, err);
    size_t head_width;
    if (r == 0 && !heads) {
        r = scry_config_size(cfg, "head_width", 64, SCRY_MAX_WIDTH, what, &head_width, err);
        if (r == 0)
            s->heads = s->width / head_width ? s->width / head_width : 1;
    }
    if (r < 0)
        return r;
    double ffn = (double)s->width * scry_json_num(scry_json_get(cfg, "mlp_ratio"), 4);
    if (!(ffn >= 1 && ffn <= SCRY_MAX_FFN))
        return scry_fail(err, SCRY_EINVALID, "%s: %s.mlp_ratio is out of range", what, part);
    s->ffn = (size_t)ffn;
    s->eps = 1e-5f;
    s->act = quick ? SCRY_ACT_QUICK_GELU : SCRY_ACT_GELU;
    s->act_name = quick ? "quick_gelu" : "gelu";
    return scry_config_check_stack(s, what, part, err);
}

/* Only towers made of the parts that transformer.c has. */
static int check_open_clip(const scry_json *vision, const scry_json *text, const char *what,
                           scry_error *err)
{
    static const char *const vision_keys[] = {
        "timm_model_name", "attentional_pool", "no_ln_pre", "final_ln_after_pool", "ls_init_value",
        "act_kwargs", "norm_kwargs", "block_type", "qk_norm", "scaled_cosine_attn", NULL
    };
    static const char *const text_keys[] = {
        "hf_model_name", "no_causal_mask", "embed_cls", "ls_init_value", "proj_bias", "act_kwargs",
        "norm_kwargs", "block_type", "qk_norm", "scaled_cosine_attn", NULL
    };
    if (scry_json_type_of(scry_json_get(vision, "layers")) == SCRY_JSON_ARRAY)
        return scry_fail(err, SCRY_EINVALID, "%s: a ResNet image tower is not supported: take a ViT "
                         "checkpoint", what);
    int r = refuse_keys(vision, vision_keys, "vision_cfg", what, err);
    if (r == 0)
        r = refuse_keys(text, text_keys, "text_cfg", what, err);
    if (r == 0)
        r = require_string(vision, "pool_type", "tok", "vision_cfg", what, err);
    if (r == 0)
        r = require_string(vision, "pos_embed_type", "learnable", "vision_cfg", what, err);
    if (r == 0)
        r = require_string(text, "pool_type", "argmax", "text_cfg", what, err);
    return r;
}

static int open_clip_preprocess(scry_config *c, const scry_json *p, const char *what,
                                scry_error *err);

int scry_config_parse_open_clip(scry_config *out, const scry_json *config, const char *what,
                                scry_error *err)
{
    scry_clip_config *c = &out->clip;
    const scry_json *m = scry_json_get(config, "model_cfg");
    const scry_json *vision = scry_json_get(m, "vision_cfg"), *text = scry_json_get(m, "text_cfg");
    if (!vision || !text)
        return scry_fail(err, SCRY_EINVALID, "%s: model_cfg with vision_cfg and text_cfg is missing",
                         what);
    out->family = SCRY_FAMILY_OPEN_CLIP;
    bool quick = scry_json_bool(scry_json_get(m, "quick_gelu"), false);
    c->custom_text = scry_json_bool(scry_json_get(m, "custom_text"), false);
    c->eos_id = -1;
    int r = check_open_clip(vision, text, what, err);
    if (r == 0)
        r = scry_config_size(m, "embed_dim", 0, SCRY_MAX_WIDTH, what, &c->dim, err);
    if (r == 0)
        r = open_clip_stack(&c->image, vision, 768, 0, quick, "vision_cfg", what, err);
    if (r == 0)
        r = open_clip_stack(&c->text, text, 512, 8, quick, "text_cfg", what, err);
    if (r == 0)
        r = scry_config_size(vision, "image_size", 224, SCRY_MAX_IMAGE_SIZE, what, &c->image_size, err);
    if (r == 0)
        r = scry_config_size(vision, "patch_size", 16, SCRY_MAX_IMAGE_SIZE, what, &c->patch, err);
    if (r == 0)
        r = scry_config_size(text, "vocab_size", 49408, SCRY_MAX_VOCAB, what, &c->vocab, err);
    if (r == 0)
        r = scry_config_size(text, "context_length", 77, SCRY_MAX_CONTEXT, what, &c->context, err);
    if (r == 0)
        r = check_patches(c, what, err);
    return r < 0 ? r : open_clip_preprocess(out, scry_json_get(config, "preprocess_cfg"), what, err);
}

/* ---- preprocessing ---- */

static int three_numbers(const scry_json *v, const float *fallback, bool positive,
                         const char *key, const char *what, float *out, scry_error *err)
{
    for (size_t i = 0; i < 3; i++) {
        out[i] = !v && fallback ? fallback[i] : (float)scry_json_num(scry_json_at(v, i), NAN);
        if (!isfinite(out[i]) || (positive && out[i] <= 0))
            return scry_fail(err, SCRY_EINVALID, "%s: %s must be three numbers%s", what, key,
                             positive ? " above 0" : "");
    }
    return 0;
}

static int open_clip_preprocess(scry_config *c, const scry_json *p, const char *what,
                                scry_error *err)
{
    /* What open_clip itself fills in for absent keys (its PreprocessCfg). */
    static const float mean[3] = { 0.48145466f, 0.4578275f, 0.40821073f };
    static const float std[3] = { 0.26862954f, 0.26130258f, 0.27577711f };
    scry_preprocess *out = &c->preprocess;
    out->spec = (scry_image_spec){ (int)c->clip.image_size, 1, { SCRY_FIT_CROP_EVEN },
                                   SCRY_FILTER_BICUBIC };
    out->factor = 1 / 255.0f;
    const char *filter = scry_json_str(scry_json_get(p, "interpolation"), "bicubic");
    if (strcmp(filter, "bilinear") == 0)
        out->spec.filter = SCRY_FILTER_BILINEAR;
    else if (strcmp(filter, "bicubic") != 0)
        return scry_fail(err, SCRY_EINVALID, "%s: preprocess_cfg.interpolation \"%.40s\" is not "
                         "supported (bicubic and bilinear are)", what, filter);
    const char *mode = scry_json_str(scry_json_get(p, "resize_mode"), "shortest");
    if (strcmp(mode, "squash") == 0)
        out->spec.fit[0] = SCRY_FIT_SQUASH;
    else if (strcmp(mode, "shortest") != 0)
        return scry_fail(err, SCRY_EINVALID, "%s: preprocess_cfg.resize_mode \"%.40s\" is not "
                         "supported (shortest and squash are)", what, mode);
    int r = three_numbers(scry_json_get(p, "mean"), mean, false, "preprocess_cfg.mean", what,
                          out->mean, err);
    return r < 0 ? r : three_numbers(scry_json_get(p, "std"), std, true, "preprocess_cfg.std", what,
                                     out->std, err);
}

/* The side that `v` asks for: 224, {"shortest_edge": 224} or {"height": 224, "width": 224}. */
static int64_t side_of(const scry_json *v, bool *square)
{
    *square = false;
    if (scry_json_type_of(v) == SCRY_JSON_INT)
        return scry_json_int(v, -1);
    int64_t shortest = scry_json_int(scry_json_get(v, "shortest_edge"), -1);
    if (shortest > 0)
        return shortest;
    int64_t height = scry_json_int(scry_json_get(v, "height"), -1);
    *square = true;
    return height == scry_json_int(scry_json_get(v, "width"), -2) ? height : -1;
}

static int parse_views(scry_image_spec *spec, const scry_json *views, const char *what,
                       scry_error *err)
{
    size_t n = scry_json_size(views);
    if (scry_json_type_of(views) != SCRY_JSON_ARRAY || n < 1 || n > SCRY_MAX_VIEWS)
        return scry_fail(err, SCRY_EINVALID, "%s: views must be a list of 1 to %d names", what,
                         SCRY_MAX_VIEWS);
    spec->views = (int)n;
    for (size_t i = 0; i < n; i++) {
        const char *name = scry_json_str(scry_json_at(views, i), "");
        if (strcmp(name, "centre") == 0)
            spec->fit[i] = SCRY_FIT_CROP_FLOOR;
        else if (strcmp(name, "squash") == 0)
            spec->fit[i] = SCRY_FIT_SQUASH;
        else
            return scry_fail(err, SCRY_EINVALID, "%s: the view \"%.40s\" is not known", what, name);
    }
    return 0;
}

/* Size, crop and views; the crop must be what was resized to. */
static int parse_geometry(scry_image_spec *spec, const scry_json *p, const char *what,
                          scry_error *err)
{
    bool square, crop_square;
    int64_t size = side_of(scry_json_get(p, "size"), &square);
    bool crop = scry_json_bool(scry_json_get(p, "do_center_crop"), !square);
    int64_t cropped = crop && scry_json_get(p, "crop_size")
                    ? side_of(scry_json_get(p, "crop_size"), &crop_square) : size;
    if (size < 1 || size > SCRY_MAX_IMAGE_SIZE)
        return scry_fail(err, SCRY_EINVALID, "%s: size must be a side of 1 to %d pixels", what,
                         SCRY_MAX_IMAGE_SIZE);
    if (cropped != size || (!crop && !square))
        return scry_fail(err, SCRY_EINVALID, "%s: resizing to %lld and cropping to %lld pixels is "
                         "not supported: both must be the same", what, (long long)size,
                         (long long)(crop ? cropped : 0));
    spec->size = (int)size;
    spec->views = 1;
    spec->fit[0] = square ? SCRY_FIT_SQUASH : SCRY_FIT_CROP_FLOOR;
    const scry_json *views = scry_json_get(p, "views");
    return views ? parse_views(spec, views, what, err) : 0;
}

int scry_config_parse_preprocessor(scry_config *c, const scry_json *p, const char *what,
                                   scry_error *err)
{
    scry_preprocess *out = &c->preprocess;
    int r = parse_geometry(&out->spec, p, what, err);
    if (r < 0)
        return r;
    int64_t resample = scry_json_int(scry_json_get(p, "resample"), 3);   /* Pillow's numbers */
    if (resample != 2 && resample != 3)
        return scry_fail(err, SCRY_EINVALID, "%s: resample %lld is not supported (2, bilinear, and "
                         "3, bicubic, are)", what, (long long)resample);
    out->spec.filter = resample == 2 ? SCRY_FILTER_BILINEAR : SCRY_FILTER_BICUBIC;
    static const float zeros[3] = { 0, 0, 0 }, ones[3] = { 1, 1, 1 };
    bool rescale = scry_json_bool(scry_json_get(p, "do_rescale"), true);
    bool normalise = scry_json_bool(scry_json_get(p, "do_normalize"), true);
    out->factor = rescale ? (float)scry_json_num(scry_json_get(p, "rescale_factor"), 1 / 255.0) : 1;
    if (!isfinite(out->factor))
        return scry_fail(err, SCRY_EINVALID, "%s: rescale_factor is out of range", what);
    if (!normalise) {
        memcpy(out->mean, zeros, sizeof zeros);
        memcpy(out->std, ones, sizeof ones);
        return 0;
    }
    r = three_numbers(scry_json_get(p, "image_mean"), NULL, false, "image_mean", what, out->mean,
                      err);
    return r < 0 ? r : three_numbers(scry_json_get(p, "image_std"), NULL, true, "image_std", what,
                                     out->std, err);
}
