/* family_clip.c - CLIP and MetaCLIP 2 as transformers publishes them: a vision transformer
 * read at its class token and a causal text transformer read at its end token. They differ
 * in the tokenizer alone, and in what an eos_token_id of 2 means.
 */
#include "model/family.h"
#include "model/layouts.h"
#include "model/transformer.h"

static const scry_clip_text_names hf_text_names = {
    .stack = "text_model.", .layer = &scry_names_clip,
    .tokens = "text_model.embeddings.token_embedding.weight",
    .positions = "text_model.embeddings.position_embedding.weight",
    .final_norm = "text_model.final_layer_norm", .projection = "text_projection.weight"
};

static const char *const hf_keys[] = {
    "projection_dim", "vision_config", "text_config", "vision_config_dict", "text_config_dict", "hidden_size", "num_hidden_layers",
    "num_attention_heads", "intermediate_size", "layer_norm_eps", "hidden_act", "image_size", "patch_size", "vocab_size",
    "max_position_embeddings", NULL
};

static bool hf_accepts(const scry_json *config)
{
    return scry_hf_is(config, "clip");
}

static bool metaclip_accepts(const scry_json *config)
{
    return scry_hf_is(config, "metaclip_2");
}

static void metaclip_parse(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    /* What transformers has for absent keys. */
    static const scry_stack_config text = { 12, 512, 8, 2048, 1e-5f, SCRY_ACT_QUICK_GELU, "quick_gelu" };
    const scry_config_part top = { NULL, config };
    const scry_config_part v = scry_hf_part(config, "vision_config"), t = scry_hf_part(config, "text_config");
    scry_hf_known(r, config, hf_keys);
    c->dim = scry_config_size(r, &top, "projection_dim", 512, SCRY_MAX_WIDTH);
    scry_hf_clip_image(&c->image, r, &v);
    c->text = (scry_text_config){
        .new_tower = scry_clip_text_new,
        .stack = scry_hf_stack(r, &t, &text),
        .vocab = scry_config_size(r, &t, "vocab_size", 49408, SCRY_MAX_VOCAB),
        .context = scry_config_size(r, &t, "max_position_embeddings", 77, SCRY_MAX_CONTEXT),
        .pool = SCRY_POOL_END, .end_id = scry_config_int(r, &t, "eos_token_id", 49407),
        .causal = true, .prefix = "", .dialect = SCRY_TOKENIZER_HF, .clip_names = &hf_text_names
    };
}

static void hf_parse(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    metaclip_parse(c, r, config);
    if (c->text.end_id == 2)   /* made before transformers knew the real id: they mean the highest */
        c->text.end_id = -1;
}

const scry_family scry_family_clip = {
    .layouts = {
        { "clip", SCRY_LAYOUT_HF, hf_accepts, hf_parse },
        { "metaclip_2", SCRY_LAYOUT_HF, metaclip_accepts, metaclip_parse }
    }
};
