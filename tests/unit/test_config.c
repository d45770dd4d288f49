/* model/config: published configurations with one thing changed. What would change the result is refused with key and
 * value; what does not is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "model/config.h"

#include <stdlib.h>
#include <string.h>

static char *read_text(const char *file)
{
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    const char *top = getenv("SCRY_TOP");
    char *path = scry_asprintf("%s/tests/golden/models/%s", top ? top : ".", file);
    assert_int_equal(scry_read_file(path, &b, NULL), 0);
    char *text = scry_strdup(scry_buf_str(&b));
    scry_buf_dispose(&b);
    free(path);
    return text;
}

/* `text` with the first `from` replaced by `to`. */
static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at)
        fail_msg("no %s", from);
    return scry_asprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

typedef enum { HF, OPEN_CLIP, PREPROCESSOR, PATCHES } kind;   /* PATCHES: a preprocessor for pictures of any shape */

/* Parse `file` with `from` replaced; `expected` is in the message, NULL: accepted. */
static void check(kind k, const char *file, const char *from, const char *to, const char *expected)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_json *json;
    char *original = read_text(file), *text = replaced(original, from, to);
    assert_int_equal(scry_json_parse(&json, text, strlen(text), "x", &err), 0);
    scry_config c = { .image = { .any_shape = k == PATCHES } };
    int r = k == PREPROCESSOR || k == PATCHES ? scry_config_parse_preprocessor(&c, json, "DIR/file", &err)
          : scry_config_parse(&c, k == HF ? SCRY_LAYOUT_HF : SCRY_LAYOUT_OPEN_CLIP, json, "DIR/file", &err);
    if (!expected && r < 0)
        fail_msg("%s: %s", to, err.message);
    if (expected && (r >= 0 || !strstr(err.message, expected) || !strstr(err.message, "DIR/file: ")))
        fail_msg("%s: %s where \"%s\" is expected", to, r < 0 ? err.message : "accepted", expected);
    scry_json_free(json);
    free(text);
    free(original);
}

#define ADD(key) "{", "{" key ","

static void transformers(void **state)
{
    static const char text[] = "\"text_config\": {", image[] = "\"vision_config\": {";
    for (int i = 0; i < 2; i++) {
        const char *file = i ? "siglip/config.json" : "clip/config.json";
        check(HF, file, ADD("\"new_rotary\":true"), "new_rotary is true: scry does not know this option");
        check(HF, file, ADD("\"new_rotary\":false"), NULL);
        check(HF, file, text, "\"text_config\": {\"pooling\": \"mean\",", "text_config.pooling is \"mean\"");
        check(HF, file, text, "\"text_config\": {\"is_decoder\": true,", "text_config.is_decoder is true");
        check(HF, file, text, "\"text_config\": {\"rope_theta\": 10000.5,", "text_config.rope_theta is 10000.5");
        check(HF, file, image, "\"vision_config\": {\"window\": [1, 2],", "vision_config.window is [...]");
        check(HF, file, image, "\"vision_config\": {\"pruned_heads\": {\"1\": [0]},", "vision_config.pruned_heads is {...}");
        check(HF, file, image, "\"vision_config_dict\": {\"strides\": 2}, \"vision_config\": {",
              i ? "vision_config_dict is {...}" : "vision_config_dict.strides is 2");
        check(HF, file, "\"num_channels\": 3", "\"num_channels\": 1", "vision_config.num_channels is 1");
        /* what version 4 wrote into every part */
        check(HF, file, text, "\"text_config\": {\"temperature\": 1.0, \"top_k\": 50, \"length_penalty\": 1.0, \"is_decoder\": false, "
              "\"id2label\": {\"0\": \"LABEL_0\"}, \"return_dict\": true, \"pruned_heads\": {}, \"torch_dtype\": \"float32\", "
              "\"prefix\": null, \"use_bfloat16\": false,", NULL);
    }
    static const char clip[] = "clip/config.json", type[] = "\"model_type\": \"clip\"";
    check(HF, clip, type, "\"model_type\": \"blip\"", "models of type \"blip\" are not supported; `scry model list --catalogue`");
    check(HF, clip, type, "\"model_type\": \"clip_vision_model\"", "an image tower without its text tower");
    check(HF, clip, type, "\"model_type\": \"bert\"", "a text model");
    check(HF, clip, type, "\"vision_cfg\": {}", "must be named open_clip_config.json");
    check(HF, clip, type, "\"architecture\": \"vit_base_patch16_224\"", "timm's image classifiers");
}

/* Families whose texts are read by a model of transformers, and scry's own: what is not known is refused in each part. */
static void other_families(void **state)
{
    static const struct { const char *file, *part, *name; } parts[] = {
        { "chinese_clip/config.json", "{", "" }, { "chinese_clip/config.json", "\"vision_config\": {", "vision_config." },
        { "chinese_clip/config.json", "\"text_config\": {", "text_config." }, { "mclip/config.json", "{", "" },
        { "mclip/config.json", "\"model_config\": {", "model_config." }, { "dual/config.json", "{", "" },
        { "dual/config.json", "\"vision_config\": {", "vision_config." }, { "dual/config.json", "\"text_config\": {", "text_config." },
        { "open_clip_xlm/open_clip_config.json", "\"hf_model_config\": {", "text_cfg.hf_model_config." },
        { "open_clip_nllb/open_clip_config.json", "\"hf_model_config\": {", "text_cfg.hf_model_config." }
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        kind k = strstr(parts[i].file, "open_clip_config") ? OPEN_CLIP : HF;
        char *to = scry_asprintf("%s \"is_decoder\": true,", parts[i].part);
        char *said = scry_asprintf("%sis_decoder is true: scry does not know this option", parts[i].name);
        char *off = scry_asprintf("%s \"is_decoder\": false,", parts[i].part);
        check(k, parts[i].file, parts[i].part, to, said);
        check(k, parts[i].file, parts[i].part, off, NULL);
        free(off);
        free(said);
        free(to);
    }
    static const char text[] = "\"text_config\": {", bert[] = "chinese_clip/config.json";
    check(HF, bert, text, "\"text_config_dict\": {\"add_cross_attention\": true}, \"text_config\": {", "text_config_dict.add_cross_attention is true");
    check(HF, bert, text, "\"text_config\": {\"is_encoder_decoder\": true,", "text_config.is_encoder_decoder is true");
    /* as published */
    check(HF, bert, text, "\"text_config\": {\"directionality\": \"bidi\", \"output_past\": true, \"pooler_fc_size\": 768, \"pooler_type\": "
          "\"first_token_transform\", \"classifier_dropout\": null,", NULL);
    check(OPEN_CLIP, "open_clip_nllb/open_clip_config.json", "\"hf_model_config\": {", "\"hf_model_config\": {\"is_encoder_decoder\": true, "
          "\"decoder_layers\": 12, \"decoder_ffn_dim\": 4096, \"activation_dropout\": 0.1, \"encoder_layerdrop\": 0.1, \"init_std\": 0.02,", NULL);
    check(HF, "mclip/config.json", "{", "{\"architectures\": [\"MultilingualCLIP\"], \"torch_dtype\": \"float32\",", NULL);
}

/* Code of a repository's own, models of other things. */
static void other_models(void **state)
{
    static const char clip[] = "clip/config.json", class[] = "\"CLIPModel\"\n  ]", code[] = "], \"auto_map\": {\"AutoModel\": \"x.Y\"}";
    char *theirs = scry_asprintf("\"LLM2CLIPModel\"%s", code), *fg_clip = scry_asprintf("\"FGCLIPModel\"%s", code);
    check(HF, clip, class, theirs, "auto_map.AutoModel says that code of the repository's own (LLM2CLIPModel)");
    check(HF, clip, class, fg_clip, NULL);
    free(fg_clip);
    free(theirs);
    check(HF, clip, class, "\"CLIPForImageClassification\"]", "architectures is [\"CLIPForImageClassification\"]: an image classifier");
    static const char file[] = "open_clip/open_clip_config.json", model[] = "\"model_cfg\": {", image[] = "\"vision_cfg\": {";
    check(OPEN_CLIP, file, image, "\"audio_cfg\": {", "model_cfg.audio_cfg is {...}: a model of sounds");
    check(OPEN_CLIP, file, image, "\"genlap_cfg\": {", "model_cfg.genlap_cfg is {...}: a model of sounds");
    check(OPEN_CLIP, file, image, "\"other\": {", "model_cfg with vision_cfg and text_cfg is missing");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"image_seq_len\": 576, \"timm_model_name\": \"naflexvit_base_patch16_gap\",",
          "timm_model_name is \"naflexvit_base_patch16_gap\": of timm's towers for pictures of any shape");
    check(OPEN_CLIP, file, model, "\"model_cfg\": {\"genlip_cfg\": {\"a\": 1},", "model_cfg.genlip_cfg is {...}: GenLIP, which writes captions");
}

/* SigLIP 2 for pictures of any shape, and FG-CLIP 2, which has more keys. */
static void any_shape(void **state)
{
    static const char file[] = "naflex/config.json", type[] = "\"model_type\": \"siglip2\"", image[] = "\"vision_config\": {";
    check(HF, file, "\"Siglip2Model\"\n  ]", "\"Fgclip2Model\"], \"auto_map\": {\"AutoModel\": \"x.Y\"}", "code of the repository's own (Fgclip2Model)");
    check(HF, file, type, "\"model_type\": \"fgclip2\", \"auto_map\": {\"AutoModel\": \"modeling_fgclip2.Fgclip2Model\"}", NULL);
    check(HF, file, "\"text_config\": {", "\"text_config\": {\"keep_len\": 20, \"longtext_len\": 196,", NULL);
    check(HF, file, "\"num_patches\": 16", "\"num_patches\": 15", "vision_config.num_patches is 15, which is not a square number");
    check(HF, file, "\"patch_size\": 16", "\"patch_size\": 14", "vision_config.patch_size must be 16");
    check(HF, file, image, "\"vision_config\": {\"image_size\": 224,", "vision_config.image_size is 224");
    check(HF, "siglip/config.json", image, "\"vision_config\": {\"num_patches\": 256,", "vision_config.num_patches is 256");
    static const char pixels[] = "naflex/preprocessor_config.json", most[] = "\"max_num_patches\": 9";
    check(PATCHES, pixels, most, "\"max_num_patches\": 256, \"size\": null", NULL);
    check(PATCHES, pixels, most, "\"max_num_patches\": 512", "max_num_patches is 512: scry takes square numbers, such as 484 or 529");
    check(PATCHES, pixels, most, "\"max_num_patches\": 4096", "max_num_patches must be a whole number from 1 to 3969");
    check(PATCHES, pixels, "Siglip2ImageProcessor", "Fgclip2ImageProcessor", NULL);
    check(PATCHES, pixels, "\"patch_size\": 16", "\"patch_size\": 32", "patch_size must be 16");
    check(PATCHES, pixels, most, "\"size\": {\"height\": 224, \"width\": 224}", "size is {...}");
    check(PREPROCESSOR, pixels, most, "\"max_num_patches\": 9", "patch_size is 16");
}

/* SigLIP 2 for pictures of any shape under timm's names. */
static void open_clip_any_shape(void **state)
{
    static const char file[] = "open_clip_naflex/open_clip_config.json", most[] = "\"image_seq_len\": 9", image[] = "\"vision_cfg\": {";
    check(OPEN_CLIP, file, most, "\"image_seq_len\": 576", NULL);
    check(OPEN_CLIP, file, most, "\"image_seq_len\": 1023", "vision_cfg.image_seq_len is 1023: scry takes square numbers, such as 961 or 1024");
    check(OPEN_CLIP, file, most, "\"image_seq_len\": 0", "vision_cfg.image_seq_len must be a whole number from 1 to 3969");
    check(OPEN_CLIP, file, most, "\"image_seq_len\": \"9\"", "vision_cfg.image_seq_len must be a whole number");
    check(OPEN_CLIP, file, most, "\"image_seq_len\": null", NULL);   /* squares of image_size */
    check(OPEN_CLIP, file, "\"image_seq_len\": 9,\n   \"image_size\": 48", "\"image_size\": 50", "vision_cfg.image_size is 50: ");
    check(OPEN_CLIP, file, "\"image_size\": 48", "\"image_size\": 384", NULL);   /* of no effect beside image_seq_len */
    check(OPEN_CLIP, file, "\"timm_pool\": \"map\"", "\"timm_pool\": \"avg\"", "vision_cfg.timm_pool is \"avg\": only \"map\"");
    check(OPEN_CLIP, file, "\"timm_pool\": \"map\",", "", "vision_cfg.timm_pool and timm_proj must be \"map\" and \"none\"");
    check(OPEN_CLIP, file, "\"timm_proj\": \"none\"", "\"timm_proj\": \"linear\"", "vision_cfg.timm_proj is \"linear\"");
    check(OPEN_CLIP, file, "\"embed_dim\": 40", "\"embed_dim\": 44", "model_cfg.embed_dim is 44");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"timm_model_kwargs\": {},", NULL);
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"timm_model_kwargs\": {\"patch_size\": 32},", "vision_cfg.timm_model_kwargs.patch_size is 32: ");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"timm_model_kwargs\": {\"pos_embed_interp_mode\": \"bicubic\"},",
          "vision_cfg.timm_model_kwargs.pos_embed_interp_mode is \"bicubic\": ");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"timm_model_kwargs\": {\"qkv_bias\": false},", "vision_cfg.timm_model_kwargs.qkv_bias is false: ");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"timm_model_kwargs\": {\"class_token\": true},", "vision_cfg.timm_model_kwargs.class_token is true: ");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"reg_tokens\": 4,", "vision_cfg.reg_tokens is 4: ");
    check(OPEN_CLIP, "open_clip_siglip/open_clip_config.json", image, "\"vision_cfg\": {\"image_seq_len\": 16,", "vision_cfg.image_seq_len is 16: ");
}

static void open_clip(void **state)
{
    static const char file[] = "open_clip/open_clip_config.json";
    static const char model[] = "\"model_cfg\": {", image[] = "\"vision_cfg\": {", text[] = "\"text_cfg\": {";
    check(OPEN_CLIP, file, model, "\"model_cfg\": {\"fusion\": \"late\",", "model_cfg.fusion is \"late\"");
    check(OPEN_CLIP, file, model, "\"model_cfg\": {\"multimodal_cfg\": {\"width\": 8},", "CoCa, which writes captions, is not supported");
    check(OPEN_CLIP, file, model, "\"model_cfg\": {\"init_logit_bias\": -10,", NULL);
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"global_average_pool\": true,", "vision_cfg.global_average_pool is true");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"input_patchnorm\": true,", "vision_cfg.input_patchnorm is true");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"timm_model_name\": \"swin_base\",", "vision_cfg.timm_model_name is \"swin_base\": Swin");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"timm_model_name\": \"vitamin_large_224\",", "\"vitamin_large_224\": ViTamin's");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"timm_model_name\": \"naflexvit_base_patch16_radio_v3\",",
          "pull siglip2-b16-naflex`");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"timm_model_name\": \"vit_x\",", "\"vit_x\": of timm's image towers the ViTs");
    static const char convnext[] = "open_clip_convnext/open_clip_config.json";
    check(OPEN_CLIP, convnext, "\"timm_pool\": \"\"", "\"timm_pool\": \"max\"", "vision_cfg.timm_pool \"max\" is not supported for ConvNeXt");
    check(OPEN_CLIP, convnext, "\"timm_proj\": \"linear\"", "\"timm_proj\": null", "vision_cfg.timm_proj \"\" is not supported for ConvNeXt");
    check(OPEN_CLIP, convnext, "\"image_size\": 43", "\"image_size\": 31", "vision_cfg.image_size is 31");
    check(OPEN_CLIP, convnext, "\"timm_pool\": \"\"", "\"timm_pool\": \"avg\"", NULL);
    check(OPEN_CLIP, file, "\"layers\": ", "\"layers\": [3, 4, 6, 3], \"old\": ", "vision_cfg.layers is [...]: ResNet image towers");
    check(OPEN_CLIP, file, text, "\"text_cfg\": {\"hf_model_name\": \"x/y\",", "text_cfg.hf_model_name \"x/y\": scry does not know");
    check(OPEN_CLIP, file, text, "\"text_cfg\": {\"hf_model_name\": \"google/mt5-base\",", "\"google/mt5-base\": T5's encoders");
    check(OPEN_CLIP, file, text, "\"text_cfg\": {\"hf_model_name\": \"roberta-base\",", "\"roberta-base\": RoBERTa's tokenizer");
    check(OPEN_CLIP, file, text, "\"text_cfg\": {\"tokenizer_kwargs\": {\"clean\": \"canonicalize\"},", "clean is \"canonicalize\"");
    check(OPEN_CLIP, file, text, "\"text_cfg\": {\"tokenizer_kwargs\": {\"strip\": true},", "text_cfg.tokenizer_kwargs.strip is true");
    check(OPEN_CLIP, file, text, "\"text_cfg\": {\"tokenizer_kwargs\": {\"strip_sep_token\": true},",
          "text_cfg.tokenizer_kwargs.strip_sep_token is true");
    check(OPEN_CLIP, file, text, "\"text_cfg\": {\"proj_type\": \"none\",", "text_cfg.proj_type without model_cfg.custom_text");
    check(OPEN_CLIP, file, text, "\"text_cfg\": {\"proj_type\": \"mlp\",", "text_cfg.proj_type is \"mlp\"");
    check(OPEN_CLIP, file, image, "\"vision_cfg\": {\"pool_type\": \"none\",", "vision_cfg.pool_type is \"none\"");
    static const char clipa[] = "open_clip_clipa_before/open_clip_config.json";
    check(OPEN_CLIP, clipa, "\"embed_dim\": 36", "\"embed_dim\": 40", "text_cfg.width 36: model_cfg.embed_dim is 40");
    check(OPEN_CLIP, "open_clip_xlm/open_clip_config.json", "\"max_position_embeddings\": 26", "\"max_position_embeddings\": 2",
          "max_position_embeddings is 2: there is none for a text's first token, at 2");
    static const char pixels[] = "\"preprocess_cfg\": {";
    check(OPEN_CLIP, file, pixels, "\"preprocess_cfg\": {\"blur\": 2,", "preprocess_cfg.blur is 2");
    check(OPEN_CLIP, file, pixels, "\"preprocess_cfg\": {\"mode\": \"L\",", "preprocess_cfg.mode is \"L\"");
    check(OPEN_CLIP, file, pixels, "\"preprocess_cfg\": {\"size\": [24, 24], \"mode\": \"RGB\", \"fill_color\": 0,", NULL);
    check(OPEN_CLIP, file, pixels, "\"preprocess_cfg\": {\"size\": 24,", NULL);
    check(OPEN_CLIP, file, pixels, "\"preprocess_cfg\": {\"size\": [24, 23],", "preprocess_cfg.size is 23, vision_cfg.image_size 24");
    check(OPEN_CLIP, file, pixels, "\"preprocess_cfg\": {\"size\": 240,", "preprocess_cfg.size is 240, vision_cfg.image_size 24");
}

/* Apple's folders have the contents of model_cfg as the whole file. */
static void flat(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_json *json;
    static const char text[] = "{\"embed_dim\": 512, \"quick_gelu\": true, \"vision_cfg\": {\"image_size\": 384, \"layers\": 32, \"width\": 1280, "
        "\"head_width\": 80, \"patch_size\": 14}, \"text_cfg\": {\"context_length\": 77, \"vocab_size\": 49408, \"width\": 1024, \"heads\": 16, "
        "\"layers\": 24}}";
    assert_int_equal(scry_json_parse(&json, text, sizeof text - 1, "x", NULL), 0);
    scry_config c = { .min_score = 0 };
    if (scry_config_parse(&c, SCRY_LAYOUT_OPEN_CLIP, json, "DIR/file", &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(c.dim, 512);
    assert_int_equal(c.image.size, 384);
    assert_int_equal(c.image.size / c.image.vit.patch, 27);   /* the rest of 6 pixels is not used */
    assert_string_equal(c.image.vit.stack.act_name, "quick_gelu");
    scry_json_free(json);
}

/* The size and activation that a configuration gives, edited at `from`. */
static void parsed(scry_config *c, scry_json **json, const char *file, const char *from, const char *to)
{
    scry_error err = SCRY_ERROR_INIT;
    char *original = read_text(file), *text = replaced(original, from, to);
    assert_int_equal(scry_json_parse(json, text, strlen(text), "x", &err), 0);
    *c = (scry_config){ .root = NULL };
    if (scry_config_parse(c, SCRY_LAYOUT_HF, *json, "DIR/file", &err) < 0)
        fail_msg("%s", err.message);
    free(text);
    free(original);
}

/* transformers completes text_config_dict by its defaults and lets that override text_config: a key that only text_config has
 * counts for nothing. */
static void older_parts(void **state)
{
    static const char text[] = "\"text_config\": {", image[] = "\"vision_config\": {";
    scry_config c;
    scry_json *json;
    parsed(&c, &json, "clip/config.json", text, "\"text_config_dict\": {\"hidden_size\": 48, \"num_attention_heads\": 6}, "
           "\"text_config\": {");
    assert_int_equal(c.text.stack.width, 48);
    assert_int_equal(c.text.stack.layers, 12);
    assert_int_equal(c.text.vocab, 49408);
    scry_json_free(json);
    parsed(&c, &json, "clip/config.json", image, "\"vision_config_dict\": {\"patch_size\": 16}, \"vision_config\": {");
    assert_int_equal(c.image.vit.patch, 16);
    assert_int_equal(c.image.vit.stack.width, 768);
    assert_int_equal(c.image.size, 224);
    scry_json_free(json);
    parsed(&c, &json, "clip/config.json", text, "\"text_config_dict\": null, \"text_config\": {");
    assert_int_equal(c.text.stack.width, 35);
    scry_json_free(json);
    check(HF, "siglip/config.json", text, "\"text_config_dict\": {\"hidden_size\": 48}, \"text_config\": {", "text_config_dict is {...}");
}

static void preprocessor(void **state)
{
    static const char file[] = "clip/preprocessor_config.json";
    check(PREPROCESSOR, file, "\"do_resize\": true", "\"do_resize\": false", "do_resize is false");
    check(PREPROCESSOR, file, ADD("\"do_pad\":true"), "do_pad is true");
    check(PREPROCESSOR, file, ADD("\"do_pad\":false"), NULL);
    check(PREPROCESSOR, file, ADD("\"do_reduce_labels\":true"), "do_reduce_labels is true");
    check(PREPROCESSOR, file, "\"resample\": 3", "\"resample\": 1", "resample 1 is not supported");
    static const char size[] = "\"size\": {\n  \"shortest_edge\": 28", class[] = "CLIPImageProcessor\"", crop[] = "\"crop_size\": {";
    check(PREPROCESSOR, file, size, "\"size\": {\"shortest_edge\": 28, \"longest_edge\": 100", "size.longest_edge is 100: scry takes");
    check(PREPROCESSOR, file, size, "\"size\": {\"shortest_edge\": 28, \"longest_edge\": null", NULL);
    check(PREPROCESSOR, file, size, "\"size\": {\"longest_edge\": 28", "size.longest_edge is 28: scry takes the shorter side alone");
    check(PREPROCESSOR, file, size, "\"size\": {\"height\": 28, \"width\": 27", "size must be N, {\"shortest_edge\": N}");
    check(PREPROCESSOR, file, size, "\"size\": [28, 28], \"auto_map\": {\"b\": 0", "size must be N, ");
    check(PREPROCESSOR, file, size, "\"size\": 28, \"auto_map\": {\"shortest_edge\": 0", NULL);
    check(PREPROCESSOR, file, crop, "\"crop_size\": {\"depth\": 1,", "crop_size.depth is 1: scry takes");
    check(PREPROCESSOR, file, class, "ConvNextImageProcessor\"", "image_processor_type is \"ConvNextImageProcessor\": how that scales");
    check(PREPROCESSOR, file, class, "CLIPImageProcessorFast\"", NULL);
    check(PREPROCESSOR, file, class, "BitImageProcessor\"", NULL);
    /* What null means depends on the version of transformers: off in 5, the class's own in the fast processors of 4.5x. */
    static const char resize[] = "\"do_resize\": true", siglip[] = "siglip/preprocessor_config.json";
    check(PREPROCESSOR, file, resize, "\"do_resize\": null", "do_resize is null, by which versions of transformers mean");
    check(PREPROCESSOR, file, "\"do_normalize\": true", "\"do_normalize\": null", "do_normalize is null");
    check(PREPROCESSOR, file, "\"do_rescale\": true", "\"do_rescale\": null", "do_rescale is null");
    check(PREPROCESSOR, file, "\"do_center_crop\": true", "\"do_center_crop\": null", "do_center_crop is null");
    check(PREPROCESSOR, file, "\"resample\": 3", "\"resample\": null", "resample is null");
    check(PREPROCESSOR, siglip, resize, "\"do_resize\": true, \"do_center_crop\": null, \"crop_size\": null", NULL);
    /* one number: both sides or the shorter one, by the class */
    check(PREPROCESSOR, siglip, "\"size\": {", "\"size\": 30, \"auto_map\": {", "size names the shorter side (30)");
    check(PREPROCESSOR, file, size, "\"feature_extractor_type\": \"x\", \"size\": 28, \"auto_map\": {\"shortest_edge\": 0", NULL);
    check(PREPROCESSOR, file, size, "\"default_to_square\": true, \"size\": 28, \"auto_map\": {\"shortest_edge\": 0",
          "default_to_square contradicts");
    check(PREPROCESSOR, file, size, "\"default_to_square\": false, \"size\": 28, \"auto_map\": {\"shortest_edge\": 0", NULL);
    check(PREPROCESSOR, file, ADD("\"processor_class\":\"CLIPProcessor\",\"return_tensors\":null,\"data_format\":\"channels_first\""), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transformers),
        cmocka_unit_test(other_families),
        cmocka_unit_test(other_models),
        cmocka_unit_test(any_shape),
        cmocka_unit_test(open_clip_any_shape), cmocka_unit_test(open_clip),
        cmocka_unit_test(flat),
        cmocka_unit_test(older_parts),
        cmocka_unit_test(preprocessor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
