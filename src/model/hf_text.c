#include "model/hf_text.h"

#include "model/layouts.h"
#include "model/tower.h"
#include "model/transformer.h"

#include <math.h>
#include <string.h>

/* ---- kinds ---- */

static const scry_bert_names distilbert_names = {
    .words = "embeddings.word_embeddings.weight", .positions = "embeddings.position_embeddings.weight",
    .norm = "embeddings.LayerNorm", .stack = "transformer.", .layer = &scry_names_distilbert
};

static const scry_bert_names m2m_names = {
    .words = "embed_tokens.weight", .stack = "", .layer = &scry_names_m2m, .final_norm = "layer_norm"
};

/* How a kind's configuration names its sizes, and what differs in what it computes. */
typedef struct text_kind {
    const char *type;   /* model_type */
    const scry_bert_names *names;
    const char *layers, *width, *heads, *ffn, *act, *eps;   /* keys; NULL: fixed */
    scry_stack_config sizes;                  /* transformers' own for absent keys */
    size_t vocab, positions, types;
    bool counts_from_padding;                 /* the first position is pad_token_id + 1 */
    bool pre_norm;
} text_kind;

static const text_kind kinds[] = {
    { "bert", &scry_names_bert_model, "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size",
      "hidden_act", "layer_norm_eps", { 12, 768, 12, 3072, 1e-12f, SCRY_ACT_GELU, "gelu" }, 30522, 512, 2, false, false },
    { "chinese_clip_text_model", &scry_names_bert_model, "num_hidden_layers", "hidden_size", "num_attention_heads",
      "intermediate_size", "hidden_act", "layer_norm_eps", { 12, 768, 12, 3072, 1e-12f, SCRY_ACT_GELU, "gelu" },
      30522, 512, 2, false, false },
    { "xlm-roberta", &scry_names_bert_model, "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size",
      "hidden_act", "layer_norm_eps", { 12, 768, 12, 3072, 1e-12f, SCRY_ACT_GELU, "gelu" }, 30522, 512, 2, true, false },
    { "distilbert", &distilbert_names, "n_layers", "dim", "n_heads", "hidden_dim", "activation", NULL,
      { 6, 768, 12, 3072, 1e-12f, SCRY_ACT_GELU, "gelu" }, 30522, 512, 0, false, false },
    { "m2m_100", &m2m_names, "encoder_layers", "d_model", "encoder_attention_heads", "encoder_ffn_dim",
      "activation_function", NULL, { 12, 1024, 16, 4096, 1e-5f, SCRY_ACT_RELU, "relu" }, 128112, 1024, 0, true, true }
};

static const text_kind *find_kind(const char *type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return &kinds[i];
    return NULL;
}

/* What all kinds have in common, once the sizes are known. */
static void fill(scry_text_config *t, const text_kind *k, size_t first_position, const char *prefix)
{
    t->new_tower = scry_bert_new;
    t->prefix = "";
    t->pool = SCRY_POOL_MEAN;
    t->bert.names = k->names;
    t->bert.prefix = prefix;
    t->bert.first_position = first_position;
    t->bert.pre_norm = k->pre_norm;
    t->context = t->bert.positions > first_position ? t->bert.positions - first_position : 1;
}

static scry_stack_config parse_stack(scry_config_reader *r, const scry_config_part *p, const text_kind *k)
{
    const scry_stack_config *d = &k->sizes;
    scry_stack_config s = {
        .layers = scry_config_size(r, p, k->layers, d->layers, SCRY_MAX_LAYERS),
        .width = scry_config_size(r, p, k->width, d->width, SCRY_MAX_WIDTH),
        .heads = scry_config_size(r, p, k->heads, d->heads, SCRY_MAX_WIDTH),
        .ffn = scry_config_size(r, p, k->ffn, d->ffn, SCRY_MAX_FFN),
        .eps = k->eps ? (float)scry_config_num(r, p, k->eps, (double)d->eps) : d->eps,
        .act_name = scry_config_str(r, p, k->act, d->act_name)
    };
    scry_config_check_stack(r, p, &s);
    return s;
}

/* What is read here, and what is of training, of the half that is not used (decoders, BERT's pooling layer, which no family
 * here reads) or of programs that make texts. sinusoidal_pos_embds: the file has these positions as any others. */
static const char *const known_keys[] = {
    "model_type", "position_embedding_type", "pad_token_id", "vocab_size", "max_position_embeddings", "type_vocab_size", "scale_embedding",
    "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "hidden_act", "layer_norm_eps",
    "n_layers", "dim", "n_heads", "hidden_dim", "activation",
    "encoder_layers", "d_model", "encoder_attention_heads", "encoder_ffn_dim", "activation_function",
    "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "qa_dropout", "seq_classif_dropout", "activation_dropout",
    "encoder_layerdrop", "decoder_layerdrop", "init_std", "output_past", "tie_weights_", "sinusoidal_pos_embds", "directionality",
    "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type",
    "decoder_layers", "decoder_attention_heads", "decoder_ffn_dim", "is_encoder_decoder", NULL
};

static void check_keys(scry_config_reader *r, const scry_config_part *p, const text_kind *k)
{
    scry_hf_known_part(r, p, known_keys);
    if (!k->pre_norm)   /* of M2M100 the encoder alone is read */
        scry_config_off(r, p, "is_encoder_decoder");
}

void scry_hf_text_parse(scry_text_config *t, scry_config_reader *r, const scry_config_part *p, const char *type,
                        const char *prefix)
{
    if (!type)
        type = scry_config_str(r, p, "model_type", "");
    const text_kind *k = find_kind(type);
    if (!k) {
        scry_config_fail(r, SCRY_EINVALID, "%s: text models of type \"%.40s\" are not supported (bert, xlm-roberta, "
                         "distilbert and m2m_100 are)", p->name ? p->name : "model_type", type);
        k = &kinds[0];
    }
    check_keys(r, p, k);
    scry_config_require(r, p, "position_embedding_type", "absolute");
    int64_t padding = scry_config_int(r, p, "pad_token_id", 1);
    if (k->counts_from_padding && (padding < 0 || padding > 100))
        scry_config_fail(r, SCRY_EINVALID, "%s.pad_token_id is out of range", p->name);
    t->stack = parse_stack(r, p, k);
    t->vocab = scry_config_size(r, p, "vocab_size", k->vocab, SCRY_MAX_VOCAB);
    t->bert.positions = scry_config_size(r, p, "max_position_embeddings", k->positions, SCRY_MAX_CONTEXT);
    size_t first = k->counts_from_padding && r->code == 0 ? (size_t)padding + 1 : 0;
    if (t->bert.positions <= first)
        scry_config_fail(r, SCRY_EINVALID, "%s.max_position_embeddings is %zu: there is none for a text's first token, at %zu",
                         p->name ? p->name : "model_cfg", t->bert.positions, first);
    t->bert.types = k->types ? scry_config_size(r, p, "type_vocab_size", k->types, 64) : 0;
    bool scaled = k->pre_norm && scry_config_bool(r, p, "scale_embedding", true);
    t->bert.scale = scaled ? sqrtf((float)t->stack.width) : 1;
    fill(t, k, first, prefix);
}

/* ---- models known by name ---- */

static const struct named_model {
    const char *name, *type;
    scry_stack_config stack;
    size_t vocab, positions, types;
} named_models[] = {
    { "xlm-roberta-base", "xlm-roberta", { 12, 768, 12, 3072, 1e-5f, SCRY_ACT_GELU, "gelu" }, 250002, 514, 1 },
    { "xlm-roberta-large", "xlm-roberta", { 24, 1024, 16, 4096, 1e-5f, SCRY_ACT_GELU, "gelu" }, 250002, 514, 1 },
    { "sentence-transformers/LaBSE", "bert", { 12, 768, 12, 3072, 1e-12f, SCRY_ACT_GELU, "gelu" }, 501153, 512, 2 },
    { "facebook/nllb-200-distilled-600M", "m2m_100", { 12, 1024, 16, 4096, 1e-5f, SCRY_ACT_RELU, "relu" },
      256206, 1024, 0 },
    { "facebook/nllb-200-distilled-1.3B", "m2m_100", { 24, 1024, 16, 8192, 1e-5f, SCRY_ACT_RELU, "relu" },
      256206, 1024, 0 }
};

void scry_hf_text_named(scry_text_config *t, scry_config_reader *r, const char *key, const char *name,
                        const char *prefix)
{
    static const char owner[] = "FacebookAI/";   /* xlm-roberta's; it was published without */
    const char *bare = strncmp(name, owner, strlen(owner)) == 0 ? name + strlen(owner) : name;
    const struct named_model *m = named_models, *end = m + sizeof named_models / sizeof *named_models;
    while (m < end && strcmp(m->name, bare) != 0)
        m++;
    if (m == end) {
        scry_config_fail(r, SCRY_EINVALID, "%s \"%.60s\": %s", key, name,
                         strstr(name, "t5") ? "T5's encoders are not supported; MetaCLIP 2's models with mT5's tokenizer are"
                         : strcmp(bare, "roberta-base") == 0 || strcmp(bare, "roberta-large") == 0
                         ? "RoBERTa's tokenizer is not supported; XLM-RoBERTa's models are"
                         : "scry does not know this text model's sizes: put its config.json into text_cfg.hf_model_config (BERT, "
                         "XLM-RoBERTa, DistilBERT and M2M100 run)");
        m = named_models;
    }
    const text_kind *k = find_kind(m->type);
    t->stack = m->stack;
    t->vocab = m->vocab;
    t->bert.positions = m->positions;
    t->bert.types = m->types;
    t->bert.scale = k->pre_norm ? sqrtf((float)t->stack.width) : 1;
    fill(t, k, k->counts_from_padding ? 2 : 0, prefix);
}

void scry_hf_text_shorten(scry_text_config *t, size_t tokens)
{
    if (tokens < t->context)
        t->context = tokens;
}

void scry_hf_text_project(scry_text_config *t, const char *name, bool bias, size_t dim)
{
    t->bert.head = (scry_head_config){ 1, { { 0, 1, { { SCRY_HEAD_LINEAR, t->stack.width, dim, bias, name, 0 } } } } };
}
