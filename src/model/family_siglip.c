/* family_siglip.c - SigLIP and SigLIP 2: a vision transformer whose patches are pooled by
 * attention, and a text transformer with full attention over the text padded to the context,
 * read at the last token.
 *
 * transformers gives both the model_type "siglip" where pictures have a fixed size. They differ
 * in the tokenizer (T5's or Gemma's), which brings the padding token: src/tokenizer. For pictures
 * of any shape (NaFlex) it is "siglip2". FG-CLIP 2 is that with more heads, of which its mode for
 * short texts, and so this, reads none.
 */
#include "model/family.h"
#include "model/layouts.h"
#include "model/transformer.h"

#include "base/view_shape.h"

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
    "keep_len", "longtext_len",   /* FG-CLIP 2's, of the heads for long texts */
    "vision_config", "text_config", "hidden_size", "num_hidden_layers",
    "num_attention_heads", "intermediate_size", "layer_norm_eps", "hidden_act", "image_size", "patch_size", "vocab_size",
    "max_position_embeddings", "projection_size", "vision_use_head", "num_patches", NULL
};

static bool hf_accepts(const scry_json *config)
{
    return scry_hf_is(config, "siglip");
}

static bool naflex_accepts(const scry_json *config)
{
    return scry_hf_is(config, "siglip2");
}

static bool fg_clip_accepts(const scry_json *config)
{
    return scry_hf_is(config, "fgclip2");
}

/* What transformers has for absent keys; SigLIP 2's B/16 consists of them. */
static const scry_stack_config base = { 12, 768, 12, 3072, 1e-6f, SCRY_ACT_GELU_TANH, "gelu_pytorch_tanh" };

/* The text tower, and the head of the image tower whose width is c->dim. */
static void parse_texts(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    const scry_config_part v = scry_hf_part(config, "vision_config"), t = scry_hf_part(config, "text_config");
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

static void hf_parse(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    const scry_config_part v = scry_hf_part(config, "vision_config");
    scry_hf_known(r, config, hf_keys);
    scry_config_off(r, &v, "num_patches");
    c->image = (scry_image_config){
        .new_tower = scry_vit_new,
        .size = scry_config_size(r, &v, "image_size", 224, SCRY_MAX_IMAGE_SIZE),
        .vit = { .stack = scry_hf_stack(r, &v, &base), .names = &hf_image_names,
                 .patch = scry_config_size(r, &v, "patch_size", 16, SCRY_MAX_IMAGE_SIZE) }
    };
    scry_config_check_patches(r, &c->image);
    c->dim = c->image.vit.stack.width;
    parse_texts(c, r, config);
}

static void naflex_parse(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    const scry_config_part v = scry_hf_part(config, "vision_config");
    scry_hf_known(r, config, hf_keys);
    scry_config_off(r, &v, "image_size");
    size_t positions = scry_config_size(r, &v, "num_patches", 256, SCRY_MAX_NAFLEX_GRID * SCRY_MAX_NAFLEX_GRID), grid = 1;
    while (grid * grid < positions)
        grid++;
    if (grid * grid != positions)
        scry_config_fail(r, SCRY_EINVALID, "vision_config.num_patches is %zu, which is not a square number", positions);
    if (scry_config_size(r, &v, "patch_size", SCRY_VIEW_PATCH, SCRY_MAX_IMAGE_SIZE) != SCRY_VIEW_PATCH)
        scry_config_fail(r, SCRY_EINVALID, "vision_config.patch_size must be %d in models for pictures of any shape", SCRY_VIEW_PATCH);
    c->image = (scry_image_config){
        .new_tower = scry_naflex_new, .any_shape = true,
        .naflex = { .stack = scry_hf_stack(r, &v, &base), .grid = grid, .names = &hf_image_names }
    };
    c->dim = c->image.naflex.stack.width;
    parse_texts(c, r, config);
}

const scry_family scry_family_siglip = {
    .layouts = { { "siglip", SCRY_LAYOUT_HF, hf_accepts, hf_parse }, { "siglip2", SCRY_LAYOUT_HF, naflex_accepts, naflex_parse },
                 { "fgclip2", SCRY_LAYOUT_HF, fg_clip_accepts, naflex_parse } }
};
