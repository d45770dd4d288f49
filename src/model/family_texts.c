/* family_texts.c - texts alone: checkpoints that were trained to read other languages into the vectors of
 * somebody's CLIP, whose pictures they are used with (pair.h). M-CLIP, and sentence-transformers.
 */
#include "model/family.h"
#include "model/hf_text.h"
#include "model/layouts.h"

#include <string.h>

/* ---- M-CLIP: XLM-RoBERTa or LaBSE, the mean of its tokens, a linear layer ---- */

static const char *const mclip_keys[] = { "modelBase", "model_config", "numDims", "transformerDimensions", NULL };

static bool mclip_accepts(const scry_json *config)
{
    return scry_hf_is(config, "M-CLIP");
}

static void mclip_parse(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    const scry_config_part top = { NULL, config };
    const scry_config_part own = { "model_config", scry_config_value(&top, "model_config") };
    scry_hf_known_part(r, &top, mclip_keys);
    c->dim = scry_config_size(r, &top, "numDims", 768, SCRY_MAX_WIDTH);
    if (own.object)
        scry_hf_text_parse(&c->text, r, &own, NULL, "transformer.");
    else
        scry_hf_text_named(&c->text, r, "modelBase", scry_config_str(r, &top, "modelBase", "xlm-roberta-large"), "transformer.");
    if (scry_config_size(r, &top, "transformerDimensions", c->text.stack.width, SCRY_MAX_WIDTH) != c->text.stack.width)
        scry_config_fail(r, SCRY_EINVALID, "transformerDimensions is not %zu, the width of the text model", c->text.stack.width);
    scry_hf_text_project(&c->text, "LinearTransformation", true, c->dim);
}

/* ---- sentence-transformers ---- */

static bool sentence_accepts(const scry_json *config)
{
    return scry_json_type_of(scry_json_get(config, "modules")) == SCRY_JSON_ARRAY;
}

/* Transformer, Pooling, perhaps Dense; Normalize changes nothing where only directions are compared. */
static void check_modules(scry_config_reader *r, const scry_json *modules)
{
    static const char *const order[] = { "Transformer", "Pooling", "Dense" };
    size_t next = 0;
    for (size_t i = 0; i < scry_json_size(modules); i++) {
        const char *class = scry_json_str(scry_json_at(modules, i), "");
        if (next < 3 && strcmp(class, order[next]) == 0)
            next++;
        else if (next < 2 || strcmp(class, "Normalize") != 0)
            scry_config_fail(r, SCRY_EINVALID, "the module %.40s is not supported there: Transformer, Pooling and at most one "
                             "Dense are, in this order", class);
    }
    if (next < 2)
        scry_config_fail(r, SCRY_EINVALID, "the module %s is missing", order[next]);
}

/* "mean" or "cls", also as a flag for each mode. */
static void parse_pooling(scry_text_config *t, scry_config_reader *r, const scry_config_part *p)
{
    static const char *const keys[] = {
        "word_embedding_dimension", "embedding_dimension", "include_prompt", "pooling_mode", "pooling_mode_cls_token",
        "pooling_mode_mean_tokens", NULL
    };
    scry_config_known(r, p, keys);
    bool mean = scry_config_bool(r, p, "pooling_mode_mean_tokens", false);
    bool cls = scry_config_bool(r, p, "pooling_mode_cls_token", false);
    const char *mode = scry_config_str(r, p, "pooling_mode", mean == cls ? "" : cls ? "cls" : "mean");
    t->pool = strcmp(mode, "cls") == 0 ? SCRY_POOL_FIRST : SCRY_POOL_MEAN;
    if (t->pool == SCRY_POOL_MEAN && strcmp(mode, "mean") != 0)
        scry_config_fail(r, SCRY_EINVALID, "%s.pooling_mode \"%.40s\" is not supported: mean and cls are", p->name, mode);
}

static void parse_dense(scry_config *c, scry_config_reader *r, const scry_config_part *p)
{
    static const char *const keys[] = {
        "in_features", "out_features", "bias", "activation_function", "module_input_name", "module_output_name", NULL
    };
    size_t width = c->text.stack.width;
    scry_config_known(r, p, keys);
    scry_config_require(r, p, "activation_function", "torch.nn.modules.linear.Identity");
    scry_config_require(r, p, "module_input_name", "sentence_embedding");
    scry_config_require(r, p, "module_output_name", "sentence_embedding");
    c->dim = scry_config_size(r, p, "out_features", 0, SCRY_MAX_WIDTH);
    if (scry_config_size(r, p, "in_features", 0, SCRY_MAX_WIDTH) != width)
        scry_config_fail(r, SCRY_EINVALID, "%s.in_features is not %zu, the width of the text model", p->name, width);
    scry_hf_text_project(&c->text, "linear", scry_config_bool(r, p, "bias", true), c->dim);
}

/* Texts are as long as the settings allow; a huge number means that none is set. */
static void limit_length(scry_text_config *t, scry_config_reader *r, const scry_json *config)
{
    static const char *const keys[] = {   /* how sentence-transformers 5 says that the text model's last layer is read, too */
        "max_seq_length", "do_lower_case", "transformer_task", "modality_config", "module_output_name", "unpad_inputs", NULL
    };
    const scry_config_part s = { "sentence_bert_config.json", scry_json_get(config, "sentence") };
    scry_config_known(r, &s, keys);
    scry_config_require(r, &s, "transformer_task", "feature-extraction");
    scry_config_require(r, &s, "module_output_name", "token_embeddings");
    const scry_config_part k = { "tokenizer_config.json", scry_json_get(config, "tokenizer") };
    double longest[] = { scry_config_num(r, &s, "max_seq_length", 1e9), scry_config_num(r, &k, "model_max_length", 1e9) };
    for (size_t i = 0; i < 2; i++)
        if (longest[i] >= 2 && longest[i] < (double)t->context)
            scry_hf_text_shorten(t, (size_t)longest[i]);
    if (scry_config_bool(r, &s, "do_lower_case", false))
        scry_config_fail(r, SCRY_EINVALID, "%s: do_lower_case is true, which is not supported", s.name);
}

static void sentence_parse(scry_config *c, scry_config_reader *r, const scry_json *config)
{
    const scry_config_part transformer = { "config.json", scry_json_get(config, "transformer") };
    const scry_config_part pooling = { "pooling", scry_json_get(config, "pooling") };
    const scry_config_part dense = { "dense", scry_json_get(config, "dense") };
    check_modules(r, scry_json_get(config, "modules"));
    scry_hf_text_parse(&c->text, r, &transformer, NULL, "");
    parse_pooling(&c->text, r, &pooling);
    c->dim = c->text.stack.width;
    c->text.bert.head = (scry_head_config){ .branches = 1 };
    if (dense.object)
        parse_dense(c, r, &dense);
    limit_length(&c->text, r, config);
}

const scry_family scry_family_texts = {
    .layouts = {
        { "M-CLIP", SCRY_LAYOUT_HF, mclip_accepts, mclip_parse },
        { "sentence-transformers", SCRY_LAYOUT_SENTENCE, sentence_accepts, sentence_parse }
    }
};
