#include "model/preprocess.h"

#include "base/view_shape.h"

#include <math.h>
#include <string.h>

size_t scry_config_view_of(scry_config_reader *r, const scry_config_part *p, const char *key, size_t fallback)
{
    enum { SIDE = (SCRY_MAX_IMAGE_SIZE - 1) / SCRY_VIEW_PATCH };
    size_t patches = scry_config_size(r, p, key, fallback, (size_t)SIDE * SIDE), n = 1;
    while (n * n < patches)
        n++;
    if (n * n != patches)
        scry_config_fail(r, SCRY_EINVALID, "%s%s%s is %zu: scry takes square numbers, such as %zu or %zu", p->name ? p->name : "",
                         p->name ? "." : "", key, patches, (n - 1) * (n - 1), n * n);
    return SCRY_VIEW_PATCH * n + 1;
}

/* open_clip takes the size of the image tower, whatever preprocess_cfg says: 224 or [224, 224]. */
static void check_size(scry_config_reader *r, const scry_json *v, size_t size)
{
    for (size_t i = 0; i < (scry_json_size(v) ? scry_json_size(v) : 1); i++) {
        const scry_json *side = scry_json_size(v) ? scry_json_at(v, i) : v;
        int64_t pixels = scry_json_int(side, -1);
        if (side && scry_json_type_of(side) != SCRY_JSON_NULL && pixels != (int64_t)size)
            scry_config_fail(r, SCRY_EINVALID, "preprocess_cfg.size is %lld, vision_cfg.image_size %zu: they must be equal",
                             (long long)pixels, size);
    }
}

void scry_preprocess_open_clip(scry_config *c, scry_config_reader *r, const scry_json *cfg)
{
    /* What open_clip's PreprocessCfg has for absent keys. */
    static const float mean[3] = { 0.48145466f, 0.4578275f, 0.40821073f };
    static const float std[3] = { 0.26862954f, 0.26130258f, 0.27577711f };
    static const char *const keys[] = {
        "size", "mode", "mean", "std", "interpolation", "resize_mode", "fill_color", NULL   /* fill_color: of a mode that is refused */
    };
    const scry_config_part p = { "preprocess_cfg", cfg };
    scry_config_known(r, &p, keys);
    scry_config_require(r, &p, "mode", "RGB");
    if (!c->image.any_shape)   /* else nothing reads it, in open_clip either */
        check_size(r, scry_config_value(&p, "size"), c->image.size);
    scry_preprocess *out = &c->preprocess;
    out->spec = (scry_image_spec){ (int)c->image.size, 1, { SCRY_FIT_CROP_EVEN }, SCRY_FILTER_BICUBIC };
    out->factor = 1 / 255.0f;
    const char *filter = scry_config_str(r, &p, "interpolation", "bicubic");
    if (strcmp(filter, "bilinear") == 0)
        out->spec.filter = SCRY_FILTER_BILINEAR;
    else if (strcmp(filter, "bicubic") != 0)
        scry_config_fail(r, SCRY_EINVALID, "preprocess_cfg.interpolation \"%.40s\" is not supported (bicubic and "
                         "bilinear are)", filter);
    const char *mode = scry_config_str(r, &p, "resize_mode", "shortest");
    if (c->image.any_shape)   /* of any mode, as in open_clip */
        out->spec.fit[0] = SCRY_FIT_PATCHES;
    else if (strcmp(mode, "squash") == 0)
        out->spec.fit[0] = SCRY_FIT_SQUASH;
    else if (strcmp(mode, "shortest") != 0)
        scry_config_fail(r, SCRY_EINVALID, "preprocess_cfg.resize_mode \"%.40s\" is not supported (shortest and "
                         "squash are)", mode);
    scry_config_three(r, &p, "mean", mean, false, out->mean);
    scry_config_three(r, &p, "std", std, true, out->std);
}

/* ---- preprocessor_config.json ---- */

/* The side that the member `key` gives: 224, {"shortest_edge": 224} or {"height": 224, "width": 224}; 1 after an error. */
static int64_t side_of(scry_config_reader *r, const scry_config_part *p, const char *key, bool *square)
{
    const scry_json *v = scry_config_value(p, key), *shortest = scry_json_get(v, "shortest_edge"), *member;
    const char *name;
    int64_t side = scry_json_int(shortest ? shortest : scry_json_get(v, "height"), -1);
    *square = !shortest;
    if (scry_json_type_of(v) == SCRY_JSON_INT) {
        side = scry_json_int(v, -1);
        *square = false;
    } else if (!shortest && side != scry_json_int(scry_json_get(v, "width"), -1)) {
        side = -1;
    }
    for (void *it = NULL; scry_json_next(v, &it, &name, &member);)
        if (scry_json_type_of(member) != SCRY_JSON_NULL
            && (shortest ? member != shortest : strcmp(name, "height") != 0 && strcmp(name, "width") != 0))
            scry_config_fail(r, SCRY_EINVALID, "%s.%.40s is %lld: scry takes the shorter side alone, or height and width", key, name,
                             (long long)scry_json_int(member, -1));
    if (side >= 1 && side <= SCRY_MAX_IMAGE_SIZE)
        return side;
    scry_config_fail(r, SCRY_EINVALID, "%s must be N, {\"shortest_edge\": N} or {\"height\": N, \"width\": N}, a square, with N from "
                     "1 to %d", key, SCRY_MAX_IMAGE_SIZE);
    return 1;
}

static void parse_views(scry_config_reader *r, scry_image_spec *spec, const scry_json *views)
{
    size_t n = scry_json_size(views);
    if (scry_json_type_of(views) != SCRY_JSON_ARRAY || n < 1 || n > SCRY_MAX_VIEWS) {
        scry_config_fail(r, SCRY_EINVALID, "views must be a list of 1 to %d names", SCRY_MAX_VIEWS);
        return;
    }
    spec->views = (int)n;
    for (size_t i = 0; i < n; i++) {
        const char *name = scry_json_str(scry_json_at(views, i), "");
        if (strcmp(name, "centre") == 0)
            spec->fit[i] = SCRY_FIT_CROP_FLOOR;
        else if (strcmp(name, "squash") == 0)
            spec->fit[i] = SCRY_FIT_SQUASH;
        else
            scry_config_fail(r, SCRY_EINVALID, "the view \"%.40s\" is not known", name);
    }
}

static void parse_patches(scry_config_reader *r, scry_image_spec *spec, const scry_config_part *p)
{
    if (scry_config_size(r, p, "patch_size", SCRY_VIEW_PATCH, SCRY_MAX_IMAGE_SIZE) != SCRY_VIEW_PATCH)
        scry_config_fail(r, SCRY_EINVALID, "patch_size must be %d in models for pictures of any shape", SCRY_VIEW_PATCH);
    spec->size = (int)scry_config_view_of(r, p, "max_num_patches", 256);
    spec->views = 1;
    spec->fit[0] = SCRY_FIT_PATCHES;
}

/* What transformers' classes of processors do where the file does not say it; the last one is that of files without a class. What
 * other classes do with a picture is not in the file. */
typedef struct {
    const char *start;
    bool crops;
    bool int_is_square;   /* a size of one number: both sides, not the shorter one */
    int resample;
} processor_class;

static const processor_class patches_class = { "Siglip2", false, false, 2 };

static const processor_class *find_class(scry_config_reader *r, const scry_config_part *p)
{
    static const processor_class classes[] = {
        { "CLIP", true, false, 3 }, { "ChineseCLIP", true, false, 3 }, { "Bit", true, false, 3 }, { "Siglip", false, false, 3 },
        { "ViT", false, true, 2 }, { "Blip", false, true, 3 }, { "Scry", true, false, 3 }, { "", true, false, 3 }
    };
    const char *type = scry_config_str(r, p, "image_processor_type", scry_config_str(r, p, "feature_extractor_type", ""));
    const processor_class *c = classes;
    while (strncmp(type, c->start, strlen(c->start)) != 0)
        c++;
    if (type[0] && !c->start[0])
        scry_config_fail(r, SCRY_EINVALID, "image_processor_type is \"%.60s\": how that scales pictures is not known to scry (CLIP's, "
                         "SigLIP's, ViT's, BLIP's and BiT's are)", type);
    return c;
}

/* What versions of transformers disagree about: some take null for false, others for what the class does. */
static bool is_told(scry_config_reader *r, const scry_config_part *p, const char *key, const char *wanted)
{
    const scry_json *v = scry_config_value(p, key);
    bool null = v && scry_json_type_of(v) == SCRY_JSON_NULL;
    if (null)
        scry_config_fail(r, SCRY_EINVALID, "%s is null, by which versions of transformers mean different things: it must be %s", key,
                         wanted);
    return !null;
}

static bool flag(scry_config_reader *r, const scry_config_part *p, const char *key, bool fallback)
{
    return fallback && is_told(r, p, key, "true or false") ? scry_config_bool(r, p, key, true) : scry_config_bool(r, p, key, false);
}

/* Size, crop and views; pictures must be cropped to the size they were resized to. */
static void parse_geometry(scry_config_reader *r, scry_image_spec *spec, const scry_config_part *p, const processor_class *class)
{
    bool square, crop_square;
    int64_t size = side_of(r, p, "size", &square);
    if (scry_json_type_of(scry_config_value(p, "size")) == SCRY_JSON_INT) {
        square = class->int_is_square;
        if (scry_config_bool(r, p, "default_to_square", square) != square)   /* transformers 4 does not read it everywhere */
            scry_config_fail(r, SCRY_EINVALID, "default_to_square contradicts image_processor_type: size must be {\"shortest_edge\": %lld} or "
                             "{\"height\": %lld, \"width\": %lld}", (long long)size, (long long)size, (long long)size);
    }
    bool crop = flag(r, p, "do_center_crop", !square && class->crops);
    int64_t cropped = crop && scry_config_value(p, "crop_size") ? side_of(r, p, "crop_size", &crop_square) : size;
    if (!crop && !square)
        scry_config_fail(r, SCRY_EINVALID, "size names the shorter side (%lld) and nothing is cropped, which gives pictures of "
                         "different shapes: size must be {\"height\": %lld, \"width\": %lld} or do_center_crop true", (long long)size,
                         (long long)size, (long long)size);
    else if (cropped != size)
        scry_config_fail(r, SCRY_EINVALID, "resizing to %lld and cropping to %lld pixels is not supported: both must "
                         "be the same", (long long)size, (long long)cropped);
    spec->size = (int)size;
    spec->views = 1;
    spec->fit[0] = square ? SCRY_FIT_SQUASH : SCRY_FIT_CROP_FLOOR;
    const scry_json *views = scry_config_value(p, "views");
    if (views)
        parse_views(r, spec, views);
}

static const char *const known_keys[] = {
    "do_resize", "size", "default_to_square", "resample", "do_center_crop", "crop_size", "do_rescale", "rescale_factor", "do_normalize", "image_mean",
    "image_std", "views", "patch_size", "max_num_patches",
    /* what every picture gets here (RGB), names of classes, and arguments of transformers that change no pixel */
    "do_convert_rgb", "image_processor_type", "feature_extractor_type", "processor_class", "auto_map", "data_format",
    "input_data_format", "return_tensors", "device", "disable_grouping", "_valid_processor_keys", NULL
};

/* Refuse what pictures of any shape have no use for, or the others. */
static void check_geometry_keys(scry_config_reader *r, const scry_config_part *p, bool any_shape)
{
    static const char *const squares[] = { "size", "do_center_crop", "crop_size", "views", NULL };
    static const char *const patches[] = { "patch_size", "max_num_patches", NULL };
    for (const char *const *key = any_shape ? squares : patches; *key; key++)
        scry_config_off(r, p, *key);
}

int scry_config_parse_preprocessor(scry_config *c, const scry_json *json, const char *path, scry_error *err)
{
    static const float zeros[3] = { 0, 0, 0 }, ones[3] = { 1, 1, 1 }, halves[3] = { 0.5f, 0.5f, 0.5f };
    scry_config_reader r = { .path = path, .err = err };
    const scry_config_part p = { NULL, json };
    scry_preprocess *out = &c->preprocess;
    bool any_shape = c->image.any_shape;
    const processor_class *class = any_shape ? &patches_class : find_class(&r, &p);   /* FG-CLIP 2 may name one of its own */
    scry_config_known(&r, &p, known_keys);
    check_geometry_keys(&r, &p, any_shape);
    if (!flag(&r, &p, "do_resize", true))
        scry_config_fail(&r, SCRY_EINVALID, "do_resize is false: scry takes pictures of any size, so it must resize them");
    if (any_shape)
        parse_patches(&r, &out->spec, &p);
    else
        parse_geometry(&r, &out->spec, &p, class);
    is_told(&r, &p, "resample", "2 (bilinear) or 3 (bicubic)");
    int64_t resample = scry_config_int(&r, &p, "resample", class->resample);   /* Pillow's numbers */
    if (resample != 2 && resample != 3)
        scry_config_fail(&r, SCRY_EINVALID, "resample %lld is not supported (2, bilinear, and 3, bicubic, are)",
                         (long long)resample);
    out->spec.filter = resample == 2 ? SCRY_FILTER_BILINEAR : SCRY_FILTER_BICUBIC;
    bool rescale = flag(&r, &p, "do_rescale", true);
    out->factor = rescale ? (float)scry_config_num(&r, &p, "rescale_factor", 1 / 255.0) : 1;
    if (!isfinite(out->factor))
        scry_config_fail(&r, SCRY_EINVALID, "rescale_factor is out of range");
    if (flag(&r, &p, "do_normalize", true)) {
        scry_config_three(&r, &p, "image_mean", any_shape ? halves : NULL, false, out->mean);
        scry_config_three(&r, &p, "image_std", any_shape ? halves : NULL, true, out->std);
    } else {
        memcpy(out->mean, zeros, sizeof zeros);
        memcpy(out->std, ones, sizeof ones);
    }
    return r.code;
}
