#include "model/family.h"

#include "model/preprocess.h"

#include <math.h>
#include <string.h>

const scry_family *const scry_families[] = {
    &scry_family_dual,
    &scry_family_siglip,
    &scry_family_clip,
    &scry_family_chinese_clip,
    &scry_family_open_clip,
    &scry_family_texts,
    NULL
};

static const scry_family_layout *find(scry_layout layout, const scry_json *json)
{
    for (const scry_family *const *f = scry_families; *f; f++)
        for (const scry_family_layout *l = (*f)->layouts; l->name; l++)
            if (l->layout == layout && l->accepts(json))
                return l;
    return NULL;
}

static int unknown_family(scry_config_reader *r, scry_layout layout, const scry_json *json)
{
    static const struct { const char *type, *what; } halves[] = {
        { "clip_vision_model", "an image tower without its text tower" }, { "siglip_vision_model", "an image tower without its text tower" },
        { "vit", "an image classifier without a text tower" }, { "dinov2", "an image tower without a text tower" },
        { "clip_text_model", "a text tower without its image tower" }, { "siglip_text_model", "a text tower without its image tower" },
        { "bert", "a text model" }, { "roberta", "a text model" }, { "xlm-roberta", "a text model" }, { "distilbert", "a text model" },
        { "mpnet", "a text model" }, { "t5", "a text model" }
    };
    if (layout == SCRY_LAYOUT_OPEN_CLIP)
        return scry_config_fail(r, SCRY_EINVALID, "model_cfg with vision_cfg and text_cfg is missing");
    const char *type = scry_json_str(scry_json_get(json, "model_type"), "");
    if (type[0] == '\0' && (scry_json_get(json, "model_cfg") || scry_json_get(json, "vision_cfg")))
        return scry_config_fail(r, SCRY_EINVALID, "a configuration of open_clip, which must be named open_clip_config.json");
    if (type[0] == '\0')
        return scry_config_fail(r, SCRY_EINVALID, "no model_type: not a checkpoint of transformers%s", scry_json_get(json, "architecture")
                                ? " but one of timm's image classifiers, which has no text tower" : "");
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
        if (strcmp(type, halves[i].type) == 0)
            return scry_config_fail(r, SCRY_EINVALID, "model_type is \"%s\": %s; `scry model list --catalogue` lists models that "
                                    "have both", type, halves[i].what);
    return scry_config_fail(r, SCRY_EINVALID, "models of type \"%.40s\" are not supported; "
                            "`scry model list --catalogue` lists some that are", type);
}

int scry_config_parse(scry_config *c, scry_layout layout, const scry_json *json, const char *path,
                      scry_error *err)
{
    scry_config_reader r = { .path = path, .err = err };
    c->layout = find(layout, json);
    if (!c->layout)
        return unknown_family(&r, layout, json);
    c->logit_scale = NAN;
    c->layout->parse(c, &r, json);
    if (r.code == 0 && layout == SCRY_LAYOUT_OPEN_CLIP)
        scry_preprocess_open_clip(c, &r, scry_json_get(json, "preprocess_cfg"));
    return r.code;
}
