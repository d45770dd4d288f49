/* family_open_clip.c - what open_clip publishes: an image tower, its own vision transformer or
 * one of timm's (timm.h), beside its own text transformer or one of transformers' (hf_text.h), in
 * any combination. CLIP, SigLIP, SigLIP 2, MetaCLIP 2, LAION's XLM-R and NLLB-CLIP are some of them.
 */
#include "model/family.h"
#include "model/hf_text.h"
#include "model/layouts.h"
#include "model/timm.h"
#include "model/transformer.h"

#include <string.h>

/* ---- pictures ---- */

static const scry_vit_names image_names = {
    .stack = "visual.", .layer = &scry_names_open_clip, .class_token = "visual.class_embedding",
    .patches = "visual.conv1", .positions = "visual.positional_embedding", .pre_norm = "visual.ln_pre",
    .post_norm = "visual.ln_post", .projection = "visual.proj", .transposed = true
};

static const scry_vit_names plain_image_names = {   /* CLIPA: without the first norm */
    .stack = "visual.", .layer = &scry_names_open_clip, .class_token = "visual.class_embedding",
    .patches = "visual.conv1", .positions = "visual.positional_embedding", .post_norm = "visual.ln_post",
    .projection = "visual.proj", .transposed = true
};

static const char *const image_keys[] = {   /* all that vit.c computes or that only training knows */
    "image_size", "patch_size", "width", "layers", "head_width", "mlp_ratio", "pool_type", "pos_embed_type",
    "no_ln_pre", "final_ln_after_pool", "patch_dropout", "attn_pooler_queries", "attn_pooler_heads", "output_tokens", NULL
};

static void parse_image(scry_image_config *image, scry_config_reader *r, const scry_config_part *p)
{
    if (scry_json_type_of(scry_config_value(p, "layers")) == SCRY_JSON_ARRAY)
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.layers is [...]: ResNet image towers are not supported; take a ViT, such as "
                         "`scry model pull openai-b32`");
    scry_config_known(r, p, image_keys);
    const char *pool = scry_config_str(r, p, "pool_type", "tok");
    bool averages = strcmp(pool, "avg") == 0;
    if (!averages && strcmp(pool, "tok") != 0)
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.pool_type is \"%.40s\": tok and avg are supported", pool);
    scry_config_require(r, p, "pos_embed_type", "learnable");
    image->new_tower = scry_vit_new;
    image->vit = (scry_vit_config){
        .stack = scry_open_clip_stack(r, p, 768, 0),
        .names = scry_config_bool(r, p, "no_ln_pre", false) ? &plain_image_names : &image_names,
        .patch = scry_config_size(r, p, "patch_size", 16, SCRY_MAX_IMAGE_SIZE), .averages = averages,
        .norm_after_mean = scry_config_bool(r, p, "final_ln_after_pool", false)
    };
}

/* ---- texts ---- */

static const scry_clip_text_names text_names = {
    .stack = "", .layer = &scry_names_open_clip, .tokens = "token_embedding.weight",
    .positions = "positional_embedding", .final_norm = "ln_final", .projection = "text_projection",
    .transposed = true
};

static const scry_clip_text_names custom_text_names = {
    .stack = "text.", .layer = &scry_names_open_clip, .tokens = "text.token_embedding.weight",
    .positions = "text.positional_embedding", .final_norm = "text.ln_final", .projection = "text.text_projection",
    .transposed = true
};

static const scry_clip_text_names biased_text_names = {
    .stack = "text.", .layer = &scry_names_open_clip, .tokens = "text.token_embedding.weight",
    .positions = "text.positional_embedding", .final_norm = "text.ln_final",
    .projection = "text.text_projection.weight", .projection_bias = "text.text_projection.bias"
};

static const scry_clip_text_names bare_text_names = {
    .stack = "text.", .layer = &scry_names_open_clip, .tokens = "text.token_embedding.weight",
    .positions = "text.positional_embedding", .final_norm = "text.ln_final"
};

static const char *const text_keys[] = {
    "context_length", "vocab_size", "width", "layers", "heads", "mlp_ratio", "pool_type", "eos_id", "no_causal_mask",
    "proj_type", "proj_bias", "act_kwargs", "norm_kwargs", "hf_tokenizer_name", "tokenizer_kwargs",
    "pad_id", "output_tokens", "hf_model_pretrained", "hf_proj_type", "hf_pooler_type", NULL
};

/* What open_clip's HFTokenizer does, for checkpoints that name one, before and after the tokenizer; else its own tokenizer. */
static void parse_tokenizer(scry_text_config *t, scry_config_reader *r, const scry_config_part *text)
{
    static const struct { const char *name; scry_tokenizer_dialect dialect; } cleans[] = {
        { "whitespace", SCRY_TOKENIZER_OPEN_CLIP_SPACES }, { "lower", SCRY_TOKENIZER_OPEN_CLIP_LOWER },
        { "canonicalize", SCRY_TOKENIZER_OPEN_CLIP_CANONICAL }
    };
    static const char *const keys[] = { "clean", "strip_sep_token", NULL };
    const scry_config_part p = { "text_cfg.tokenizer_kwargs", scry_config_value(text, "tokenizer_kwargs") };
    scry_config_known(r, &p, keys);
    t->dialect = SCRY_TOKENIZER_OPEN_CLIP;
    t->strips_end = scry_config_bool(r, &p, "strip_sep_token", false);
    if (!scry_config_str(r, text, "hf_tokenizer_name", NULL)) {
        scry_config_require(r, &p, "clean", "lower");
        if (t->strips_end)
            scry_config_off(r, &p, "strip_sep_token");
        return;
    }
    const char *clean = scry_config_str(r, &p, "clean", "whitespace");
    for (size_t i = 0; i < sizeof cleans / sizeof *cleans; i++)
        if (strcmp(clean, cleans[i].name) == 0)
            t->dialect = cleans[i].dialect;
    if (t->dialect == SCRY_TOKENIZER_OPEN_CLIP)
        scry_config_fail(r, SCRY_EINVALID, "text_cfg.tokenizer_kwargs.clean is \"%.40s\": whitespace, lower and "
                         "canonicalize are supported", clean);
}

static void parse_pool(scry_text_config *t, scry_config_reader *r, const scry_config_part *p)
{
    const char *pool = scry_config_str(r, p, "pool_type", "argmax");
    t->pool = SCRY_POOL_END;
    t->end_id = -1;
    if (strcmp(pool, "last") == 0)
        t->pool = SCRY_POOL_LAST;
    else if (strcmp(pool, "eos") == 0)
        t->end_id = scry_config_int(r, p, "eos_id", 2);
    else if (strcmp(pool, "argmax") != 0)
        scry_config_fail(r, SCRY_EINVALID, "text_cfg.pool_type is \"%.40s\": argmax, eos and last are supported", pool);
    /* There is no mask: without causal attention the padding affects the result, so texts are padded. */
    t->padded = !t->causal || t->pool == SCRY_POOL_LAST;
}

/* act_kwargs and norm_kwargs, keyword arguments of torch's GELU and LayerNorm. */
static void parse_kwargs(scry_stack_config *s, scry_config_reader *r, const scry_config_part *p)
{
    static const char *const act_keys[] = { "approximate", NULL }, *const norm_keys[] = { "eps", NULL };
    const scry_config_part act = { "text_cfg.act_kwargs", scry_config_value(p, "act_kwargs") };
    const scry_config_part norm = { "text_cfg.norm_kwargs", scry_config_value(p, "norm_kwargs") };
    scry_config_known(r, &act, act_keys);
    scry_config_known(r, &norm, norm_keys);
    s->eps = (float)scry_config_num(r, &norm, "eps", (double)s->eps);
    if (scry_config_value(&act, "approximate")) {
        scry_config_require(r, &act, "approximate", "tanh");
        s->act = SCRY_ACT_GELU_TANH;
        s->act_name = "gelu_pytorch_tanh";
    }
    scry_config_check_stack(r, p, s);
}

static const scry_clip_text_names *parse_projection(scry_config_reader *r, const scry_config_part *p, bool custom)
{
    const char *type = scry_config_str(r, p, "proj_type", "linear");
    bool biased = scry_config_bool(r, p, "proj_bias", false), none = strcmp(type, "none") == 0;
    if (!none && strcmp(type, "linear") != 0)
        scry_config_fail(r, SCRY_EINVALID, "text_cfg.proj_type is \"%.40s\": linear and none are supported", type);
    if ((biased || none) && !custom)
        scry_config_fail(r, SCRY_EINVALID, "text_cfg.%s without model_cfg.custom_text is not supported", none ? "proj_type" : "proj_bias");
    return none ? &bare_text_names : biased ? &biased_text_names : custom ? &custom_text_names : &text_names;
}

static void parse_text(scry_text_config *t, scry_config_reader *r, const scry_config_part *p, bool custom, size_t dim)
{
    scry_config_known(r, p, text_keys);
    *t = (scry_text_config){
        .new_tower = scry_clip_text_new,
        .stack = scry_open_clip_stack(r, p, 512, 8),
        .vocab = scry_config_size(r, p, "vocab_size", 49408, SCRY_MAX_VOCAB),
        .context = scry_config_size(r, p, "context_length", 77, SCRY_MAX_CONTEXT),
        .causal = !scry_config_bool(r, p, "no_causal_mask", false), .prefix = "", .clip_names = parse_projection(r, p, custom)
    };
    if (!t->clip_names->projection && t->stack.width != dim)
        scry_config_fail(r, SCRY_EINVALID, "text_cfg.proj_type is \"none\" and text_cfg.width %zu: model_cfg.embed_dim is %zu",
                         t->stack.width, dim);
    parse_tokenizer(t, r, p);
    parse_pool(t, r, p);
    parse_kwargs(&t->stack, r, p);
}

/* ---- texts by a model of transformers ---- */

static const char *const hf_text_keys[] = {   /* the sizes are those of open_clip's own tower */
    "hf_model_name", "hf_model_config", "hf_tokenizer_name", "tokenizer_kwargs", "hf_proj_type", "proj", "hf_pooler_type",
    "pooler_type", "context_length", "hf_model_pretrained", "vocab_size", "width", "layers", "heads", "mlp_ratio",
    "output_tokens", NULL
};

/* The value of `key`, or of `old`, its name in open_clip 2. */
static const char *renamed(scry_config_reader *r, const scry_config_part *p, const char *key, const char *old,
                           const char *fallback)
{
    return scry_config_str(r, p, scry_config_value(p, key) ? key : old, fallback);
}

/* No projection, one layer, or two with a GELU between. */
static void parse_hf_head(scry_text_config *t, scry_config_reader *r, const scry_config_part *p, size_t dim)
{
    size_t width = t->stack.width, between = (width + dim) / 2;
    bool given = scry_config_value(p, "hf_proj_type") || scry_config_value(p, "proj");
    const char *proj = renamed(r, p, "hf_proj_type", "proj", given ? "" : "mlp");
    if (proj[0] == '\0' && width == dim)
        t->bert.head = (scry_head_config){ .branches = 1 };
    else if (strcmp(proj, "linear") == 0)
        scry_hf_text_project(t, "text.proj", false, dim);
    else if (strcmp(proj, "mlp") == 0)
        t->bert.head = (scry_head_config){ 1, { { 0, 3, {
            { SCRY_HEAD_LINEAR, width, between, false, "text.proj.0", 0 },
            { SCRY_HEAD_GELU, between, between, false, NULL, 0 },
            { SCRY_HEAD_LINEAR, between, dim, false, "text.proj.2", 0 } } } } };
    else
        scry_config_fail(r, SCRY_EINVALID, "text_cfg.hf_proj_type \"%.40s\" is not supported: linear and mlp are", proj);
}

static void parse_hf_pool(scry_text_config *t, scry_config_reader *r, const scry_config_part *p)
{
    const char *pool = renamed(r, p, "hf_pooler_type", "pooler_type", "mean_pooler");
    if (strcmp(pool, "mean_pooler") == 0)
        t->pool = SCRY_POOL_MEAN;
    /* cls_pooler means the output of BERT's pooling layer where the model has one: M2M100 has none */
    else if (strcmp(pool, "cls_last_hidden_state_pooler") == 0 || (strcmp(pool, "cls_pooler") == 0 && t->bert.pre_norm))
        t->pool = SCRY_POOL_FIRST;
    else
        scry_config_fail(r, SCRY_EINVALID, "text_cfg.hf_pooler_type \"%.40s\" is not supported for this text model: "
                         "mean_pooler is", pool);
}

static void parse_hf_text(scry_text_config *t, scry_config_reader *r, const scry_config_part *p, size_t dim)
{
    const scry_config_part own = { "text_cfg.hf_model_config", scry_config_value(p, "hf_model_config") };
    const char *name = scry_config_str(r, p, "hf_model_name", "");
    scry_config_known(r, p, hf_text_keys);
    if (own.object)
        scry_hf_text_parse(t, r, &own, NULL, "text.transformer.");
    else
        scry_hf_text_named(t, r, "text_cfg.hf_model_name", name, "text.transformer.");
    if (!scry_config_str(r, p, "hf_tokenizer_name", NULL))
        scry_config_fail(r, SCRY_EINVALID, "text_cfg.hf_model_name is set and hf_tokenizer_name is not: the text model "
                         "\"%.60s\" needs a tokenizer of its own", name);
    scry_hf_text_shorten(t, scry_config_size(r, p, "context_length", 77, SCRY_MAX_CONTEXT));
    parse_hf_pool(t, r, p);
    parse_hf_head(t, r, p, dim);
    parse_tokenizer(t, r, p);
}

/* ---- both ---- */

static bool accepts(const scry_json *config)
{
    const scry_json *m = scry_open_clip_model(config);
    return scry_json_get(m, "vision_cfg") && scry_json_get(m, "text_cfg");
}

/* Whether the folder that holds the file `path` is named NAME-quickgelu, as open_clip names
 * models with that activation. */
static bool named_quickgelu(const char *path)
{
    static const char suffix[] = "-quickgelu";
    const char *end = strrchr(path, '/');
    while (end && end > path && end[-1] == '/')
        end--;
    size_t n = end ? (size_t)(end - path) : 0;
    return n >= strlen(suffix) && memcmp(end - strlen(suffix), suffix, strlen(suffix)) == 0;
}

static void use_quick_gelu(scry_stack_config *s)
{
    s->act = SCRY_ACT_QUICK_GELU;
    s->act_name = "quick_gelu";
}

static const char *const model_keys[] = {
    "embed_dim", "vision_cfg", "text_cfg", "quick_gelu", "custom_text", "preprocess_cfg", "nonscalar_logit_scale",
    /* for training */
    "init_logit_scale", "init_logit_bias", "cast_dtype", "output_dict", NULL
};

static void parse(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    const scry_config_part m = { "model_cfg", scry_open_clip_model(config) };
    const scry_config_part v = scry_open_clip_part(config, "vision_cfg"), t = scry_open_clip_part(config, "text_cfg");
    if (scry_json_get(m.object, "multimodal_cfg"))
        scry_config_fail(r, SCRY_EINVALID, "model_cfg.multimodal_cfg is {...}: CoCa, which writes captions, is not supported; a CLIP for the "
                         "same use is `scry model pull laion-b32` or `laion-l14`");
    if (scry_json_get(m.object, "genlip_cfg"))
        scry_config_fail(r, SCRY_EINVALID, "model_cfg.genlip_cfg is {...}: GenLIP, which writes captions, is not supported");
    scry_config_known(r, &m, model_keys);
    c->dim = scry_config_size(r, &m, "embed_dim", 0, SCRY_MAX_WIDTH);
    c->image.size = scry_config_size(r, &v, "image_size", 224, SCRY_MAX_IMAGE_SIZE);
    bool timm = scry_config_str(r, &v, "timm_model_name", NULL);
    if (timm) {
        scry_timm_parse(c, r, &v);
    } else {
        parse_image(&c->image, r, &v);
        scry_config_check_patches(r, &c->image);
    }
    bool hf_text = scry_config_str(r, &t, "hf_model_name", NULL);
    if (hf_text)
        parse_hf_text(&c->text, r, &t, c->dim);
    else
        parse_text(&c->text, r, &t, scry_config_bool(r, &m, "custom_text", false), c->dim);
    if (scry_config_bool(r, &m, "quick_gelu", false) || named_quickgelu(r->path)) {
        if (!hf_text)
            use_quick_gelu(&c->text.stack);
        if (!timm)
            use_quick_gelu(&c->image.vit.stack);
    }
}

const scry_family scry_family_open_clip = {
    .layouts = { { "open_clip", SCRY_LAYOUT_OPEN_CLIP, accepts, parse } }
};
