/* family_dual.c - scry's own checkpoints, the starter's (docs/model-format.md): a
 * convolutional image tower, a BERT text tower, and after each a head that maps into the
 * common space.
 */
#include "model/family.h"
#include "model/layouts.h"
#include "model/transformer.h"

#include <math.h>
#include <string.h>

enum { MAX_CHANNELS = 1 << 15, MAX_KERNEL = 15 };

static void parse_block(scry_config_reader *r, scry_conv_block *b, const scry_json *json)
{
    const scry_config_part p = { "vision_config.blocks", json };
    *b = (scry_conv_block){
        .kernel = scry_config_size(r, &p, "kernel", 0, MAX_KERNEL),
        .stride = scry_config_size(r, &p, "stride", 0, 4),
        .expand = scry_config_size(r, &p, "expand", 0, 64),
        .in = scry_config_size(r, &p, "in_channels", 0, MAX_CHANNELS),
        .out = scry_config_size(r, &p, "out_channels", 0, MAX_CHANNELS)
    };
}

static const char *const image_keys[] = {
    "model_type", "image_size", "num_channels", "hidden_act", "stem_channels", "head_channels", "blocks", NULL
};

static void parse_image(scry_config_reader *r, scry_image_config *image, const scry_json *json)
{
    const scry_config_part p = { "vision_config", json };
    scry_conv_config *c = &image->conv;
    scry_hf_known_part(r, &p, image_keys);
    scry_config_require(r, &p, "model_type", "efficientnet_lite");
    scry_config_require(r, &p, "hidden_act", "relu6");
    image->new_tower = scry_effnet_new;
    image->size = scry_config_size(r, &p, "image_size", 0, SCRY_MAX_IMAGE_SIZE);
    c->stem = scry_config_size(r, &p, "stem_channels", 0, MAX_CHANNELS);
    c->top = scry_config_size(r, &p, "head_channels", 0, MAX_CHANNELS);
    const scry_json *blocks = scry_json_get(json, "blocks");
    c->blocks = scry_json_size(blocks);
    if (scry_json_type_of(blocks) != SCRY_JSON_ARRAY || c->blocks < 1 || c->blocks > SCRY_MAX_BLOCKS) {
        scry_config_fail(r, SCRY_EINVALID, "vision_config.blocks must be a list of 1 to %d", SCRY_MAX_BLOCKS);
        return;
    }
    size_t channels = c->stem;
    for (size_t i = 0; i < c->blocks; i++) {
        parse_block(r, &c->block[i], scry_json_at(blocks, i));
        if (c->block[i].in != channels)
            scry_config_fail(r, SCRY_EINVALID, "block %zu takes %zu channels, the one before it outputs %zu", i,
                             c->block[i].in, channels);
        channels = c->block[i].out;
    }
}

static const char *const text_keys[] = {
    "model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
    "layer_norm_eps", "max_position_embeddings", "type_vocab_size", "pooling", "prefix", NULL
};

static void parse_text(scry_config_reader *r, scry_text_config *t, const scry_json *json)
{
    const scry_config_part p = { "text_config", json };
    scry_hf_known_part(r, &p, text_keys);
    scry_config_require(r, &p, "pooling", "mean");
    t->stack = (scry_stack_config){
        .layers = scry_config_size(r, &p, "num_hidden_layers", 0, SCRY_MAX_LAYERS),
        .width = scry_config_size(r, &p, "hidden_size", 0, SCRY_MAX_WIDTH),
        .heads = scry_config_size(r, &p, "num_attention_heads", 0, SCRY_MAX_WIDTH),
        .ffn = scry_config_size(r, &p, "intermediate_size", 0, SCRY_MAX_FFN),
        .eps = (float)scry_config_num(r, &p, "layer_norm_eps", 1e-12),
        .act_name = scry_config_str(r, &p, "hidden_act", "gelu")
    };
    scry_config_check_stack(r, &p, &t->stack);
    t->new_tower = scry_bert_new;
    t->vocab = scry_config_size(r, &p, "vocab_size", 0, SCRY_MAX_VOCAB);
    t->context = scry_config_size(r, &p, "max_position_embeddings", 0, SCRY_MAX_CONTEXT);
    t->bert = (scry_bert_config){
        .names = &scry_names_bert_model, .prefix = "text_model.", .positions = t->context, .scale = 1,
        .types = scry_config_size(r, &p, "type_vocab_size", 1, 64)
    };
    t->prefix = scry_config_str(r, &p, "prefix", "");
    t->pool = SCRY_POOL_MEAN;
    t->dialect = SCRY_TOKENIZER_HF;
}

/* ---- heads ---- */

/* A layer whose input has `width` numbers. */
static void parse_layer(scry_config_reader *r, scry_head_layer *l, const scry_json *json, size_t width)
{
    const scry_config_part p = { "a head's layer", json };
    const char *type = scry_config_str(r, &p, "type", "");
    *l = (scry_head_layer){ .in = width, .out = width };
    if (strcmp(type, "gelu") == 0) {
        l->kind = SCRY_HEAD_GELU;
    } else if (strcmp(type, "softmax") == 0) {
        l->kind = SCRY_HEAD_SOFTMAX;
        l->temperature = (float)scry_config_num(r, &p, "temperature", 1);
        if (!isfinite(l->temperature) || l->temperature <= 0)
            scry_config_fail(r, SCRY_EINVALID, "a softmax needs a temperature above 0");
    } else if (strcmp(type, "linear") == 0) {
        l->kind = SCRY_HEAD_LINEAR;
        l->bias = scry_config_bool(r, &p, "bias", true);
        l->in = scry_config_size(r, &p, "in", 0, SCRY_MAX_FFN);
        l->out = scry_config_size(r, &p, "out", 0, SCRY_MAX_FFN);
        if (l->in != width)
            scry_config_fail(r, SCRY_EINVALID, "a head's linear layer takes %zu numbers where there are %zu", l->in,
                             width);
    } else {
        scry_config_fail(r, SCRY_EINVALID, "head layers of type \"%.40s\" are not known", type);
    }
}

/* A branch whose input has `features` numbers; returns how many it outputs. */
static size_t parse_branch(scry_config_reader *r, scry_head_branch *b, const scry_json *json, size_t features)
{
    const scry_json *layers = scry_json_get(json, "layers");
    b->weight = (float)scry_json_num(scry_json_get(json, "weight"), NAN);
    b->layers = scry_json_size(layers);
    if (!isfinite(b->weight) || b->weight == 0 || b->layers > SCRY_MAX_HEAD_LAYERS
        || scry_json_type_of(layers) != SCRY_JSON_ARRAY) {
        b->layers = 0;
        scry_config_fail(r, SCRY_EINVALID, "a head's branch needs a weight and at most %d layers",
                         SCRY_MAX_HEAD_LAYERS);
    }
    size_t width = features;
    for (size_t k = 0; k < b->layers; k++) {
        parse_layer(r, &b->layer[k], scry_json_at(layers, k), width);
        width = b->layer[k].out;
    }
    return width;
}

/* The branches after one tower; together they must output `dim` numbers. */
static void parse_head(scry_config_reader *r, scry_head_config *h, const scry_json *json, size_t features,
                       size_t dim)
{
    size_t total = 0;
    h->branches = scry_json_size(json);
    if (scry_json_type_of(json) != SCRY_JSON_ARRAY || h->branches < 1 || h->branches > SCRY_MAX_BRANCHES) {
        scry_config_fail(r, SCRY_EINVALID, "a head must be a list of 1 to %d branches", SCRY_MAX_BRANCHES);
        return;
    }
    for (size_t i = 0; i < h->branches; i++)
        total += parse_branch(r, &h->branch[i], scry_json_at(json, i), features);
    if (total != dim)
        scry_config_fail(r, SCRY_EINVALID, "a head outputs %zu numbers, projection_dim is %zu", total, dim);
}

static const char *const top_keys[] = {
    "projection_dim", "logit_scale", "min_score", "languages", "vision_config", "text_config", "vision_head", "text_head", NULL
};

static void parse(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    const scry_config_part top = { NULL, config };
    scry_hf_known_part(r, &top, top_keys);
    c->dim = scry_config_size(r, &top, "projection_dim", 0, SCRY_MAX_WIDTH);
    c->logit_scale = scry_config_num(r, &top, "logit_scale", 0);
    parse_image(r, &c->image, scry_json_get(config, "vision_config"));
    parse_text(r, &c->text, scry_json_get(config, "text_config"));
    parse_head(r, &c->image.conv.head, scry_json_get(config, "vision_head"), c->image.conv.top, c->dim);
    parse_head(r, &c->text.bert.head, scry_json_get(config, "text_head"), c->text.stack.width, c->dim);
}

static bool accepts(const scry_json *config)
{
    return strcmp(scry_json_str(scry_json_get(config, "model_type"), ""), "scry_dual_encoder") == 0;
}

const scry_family scry_family_dual = {
    .layouts = { { "scry_dual_encoder", SCRY_LAYOUT_HF, accepts, parse } }
};
