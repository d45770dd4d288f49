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

bool scry_config_is_known(scry_layout layout, const scry_json *json)
{
    return find(layout, json);
}

/* A classifier has the family's image tower alone, as its class says. A repository with a model of its own in Python (auto_map),
 * whatever family it names: of those only FG-CLIP's are known to compute what the family does. */
static void check_class(scry_config_reader *r, const scry_json *json)
{
    static const char *const classes[] = {
        "CLIPModel", "SiglipModel", "Siglip2Model", "ChineseCLIPModel", "MetaClip2Model", "FGCLIPModel", "MultilingualCLIP"
    };
    const char *class = scry_json_str(scry_json_at(scry_json_get(json, "architectures"), 0), ""), *key;
    const scry_json *v;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(class, classes[i]) == 0)
            return;
    if (strcmp(scry_json_str(scry_json_get(json, "model_type"), ""), "fgclip2") == 0)
        return;
    if (strstr(class, "ForImageClassification"))
        scry_config_fail(r, SCRY_EINVALID, "architectures is [\"%.60s\"]: an image classifier, which has no text tower; `scry model list "
                         "--catalogue` lists models that have both", class);
    for (void *it = NULL; class[0] && scry_json_next(scry_json_get(json, "auto_map"), &it, &key, &v);)
        if (strncmp(key, "AutoModel", strlen("AutoModel")) == 0)
            scry_config_fail(r, SCRY_EINVALID, "auto_map.%.40s says that code of the repository's own (%.60s) computes what the model does, "
                             "which scry does not run: `scry model list --catalogue` lists models that run", key, class);
}

/* What open_clip's configurations without pictures or texts are. */
static int no_towers(scry_config_reader *r, const scry_json *json)
{
    const scry_json *m = scry_json_get(json, "model_cfg") ? scry_json_get(json, "model_cfg") : json;
    const char *sounds = scry_json_get(m, "audio_cfg") ? "audio_cfg" : scry_json_get(m, "genlap_cfg") ? "genlap_cfg" : NULL;
    if (sounds)
        return scry_config_fail(r, SCRY_EINVALID, "model_cfg.%s is {...}: a model of sounds, which is not supported", sounds);
    return scry_config_fail(r, SCRY_EINVALID, "model_cfg with vision_cfg and text_cfg is missing");
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
        return no_towers(r, json);
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
    if (layout == SCRY_LAYOUT_HF)
        check_class(&r, json);
    c->layout->parse(c, &r, json);
    if (r.code == 0 && layout == SCRY_LAYOUT_OPEN_CLIP)
        scry_preprocess_open_clip(c, &r, scry_json_get(json, "preprocess_cfg"));
    return r.code;
}
