/* family_chinese_clip.c - Chinese-CLIP as transformers publishes it: CLIP's image tower beside a
 * BERT, which is read at its first token.
 */
#include "model/family.h"
#include "model/hf_text.h"
#include "model/layouts.h"

static const char *const top_keys[] = {
    "projection_dim", "vision_config", "text_config", "vision_config_dict", "text_config_dict", NULL
};

static const char *const image_keys[] = {
    "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "layer_norm_eps", "hidden_act", "image_size",
    "patch_size", "projection_dim", NULL
};

static bool accepts(const scry_json *config)
{
    return scry_hf_is(config, "chinese_clip");
}

static void parse(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    const scry_config_part top = { NULL, config };
    const scry_config_part v = scry_hf_part(config, "vision_config"), t = scry_hf_part(config, "text_config");
    scry_hf_known_part(r, &top, top_keys);
    scry_hf_known_part(r, &v, image_keys);
    c->dim = scry_config_size(r, &top, "projection_dim", 512, SCRY_MAX_WIDTH);
    scry_hf_clip_image(&c->image, r, &v);
    scry_hf_text_parse(&c->text, r, &t, "bert", "text_model.");
    c->text.pool = SCRY_POOL_FIRST;
    scry_hf_text_project(&c->text, "text_projection", false, c->dim);
}

const scry_family scry_family_chinese_clip = {
    .layouts = { { "chinese_clip", SCRY_LAYOUT_HF, accepts, parse } }
};
