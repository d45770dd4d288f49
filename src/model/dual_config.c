#include "model/dual.h"

#include "scry/model.h"

#include <math.h>
#include <string.h>

enum { MAX_CHANNELS = 1 << 15, MAX_KERNEL = 15 };

static int parse_block(scry_conv_block *b, const scry_json *v, const char *what, scry_error *err)
{
    int r = scry_config_size(v, "kernel", 0, MAX_KERNEL, what, &b->kernel, err);
    if (r == 0)
        r = scry_config_size(v, "stride", 0, 4, what, &b->stride, err);
    if (r == 0)
        r = scry_config_size(v, "expand", 0, 64, what, &b->expand, err);
    if (r == 0)
        r = scry_config_size(v, "in_channels", 0, MAX_CHANNELS, what, &b->in, err);
    if (r == 0)
        r = scry_config_size(v, "out_channels", 0, MAX_CHANNELS, what, &b->out, err);
    return r;
}

static int parse_image(scry_conv_config *c, const scry_json *v, const char *what, scry_error *err)
{
    const char *type = scry_json_str(scry_json_get(v, "model_type"), "");
    if (strcmp(type, "efficientnet_lite") != 0)
        return scry_fail(err, SCRY_EINVALID, "%s: image towers of type \"%.40s\" are not known",
                         what, type);
    if (strcmp(scry_json_str(scry_json_get(v, "hidden_act"), "relu6"), "relu6") != 0)
        return scry_fail(err, SCRY_EINVALID, "%s: vision_config.hidden_act must be relu6", what);
    int r = scry_config_size(v, "image_size", 0, SCRY_MAX_IMAGE_SIZE, what, &c->image_size, err);
    if (r == 0)
        r = scry_config_size(v, "stem_channels", 0, MAX_CHANNELS, what, &c->stem, err);
    if (r == 0)
        r = scry_config_size(v, "head_channels", 0, MAX_CHANNELS, what, &c->head, err);
    const scry_json *blocks = scry_json_get(v, "blocks");
    c->blocks = scry_json_size(blocks);
    if (r == 0 && (scry_json_type_of(blocks) != SCRY_JSON_ARRAY || c->blocks < 1
                   || c->blocks > SCRY_MAX_BLOCKS))
        r = scry_fail(err, SCRY_EINVALID, "%s: vision_config.blocks must be a list of 1 to %d", what,
                      SCRY_MAX_BLOCKS);
    size_t channels = c->stem;
    for (size_t i = 0; i < c->blocks && r == 0; i++) {
        r = parse_block(&c->block[i], scry_json_at(blocks, i), what, err);
        if (r == 0 && c->block[i].in != channels)
            r = scry_fail(err, SCRY_EINVALID, "%s: block %zu takes %zu channels, the one before it "
                          "gives %zu", what, i, c->block[i].in, channels);
        channels = c->block[i].out;
    }
    return r;
}

static int parse_text(scry_dual_config *c, const scry_json *v, const char *what, scry_error *err)
{
    scry_stack_config *s = &c->text;
    int r = scry_config_size(v, "vocab_size", 0, SCRY_MAX_VOCAB, what, &c->vocab, err);
    if (r == 0)
        r = scry_config_size(v, "hidden_size", 0, SCRY_MAX_WIDTH, what, &s->width, err);
    if (r == 0)
        r = scry_config_size(v, "num_hidden_layers", 0, SCRY_MAX_LAYERS, what, &s->layers, err);
    if (r == 0)
        r = scry_config_size(v, "num_attention_heads", 0, SCRY_MAX_WIDTH, what, &s->heads, err);
    if (r == 0)
        r = scry_config_size(v, "intermediate_size", 0, SCRY_MAX_FFN, what, &s->ffn, err);
    if (r == 0)
        r = scry_config_size(v, "max_position_embeddings", 0, SCRY_MAX_CONTEXT, what, &c->context,
                             err);
    if (r == 0)
        r = scry_config_size(v, "type_vocab_size", 1, 64, what, &c->types, err);
    if (r < 0)
        return r;
    if (strcmp(scry_json_str(scry_json_get(v, "pooling"), "mean"), "mean") != 0)
        return scry_fail(err, SCRY_EINVALID, "%s: text_config.pooling must be \"mean\"", what);
    s->eps = (float)scry_json_num(scry_json_get(v, "layer_norm_eps"), 1e-12);
    s->act_name = scry_json_str(scry_json_get(v, "hidden_act"), "gelu");
    c->prefix = scry_json_str(scry_json_get(v, "prefix"), "");
    r = scry_config_act(s->act_name, what, &s->act, err);
    return r < 0 ? r : scry_config_check_stack(s, what, "text_config", err);
}

/* ---- heads ---- */

static int parse_layer(scry_head_layer *l, const scry_json *v, size_t width, const char *what,
                       scry_error *err)
{
    const char *type = scry_json_str(scry_json_get(v, "type"), "");
    l->in = l->out = width;
    if (strcmp(type, "gelu") == 0) {
        l->kind = SCRY_HEAD_GELU;
        return 0;
    }
    if (strcmp(type, "softmax") == 0) {
        l->kind = SCRY_HEAD_SOFTMAX;
        l->temperature = (float)scry_json_num(scry_json_get(v, "temperature"), 1);
        return isfinite(l->temperature) && l->temperature > 0 ? 0
             : scry_fail(err, SCRY_EINVALID, "%s: a softmax needs a temperature above 0", what);
    }
    if (strcmp(type, "linear") != 0)
        return scry_fail(err, SCRY_EINVALID, "%s: head layers of type \"%.40s\" are not known", what,
                         type);
    l->kind = SCRY_HEAD_LINEAR;
    l->bias = scry_json_bool(scry_json_get(v, "bias"), true);
    int r = scry_config_size(v, "in", 0, SCRY_MAX_FFN, what, &l->in, err);
    if (r == 0)
        r = scry_config_size(v, "out", 0, SCRY_MAX_FFN, what, &l->out, err);
    if (r == 0 && l->in != width)
        r = scry_fail(err, SCRY_EINVALID, "%s: a head's linear layer takes %zu numbers where there "
                      "are %zu", what, l->in, width);
    return r;
}

/* Branches of one side; together they must give `dim` numbers. */
static int parse_head(scry_head_config *h, const scry_json *v, size_t features, size_t dim,
                      const char *what, scry_error *err)
{
    h->branches = scry_json_size(v);
    if (scry_json_type_of(v) != SCRY_JSON_ARRAY || h->branches < 1 || h->branches > SCRY_MAX_BRANCHES)
        return scry_fail(err, SCRY_EINVALID, "%s: a head must be a list of 1 to %d branches", what,
                         SCRY_MAX_BRANCHES);
    size_t total = 0;
    for (size_t i = 0; i < h->branches; i++) {
        scry_head_branch *b = &h->branch[i];
        const scry_json *branch = scry_json_at(v, i), *layers = scry_json_get(branch, "layers");
        b->weight = (float)scry_json_num(scry_json_get(branch, "weight"), NAN);
        b->layers = scry_json_size(layers);
        if (!isfinite(b->weight) || b->layers > SCRY_MAX_HEAD_LAYERS
            || scry_json_type_of(layers) != SCRY_JSON_ARRAY)
            return scry_fail(err, SCRY_EINVALID, "%s: a head's branch needs a weight and at most %d "
                             "layers", what, SCRY_MAX_HEAD_LAYERS);
        size_t width = features;
        for (size_t k = 0; k < b->layers; k++) {
            int r = parse_layer(&b->layer[k], scry_json_at(layers, k), width, what, err);
            if (r < 0)
                return r;
            width = b->layer[k].out;
        }
        total += width;
    }
    return total == dim ? 0
         : scry_fail(err, SCRY_EINVALID, "%s: a head gives %zu numbers, projection_dim is %zu", what,
                     total, dim);
}

int scry_dual_parse(scry_dual_config *out, const scry_json *config, const char *what,
                    scry_error *err)
{
    int r = scry_config_size(config, "projection_dim", 0, SCRY_MAX_WIDTH, what, &out->dim, err);
    if (r == 0)
        r = parse_image(&out->image, scry_json_get(config, "vision_config"), what, err);
    if (r == 0)
        r = parse_text(out, scry_json_get(config, "text_config"), what, err);
    if (r == 0)
        r = parse_head(&out->image_head, scry_json_get(config, "vision_head"), out->image.head,
                       out->dim, what, err);
    if (r == 0)
        r = parse_head(&out->text_head, scry_json_get(config, "text_head"), out->text.width,
                       out->dim, what, err);
    return r;
}
