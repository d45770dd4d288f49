/* timm.c - timm's names for image towers, and for their tensors.
 *
 * A configuration of open_clip gives only the name of a timm model, no sizes: this table has
 * those that timm 1.0.31 uses for each name.
 */
#include "model/timm.h"

#include "model/patch_stem.h"
#include "model/preprocess.h"
#include "model/tower.h"
#include "model/transformer.h"

#include "base/view_shape.h"

#include <string.h>

typedef struct {
    const char *name;    /* may be followed by _quickgelu (CLIP) and by _SIZE, which is ignored */
    enum { TIMM_SIGLIP, TIMM_CLIP, TIMM_PE, TIMM_PE_GIGANTIC, TIMM_EVA, TIMM_EVA02, TIMM_MCI } kind;   /* PE: Perception
                            Encoder; MCI: MobileCLIP-B */
    size_t patch, width, layers, heads, ffn;
    bool tanh;
    size_t grid;         /* PE and EVA02: side of the grid that rotary positions were made for */
} timm_model;

static const timm_model models[] = {
    { "vit_base_patch32_siglip", TIMM_SIGLIP, 32, 768, 12, 12, 3072, true, 0 },
    { "vit_base_patch16_siglip", TIMM_SIGLIP, 16, 768, 12, 12, 3072, false, 0 },
    { "vit_large_patch16_siglip", TIMM_SIGLIP, 16, 1024, 24, 16, 4096, false, 0 },
    { "vit_so400m_patch14_siglip", TIMM_SIGLIP, 14, 1152, 27, 16, 4304, false, 0 },
    { "vit_so400m_patch16_siglip", TIMM_SIGLIP, 16, 1152, 27, 16, 4304, true, 0 },
    { "vit_giantopt_patch16_siglip", TIMM_SIGLIP, 16, 1536, 40, 16, 6144, true, 0 },
    { "vit_xsmall_patch16_clip", TIMM_CLIP, 16, 256, 10, 4, 1024, false, 0 },
    { "vit_medium_patch32_clip", TIMM_CLIP, 32, 512, 12, 8, 2048, false, 0 },
    { "vit_medium_patch16_clip", TIMM_CLIP, 16, 512, 12, 8, 2048, false, 0 },
    { "vit_betwixt_patch32_clip", TIMM_CLIP, 32, 640, 12, 10, 2560, false, 0 },
    { "vit_base_patch32_clip", TIMM_CLIP, 32, 768, 12, 12, 3072, false, 0 },
    { "vit_base_patch16_clip", TIMM_CLIP, 16, 768, 12, 12, 3072, false, 0 },
    { "vit_base_patch16_plus_clip", TIMM_CLIP, 16, 896, 12, 14, 3584, false, 0 },
    { "vit_large_patch14_clip", TIMM_CLIP, 14, 1024, 24, 16, 4096, false, 0 },
    { "vit_huge_patch14_clip", TIMM_CLIP, 14, 1280, 32, 16, 5120, false, 0 },
    { "vit_giant_patch14_clip", TIMM_CLIP, 14, 1408, 40, 16, 6144, false, 0 },
    { "vit_gigantic_patch14_clip", TIMM_CLIP, 14, 1664, 48, 16, 8192, false, 0 },
    { "vit_pe_core_tiny_patch16", TIMM_PE, 16, 192, 12, 3, 768, false, 24 },
    { "vit_pe_core_small_patch16", TIMM_PE, 16, 384, 12, 6, 1536, false, 24 },
    { "vit_pe_core_base_patch16", TIMM_PE, 16, 768, 12, 12, 3072, false, 14 },
    { "vit_pe_core_large_patch14", TIMM_PE, 14, 1024, 24, 16, 4096, false, 24 },
    { "vit_pe_core_gigantic_patch14", TIMM_PE_GIGANTIC, 14, 1536, 50, 16, 8960, false, 32 },
    { "eva02_base_patch16_clip", TIMM_EVA02, 16, 768, 12, 12, 2048, false, 16 },
    { "eva02_large_patch14_clip", TIMM_EVA02, 14, 1024, 24, 16, 2730, false, 16 },
    { "eva_giant_patch14", TIMM_EVA, 14, 1408, 40, 16, 6144, false, 0 },
    { "eva_giant_patch14_clip", TIMM_EVA, 14, 1408, 40, 16, 6144, false, 0 },
    { "vit_base_mci", TIMM_MCI, SCRY_STEM_PATCH, 768, 12, 12, 3072, false, 0 },
    { "vit_golden_patch7_siglip", TIMM_SIGLIP, 7, 40, 3, 5, 72, true, 0 },   /* tests/golden: no model of timm's is small */
    { "vit_golden_patch7_clip", TIMM_CLIP, 7, 40, 2, 5, 72, false, 0 },
    { "vit_pe_core_golden_patch7", TIMM_PE, 7, 40, 2, 10, 72, false, 5 },
    { "eva02_golden_patch7_clip", TIMM_EVA02, 7, 40, 3, 5, 72, false, 5 },
    { "eva_golden_patch7_clip", TIMM_EVA, 7, 40, 2, 5, 72, false, 0 },
    { "vit_golden_mci", TIMM_MCI, SCRY_STEM_PATCH, 40, 2, 5, 72, false, 0 }
};

static const scry_layer_names layer_names = {
    .layer = "blocks.%zu.", .norm1 = "norm1", .norm2 = "norm2", .qkv = { "attn.qkv" },
    .qkv_weight = ".weight", .qkv_bias = ".bias", .out = "attn.proj", .up = "mlp.fc1", .down = "mlp.fc2"
};

/* EVA02's layers; those of EVA-CLIP's first version differ from a ViT's in the biases only. */
static const scry_layer_names eva02_layer_names = {
    .layer = "blocks.%zu.", .norm1 = "norm1", .norm2 = "norm2", .qkv = { "attn.q_proj", "attn.k_proj", "attn.v_proj" },
    .qkv_weight = ".weight", .out = "attn.proj", .up = "mlp.fc1_x", .down = "mlp.fc2", .q_bias = "attn.q_proj.bias",
    .v_bias = "attn.v_proj.bias", .out_norm = "attn.norm", .gate = "mlp.fc1_g", .down_norm = "mlp.norm"
};

static const scry_layer_names eva_layer_names = {
    .layer = "blocks.%zu.", .norm1 = "norm1", .norm2 = "norm2", .qkv = { "attn.qkv" }, .qkv_weight = ".weight",
    .out = "attn.proj", .up = "mlp.fc1", .down = "mlp.fc2", .q_bias = "attn.q_bias", .v_bias = "attn.v_bias"
};

static const scry_attention_pool_names pool_names = {
    .probe = "visual.trunk.attn_pool.latent", .q = "visual.trunk.attn_pool.q", .kv = "visual.trunk.attn_pool.kv",
    .weight = ".weight", .bias = ".bias", .out = "visual.trunk.attn_pool.proj", .norm = "visual.trunk.attn_pool.norm",
    .up = "visual.trunk.attn_pool.mlp.fc1", .down = "visual.trunk.attn_pool.mlp.fc2"
};

static const scry_vit_names siglip_names = {
    .stack = "visual.trunk.", .layer = &layer_names, .patches = "visual.trunk.patch_embed.proj", .patch_bias = true,
    .positions = "visual.trunk.pos_embed", .batched = true, .post_norm = "visual.trunk.norm", .pool = &pool_names
};

static const scry_vit_names naflex_names = {
    .stack = "visual.trunk.", .layer = &layer_names, .patches = "visual.trunk.embeds.proj", .patch_bias = true,
    .positions = "visual.trunk.embeds.pos_embed", .batched = true, .post_norm = "visual.trunk.norm", .pool = &pool_names
};

/* Projected by the trunk's classifier, or by a head of open_clip's after it, with or without bias. */
#define CLIP_NAMES(projected_by, biased_by) { \
    .stack = "visual.trunk.", .layer = &layer_names, .class_token = "visual.trunk.cls_token", \
    .patches = "visual.trunk.patch_embed.proj", .positions = "visual.trunk.pos_embed", .batched = true, \
    .pre_norm = "visual.trunk.norm_pre", .post_norm = "visual.trunk.norm", .projection = projected_by, \
    .projection_bias = biased_by }

static const scry_vit_names clip_names = CLIP_NAMES("visual.trunk.head.weight", "visual.trunk.head.bias");
static const scry_vit_names clip_linear_names = CLIP_NAMES("visual.head.proj.weight", NULL);
static const scry_vit_names clip_biased_names = CLIP_NAMES("visual.head.proj.weight", "visual.head.proj.bias");

#define PE_NAMES(token) { \
    .stack = "visual.trunk.", .layer = &layer_names, .class_token = token, \
    .patches = "visual.trunk.patch_embed.proj", .positions = "visual.trunk.pos_embed", .batched = true, \
    .pre_norm = "visual.trunk.norm_pre", .post_norm = "visual.trunk.norm", .pool = &pool_names, \
    .projection = "visual.trunk.head.weight", .projection_bias = "visual.trunk.head.bias" }

static const scry_vit_names pe_names = PE_NAMES("visual.trunk.cls_token");
static const scry_vit_names pe_gigantic_names = PE_NAMES(NULL);

#define EVA_NAMES(layers) { \
    .stack = "visual.trunk.", .layer = layers, .class_token = "visual.trunk.cls_token", \
    .patches = "visual.trunk.patch_embed.proj", .patch_bias = true, .positions = "visual.trunk.pos_embed", .batched = true, \
    .post_norm = "visual.trunk.norm", .projection = "visual.trunk.head.weight", .projection_bias = "visual.trunk.head.bias" }

static const scry_vit_names eva_names = EVA_NAMES(&eva_layer_names);
static const scry_vit_names eva02_names = EVA_NAMES(&eva02_layer_names);

static const scry_vit_names mci_names = {
    .stack = "visual.trunk.", .layer = &layer_names, .class_token = "visual.trunk.cls_token", .bare_class_token = true,
    .stem = "visual.trunk.patch_embed.backbone", .positions = "visual.trunk.pos_embed", .batched = true,
    .post_norm = "visual.trunk.norm", .projection = "visual.trunk.head.weight", .projection_bias = "visual.trunk.head.bias"
};

/* What the models of a kind have in common. */
typedef struct {
    const char *pool;             /* timm_pool */
    bool projected;               /* by the trunk's classifier */
    const scry_vit_names *names;
    float eps;
    size_t pool_heads;            /* of an attention pool with an own hidden layer; 0: it has the layers' */
    size_t rotary_first;
    bool rotary_rows_first;
    const char *act;              /* NULL: GELU of one kind or another */
} timm_kind;

static const timm_kind kinds[] = {
    [TIMM_SIGLIP] = { "map", false, &siglip_names, 1e-6f, 0, 0, false, NULL },
    [TIMM_CLIP] = { "token", true, &clip_names, 1e-5f, 0, 0, false, NULL },
    [TIMM_PE] = { "map", true, &pe_names, 1e-5f, 8, 1, false, NULL },
    [TIMM_PE_GIGANTIC] = { "map", true, &pe_gigantic_names, 1e-5f, 8, 0, false, NULL },   /* no class token, patches from 0 */
    [TIMM_EVA] = { "token", true, &eva_names, 1e-6f, 0, 0, false, NULL },
    [TIMM_EVA02] = { "token", true, &eva02_names, 1e-6f, 0, 0, true, "silu" },
    [TIMM_MCI] = { "token", true, &mci_names, 1e-6f, 0, 0, false, NULL }
};

/* MobileCLIP's. */
static const struct {
    const char *name;
    scry_fastvit_config config;
} fastvits[] = {
    { "fastvit_mci0", { 4, { 2, 6, 10, 2 }, { 64, 128, 256, 512 }, 3, 1, 2, false, true } },
    { "fastvit_mci1", { 4, { 4, 12, 20, 4 }, { 64, 128, 256, 512 }, 3, 1, 2, false, true } },
    { "fastvit_mci2", { 4, { 4, 12, 24, 4 }, { 80, 160, 320, 640 }, 3, 1, 2, false, true } },
    { "fastvit_mci3", { 5, { 2, 12, 24, 4, 2 }, { 96, 192, 384, 768, 1536 }, 4, 2, 0, true, false } },
    { "fastvit_mci4", { 5, { 2, 12, 24, 4, 4 }, { 128, 256, 512, 1024, 2048 }, 4, 2, 0, true, false } },
    { "fastvit_golden", { 4, { 1, 2, 1, 2 }, { 8, 16, 32, 64 }, 3, 1, 2, false, true } },   /* tests/golden */
    { "fastvit_golden_large", { 5, { 1, 1, 1, 1, 2 }, { 4, 8, 16, 32, 64 }, 4, 2, 0, true, false } }
};

static const struct {
    const char *name;
    scry_convnext_config config;
} convnexts[] = {
    { "convnext_tiny", { { 3, 3, 9, 3 }, { 96, 192, 384, 768 }, 1e-6f, 0, false } },
    { "convnext_small", { { 3, 3, 27, 3 }, { 96, 192, 384, 768 }, 1e-6f, 0, false } },
    { "convnext_base", { { 3, 3, 27, 3 }, { 128, 256, 512, 1024 }, 1e-6f, 0, false } },
    { "convnext_large", { { 3, 3, 27, 3 }, { 192, 384, 768, 1536 }, 1e-6f, 0, false } },
    { "convnext_xlarge", { { 3, 3, 27, 3 }, { 256, 512, 1024, 2048 }, 1e-6f, 0, false } },
    { "convnext_xxlarge", { { 3, 4, 30, 3 }, { 384, 768, 1536, 3072 }, 1e-5f, 0, false } },
    { "convnext_golden", { { 1, 2, 1, 1 }, { 10, 18, 36, 40 }, 1e-6f, 0, false } }   /* tests/golden */
};

/* SigLIP 2's for pictures of any shape. timm's other naflexvit models resample positions in other ways, or are pooled otherwise. */
static const struct {
    const char *name;
    size_t width, layers, heads, ffn, grid;
} naflexes[] = {
    { "naflexvit_base_patch16_siglip", 768, 12, 12, 3072, 16 },
    { "naflexvit_so400m_patch16_siglip", 1152, 27, 16, 4304, 16 },
    { "naflexvit_golden_patch16_siglip", 40, 3, 5, 72, 4 }   /* tests/golden */
};

static const char *const naflex_keys[] = {
    "image_seq_len", "timm_model_kwargs",   /* these two of naflexvit_ models only */
    "image_size", "timm_model_name", "timm_pool", "timm_proj", "timm_proj_bias",
    /* for training, or for towers other than timm's */
    "timm_model_pretrained", "timm_drop", "timm_drop_path", "patch_dropout", "output_tokens", "layers", "width",
    "head_width", "mlp_ratio", "patch_size", NULL
};

static const char *const *const known_keys = naflex_keys + 2;

/* Whether `rest`, what follows a name, is "_SIZE". */
static bool is_size(const char *rest)
{
    return rest[0] == '_' && rest[1] && rest[1 + strspn(rest + 1, "0123456789")] == '\0';
}

static const timm_model *find(const char *name, bool *quick_gelu)
{
    static const char quick[] = "_quickgelu";
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const timm_model *m = &models[i];
        size_t n = strlen(m->name);
        if (strncmp(name, m->name, n) != 0)
            continue;
        *quick_gelu = m->kind == TIMM_CLIP && strncmp(name + n, quick, strlen(quick)) == 0;
        if (is_size(name + n + (*quick_gelu ? strlen(quick) : 0)))
            return m;
    }
    return NULL;
}

static const scry_vit_names *names_of(const timm_model *m, scry_config_reader *r, const scry_config_part *p)
{
    const timm_kind *kind = &kinds[m->kind];
    const char *proj = scry_config_str(r, p, "timm_proj", scry_config_value(p, "timm_proj") ? "" : "linear");
    bool biased = scry_config_bool(r, p, "timm_proj_bias", false);
    scry_config_require(r, p, "timm_pool", kind->pool);
    if (!scry_config_value(p, "timm_pool"))
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.timm_pool is missing");
    if (m->kind == TIMM_CLIP && strcmp(proj, "linear") == 0)
        return biased ? &clip_biased_names : &clip_linear_names;
    if (strcmp(proj, kind->projected ? "" : "none") != 0)
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.timm_proj \"%.40s\" is not supported for %s", proj, m->name);
    return kind->names;
}

/* Image towers of open_clip's configurations that are not supported. */
static void refuse(scry_config_reader *r, const char *name)
{
    static const struct { const char *start, *what; } others[] = {
        { "vitamin_", "ViTamin's image towers are not supported" },
        { "eva02_enormous_", "EVA02-CLIP E/14, whose layers are normed last, is not supported (B/16 and L/14 are)" },
        { "swin_", "Swin transformers are not supported" }, { "resnet", "ResNet image towers are not supported" },
        { "naflexvit_", "of timm's towers for pictures of any shape SigLIP 2's are supported (naflexvit_base_patch16_siglip and "
          "naflexvit_so400m_patch16_siglip), such as `scry model pull siglip2-b16-naflex`" }
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(name, others[i].start, strlen(others[i].start)) == 0)
            scry_config_fail(r, SCRY_EINVALID, "vision_cfg.timm_model_name is \"%.60s\": %s; `scry model list --catalogue` lists models "
                             "that run", name, others[i].what);
    scry_config_fail(r, SCRY_EINVALID, "vision_cfg.timm_model_name is \"%.60s\": of timm's image towers the ViTs of "
                     "CLIP, SigLIP, PE-Core and EVA, MobileCLIP's and ConvNeXt are supported; `scry model list --catalogue` lists models that run", name);
}

static void parse_vit(scry_config *c, scry_config_reader *r, const scry_config_part *p, const char *name)
{
    bool quick = false;
    const timm_model *m = find(name, &quick);
    if (!m) {
        refuse(r, name);
        m = &models[0];
    }
    bool tanh = m->tanh || strcmp(name, "vit_large_patch16_siglip_512") == 0;
    const timm_kind *kind = &kinds[m->kind];
    const char *act = kind->act ? kind->act : quick ? "quick_gelu" : tanh ? "gelu_pytorch_tanh" : "gelu";
    c->image.new_tower = scry_vit_new;
    c->image.vit = (scry_vit_config){
        .stack = { .layers = m->layers, .width = m->width, .heads = m->heads, .ffn = m->ffn, .eps = kind->eps, .act_name = act },
        .patch = m->patch, .names = names_of(m, r, p), .pool_heads = kind->pool_heads,
        .pool_ffn = kind->pool_heads ? 4 * m->width : 0, .rotary_grid = m->grid, .rotary_first = kind->rotary_first,
        .rotary_rows_first = kind->rotary_rows_first
    };
    scry_config_check_stack(r, p, &c->image.vit.stack);
    if (!c->image.vit.names->projection && c->dim != m->width)
        scry_config_fail(r, SCRY_EINVALID, "model_cfg.embed_dim is %zu, %s makes vectors of %zu", c->dim, name, m->width);
}

static void parse_fastvit(scry_config *c, scry_config_reader *r, const scry_config_part *p, const scry_fastvit_config *config)
{
    c->image.new_tower = scry_fastvit_new;
    c->image.fastvit = *config;
    if (strcmp(scry_config_str(r, p, "timm_pool", ""), "avg") != 0)
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.timm_pool: only \"avg\" is supported for MobileCLIP's image towers");
    if (strcmp(scry_config_str(r, p, "timm_proj", scry_config_value(p, "timm_proj") ? "" : "linear"), "") != 0)
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.timm_proj: only null is supported for MobileCLIP's image towers");
}

static void parse_convnext(scry_config *c, scry_config_reader *r, const scry_config_part *p, const scry_convnext_config *config)
{
    const char *pool = scry_config_str(r, p, "timm_pool", "avg");
    const char *proj = scry_config_str(r, p, "timm_proj", scry_config_value(p, "timm_proj") ? "" : "linear");
    c->image.new_tower = scry_convnext_new;
    c->image.convnext = *config;
    c->image.convnext.head_biased = scry_config_bool(r, p, "timm_proj_bias", false);
    if (pool[0] && strcmp(pool, "avg") != 0)
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.timm_pool \"%.40s\" is not supported for ConvNeXt (avg is)", pool);
    if (strcmp(proj, "mlp") == 0)
        c->image.convnext.head_hidden = 2 * c->dim;
    else if (strcmp(proj, "linear") != 0)
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.timm_proj \"%.40s\" is not supported for ConvNeXt (linear and mlp are)", proj);
    if (c->image.size < 32)
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.image_size is %zu: ConvNeXt divides it by 32", c->image.size);
}

/* With image_seq_len pictures keep their shape, as open_clip's NaFlex evaluation has them: as many patches as that. Without it,
 * which all versions of open_clip take, they are squares of image_size. */
static void parse_naflex(scry_config *c, scry_config_reader *r, const scry_config_part *p, const char *name,
                         const scry_naflex_config *config)
{
    const scry_config_part options = { "vision_cfg.timm_model_kwargs", scry_config_value(p, "timm_model_kwargs") };
    scry_config_none(r, &options);
    scry_config_require(r, p, "timm_pool", "map");
    scry_config_require(r, p, "timm_proj", "none");
    if (!scry_config_value(p, "timm_pool") || !scry_config_value(p, "timm_proj"))
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.timm_pool and timm_proj must be \"map\" and \"none\" for %s", name);
    c->image.new_tower = scry_naflex_new;
    c->image.naflex = *config;
    const scry_json *patches = scry_config_value(p, "image_seq_len");
    c->image.any_shape = patches && scry_json_type_of(patches) != SCRY_JSON_NULL;
    if (c->image.any_shape)
        c->image.size = scry_config_view_of(r, p, "image_seq_len", 0);
    else if (c->image.size % SCRY_VIEW_PATCH != 0)
        scry_config_fail(r, SCRY_EINVALID, "vision_cfg.image_size is %zu: %s takes multiples of %d", c->image.size, name,
                         SCRY_VIEW_PATCH);
    if (c->dim != config->stack.width)
        scry_config_fail(r, SCRY_EINVALID, "model_cfg.embed_dim is %zu, %s makes vectors of %zu", c->dim, name, config->stack.width);
}

/* Whether `name` is one of naflexes, which then is parsed. */
static bool is_naflex(scry_config *c, scry_config_reader *r, const scry_config_part *p, const char *name)
{
    for (size_t i = 0; i < sizeof naflexes / sizeof *naflexes; i++) {
        if (strcmp(name, naflexes[i].name) != 0)
            continue;
        scry_naflex_config config = {
            .stack = { .layers = naflexes[i].layers, .width = naflexes[i].width, .heads = naflexes[i].heads, .ffn = naflexes[i].ffn,
                       .eps = 1e-6f, .act = SCRY_ACT_GELU_TANH, .act_name = "gelu_pytorch_tanh" },
            .grid = naflexes[i].grid, .names = &naflex_names
        };
        scry_config_known(r, p, naflex_keys);
        parse_naflex(c, r, p, name, &config);
        return true;
    }
    return false;
}

void scry_timm_parse(scry_config *c, scry_config_reader *r, const scry_config_part *p)
{
    const char *name = scry_config_str(r, p, "timm_model_name", "");
    bool quick;
    if (is_naflex(c, r, p, name))
        return;
    if (strncmp(name, "fastvit_", 8) != 0 && strncmp(name, "convnext_", 9) != 0 && !find(name, &quick))
        refuse(r, name);   /* before what else the configuration of another tower has */
    scry_config_known(r, p, known_keys);
    for (size_t i = 0; i < sizeof fastvits / sizeof *fastvits; i++)
        if (strcmp(name, fastvits[i].name) == 0) {
            parse_fastvit(c, r, p, &fastvits[i].config);
            return;
        }
    for (size_t i = 0; i < sizeof convnexts / sizeof *convnexts; i++)
        if (strcmp(name, convnexts[i].name) == 0) {
            parse_convnext(c, r, p, &convnexts[i].config);
            return;
        }
    parse_vit(c, r, p, name);
    scry_config_check_patches(r, &c->image);
}
