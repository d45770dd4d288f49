#include "model/layouts.h"

#include "model/tower.h"
#include "model/transformer.h"

#include <stdio.h>
#include <string.h>

/* ---- transformers ---- */

bool scry_hf_is(const scry_json *config, const char *type)
{
    return strcmp(scry_json_str(scry_json_get(config, "model_type"), ""), type) == 0;
}

scry_config_part scry_hf_part(const scry_json *config, const char *key)
{
    const char *old = strcmp(key, "text_config") == 0 ? "text_config_dict" : "vision_config_dict";
    const scry_json *instead = scry_json_get(config, old);
    if (scry_json_type_of(instead) == SCRY_JSON_OBJECT)
        return (scry_config_part){ old, instead };
    return (scry_config_part){ key, scry_json_get(config, key) };
}

scry_stack_config scry_hf_stack(scry_config_reader *r, const scry_config_part *p, const scry_stack_config *defaults)
{
    scry_stack_config s = {
        .layers = scry_config_size(r, p, "num_hidden_layers", defaults->layers, SCRY_MAX_LAYERS),
        .width = scry_config_size(r, p, "hidden_size", defaults->width, SCRY_MAX_WIDTH),
        .heads = scry_config_size(r, p, "num_attention_heads", defaults->heads, SCRY_MAX_WIDTH),
        .ffn = scry_config_size(r, p, "intermediate_size", defaults->ffn, SCRY_MAX_FFN),
        .eps = (float)scry_config_num(r, p, "layer_norm_eps", (double)defaults->eps),
        .act_name = scry_config_str(r, p, "hidden_act", defaults->act_name)
    };
    scry_config_check_stack(r, p, &s);
    return s;
}

static const scry_vit_names hf_clip_image_names = {
    .stack = "vision_model.", .layer = &scry_names_clip,
    .class_token = "vision_model.embeddings.class_embedding",
    .patches = "vision_model.embeddings.patch_embedding",
    .positions = "vision_model.embeddings.position_embedding.weight",
    .pre_norm = "vision_model.pre_layrnorm", .post_norm = "vision_model.post_layernorm",
    .projection = "visual_projection.weight"
};

void scry_hf_clip_image(scry_image_config *image, scry_config_reader *r, const scry_config_part *p)
{
    /* What transformers has for absent keys. */
    static const scry_stack_config defaults = { 12, 768, 12, 3072, 1e-5f, SCRY_ACT_QUICK_GELU, "quick_gelu" };
    *image = (scry_image_config){
        .new_tower = scry_vit_new,
        .size = scry_config_size(r, p, "image_size", 224, SCRY_MAX_IMAGE_SIZE),
        .vit = { .stack = scry_hf_stack(r, p, &defaults), .names = &hf_clip_image_names,
                 .patch = scry_config_size(r, p, "patch_size", 32, SCRY_MAX_IMAGE_SIZE) }
    };
    scry_config_check_patches(r, image);
}

/* What PreTrainedConfig has, and versions 4 wrote into every part: for training, for the generation of texts, for the
 * program that loads the model. What would change a tower (is_decoder, add_cross_attention, pruned_heads ...) is not here. */
static const char *const hf_neutral[] = {
    "_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "_name_or_path", "architectures", "attention_dropout",
    "attn_implementation", "auto_map", "bad_words_ids", "begin_suppress_tokens", "bos_token_id", "chunk_size_feed_forward",
    "cross_attention_hidden_size", "decoder_start_token_id", "diversity_penalty", "do_sample", "dropout", "dtype",
    "early_stopping", "encoder_no_repeat_ngram_size", "eos_token_id", "exponential_decay_length_penalty", "finetuning_task",
    "forced_bos_token_id", "forced_eos_token_id", "gradient_checkpointing", "id2label", "initializer_factor",
    "initializer_range", "label2id", "length_penalty", "logit_scale_init_value", "max_length", "min_length", "model_type",
    "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_labels", "num_return_sequences", "output_attentions",
    "output_hidden_states", "output_scores", "pad_token_id", "prefix", "problem_type", "remove_invalid_values",
    "repetition_penalty", "return_dict", "return_dict_in_generate", "sep_token_id", "suppress_tokens", "task_specific_params",
    "temperature", "tie_word_embeddings", "tokenizer_class", "top_k", "top_p", "torch_dtype", "transformers.js_config",
    "transformers_version", "typical_p", "unsloth_fixed", "unsloth_version", "use_cache", NULL
};

static bool among(const char *const *keys, const char *key)
{
    while (*keys && strcmp(*keys, key) != 0)
        keys++;
    return *keys;
}

void scry_hf_known_part(scry_config_reader *r, const scry_config_part *p, const char *const *keys)
{
    void *it = NULL;
    const char *key;
    const scry_json *v;
    while (scry_json_next(p->object, &it, &key, &v))
        if (strcmp(key, "num_channels") == 0) {
            if (scry_json_num(v, 3) != 3)
                scry_config_fail(r, SCRY_EINVALID, "%s%snum_channels is %g: pictures have 3", p->name ? p->name : "",
                                 p->name ? "." : "", scry_json_num(v, 3));
        } else if (!among(hf_neutral, key) && !among(keys, key)) {
            scry_config_off(r, p, key);
        }
}

void scry_hf_known(scry_config_reader *r, const scry_json *config, const char *const *keys)
{
    const scry_config_part v = scry_hf_part(config, "vision_config"), t = scry_hf_part(config, "text_config");
    scry_hf_known_part(r, &(scry_config_part){ NULL, config }, keys);
    scry_hf_known_part(r, &v, keys);
    scry_hf_known_part(r, &t, keys);
}

/* ---- open_clip ---- */

const scry_json *scry_open_clip_model(const scry_json *config)
{
    const scry_json *m = scry_json_get(config, "model_cfg");
    return m ? m : config;
}

scry_config_part scry_open_clip_part(const scry_json *config, const char *key)
{
    return (scry_config_part){ key, scry_json_get(scry_open_clip_model(config), key) };
}

scry_stack_config scry_open_clip_stack(scry_config_reader *r, const scry_config_part *p, size_t width, size_t heads)
{
    scry_stack_config s = {
        .layers = scry_config_size(r, p, "layers", 12, SCRY_MAX_LAYERS),
        .width = scry_config_size(r, p, "width", width, SCRY_MAX_WIDTH),
        .eps = 1e-5f, .act_name = "gelu"
    };
    if (heads) {
        s.heads = scry_config_size(r, p, "heads", heads, SCRY_MAX_WIDTH);
    } else {
        size_t head_width = scry_config_size(r, p, "head_width", 64, SCRY_MAX_WIDTH);
        s.heads = s.width / head_width ? s.width / head_width : 1;
    }
    double ffn = (double)s.width * scry_config_num(r, p, "mlp_ratio", 4);
    if (ffn >= 1 && ffn <= SCRY_MAX_FFN)
        s.ffn = (size_t)ffn;
    else
        scry_config_fail(r, SCRY_EINVALID, "%s.mlp_ratio is out of range", p->name);
    scry_config_check_stack(r, p, &s);
    return s;
}
