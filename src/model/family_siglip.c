/* family_siglip.c - SigLIP and SigLIP 2 of a fixed picture size: a vision transformer whose
 * patches are pooled by attention, and a text transformer with full attention over the text
 * padded to the context, read at the last token.
 *
 * transformers gives both the model_type "siglip". They differ in the tokenizer (T5's or
 * Gemma's), which brings the padding token: src/tokenizer.
 */
#include "model/family.h"
#include "model/layouts.h"
#include "model/transformer.h"

static const scry_attention_pool_names hf_pool_names = {
    .probe = "vision_model.head.probe", .q = "vision_model.head.attention.in_proj",
    .kv = "vision_model.head.attention.in_proj", .weight = "_weight", .bias = "_bias",
    .out = "vision_model.head.attention.out_proj", .norm = "vision_model.head.layernorm",
    .up = "vision_model.head.mlp.fc1", .down = "vision_model.head.mlp.fc2"
};

static const scry_vit_names hf_image_names = {
    .stack = "vision_model.", .layer = &scry_names_clip, .patches = "vision_model.embeddings.patch_embedding",
    .patch_bias = true, .positions = "vision_model.embeddings.position_embedding.weight",
    .post_norm = "vision_model.post_layernorm", .pool = &hf_pool_names
};

static const scry_clip_text_names hf_text_names = {
    .stack = "text_model.", .layer = &scry_names_clip,
    .tokens = "text_model.embeddings.token_embedding.weight",
    .positions = "text_model.embeddings.position_embedding.weight",
    .final_norm = "text_model.final_layer_norm", .projection = "text_model.head.weight",
    .projection_bias = "text_model.head.bias"
};

static const char *const hf_keys[] = {
    "vision_config", "text_config", "vision_config_dict", "text_config_dict", "hidden_size", "num_hidden_layers",
    "num_attention_heads", "intermediate_size", "layer_norm_eps", "hidden_act", "image_size", "patch_size", "vocab_size",
    "max_position_embeddings", "projection_size", "vision_use_head", NULL
};

static bool hf_accepts(const scry_json *config)
{
    return scry_hf_is(config, "siglip");
}

static void hf_parse(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    /* What transformers has for absent keys; SigLIP 2's B/16 consists of them. */
    static const scry_stack_config base = { 12, 768, 12, 3072, 1e-6f, SCRY_ACT_GELU_TANH, "gelu_pytorch_tanh" };
    const scry_config_part v = scry_hf_part(config, "vision_config"), t = scry_hf_part(config, "text_config");
    scry_hf_known(r, config, hf_keys);
    c->image = (scry_image_config){
        .new_tower = scry_vit_new,
        .size = scry_config_size(r, &v, "image_size", 224, SCRY_MAX_IMAGE_SIZE),
        .vit = { .stack = scry_hf_stack(r, &v, &base), .names = &hf_image_names,
                 .patch = scry_config_size(r, &v, "patch_size", 16, SCRY_MAX_IMAGE_SIZE) }
    };
    scry_config_check_patches(r, &c->image);
    c->dim = c->image.vit.stack.width;
    c->text = (scry_text_config){
        .new_tower = scry_clip_text_new,
        .stack = scry_hf_stack(r, &t, &base),
        .vocab = scry_config_size(r, &t, "vocab_size", 32000, SCRY_MAX_VOCAB),
        .context = scry_config_size(r, &t, "max_position_embeddings", 64, SCRY_MAX_CONTEXT),
        .pool = SCRY_POOL_LAST, .padded = true, .prefix = "", .dialect = SCRY_TOKENIZER_SIGLIP,
        .clip_names = &hf_text_names
    };
    if (!scry_config_bool(r, &v, "vision_use_head", true))
        scry_config_fail(r, SCRY_EINVALID, "vision_config.vision_use_head is false: a tower without a head makes no "
                         "embeddings that texts can be compared with");
    if (scry_config_size(r, &t, "projection_size", c->text.stack.width, SCRY_MAX_WIDTH) != c->dim)
        scry_config_fail(r, SCRY_EINVALID, "text_config.projection_size is not vision_config.hidden_size (%zu)", c->dim);
}

const scry_family scry_family_siglip = {
    .layouts = { { "siglip", SCRY_LAYOUT_HF, hf_accepts, hf_parse } }
};
