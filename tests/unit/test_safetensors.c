/* Damaged and unsupported checkpoints: each is refused with one clear line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/sha256.h"
#include "model/config.h"
#include "model/safetensors.h"
#include "scry/model.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A file of this header and `data_bytes` zeros; *size is its length. Owned. */
static uint8_t *make_file(const char *header, size_t data_bytes, size_t *size)
{
    size_t n = strlen(header);
    *size = 8 + n + data_bytes;
    uint8_t *file = scry_try_alloc_aligned(*size, 1);
    for (int i = 0; i < 8; i++)
        file[i] = (uint8_t)(n >> 8 * i);
    memcpy(file + 8, header, n);
    return file;
}

/* The header's file is refused, and the message holds `expected`. */
static void refused(const char *header, size_t data_bytes, const char *expected)
{
    size_t n;
    uint8_t *file = make_file(header, data_bytes, &n);
    scry_tensors *ts = NULL;
    scry_error err = SCRY_ERROR_INIT;
    int r = scry_tensors_parse(&ts, file, n, "m.safetensors", &err);
    if (r >= 0 || !strstr(err.message, expected))
        fail_msg("%s: got %d, \"%s\"", header, r, err.message);
    assert_null(strchr(err.message, '\n'));
    free(file);
}

static void lying_headers(void **state)
{
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "truncated");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "outside");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", 8, "outside");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]}}", 9, "outside");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "needs 12");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
            "impossible shape");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}", 4,
            "impossible shape");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "impossible shape");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
            "impossible shape");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":\"x\",\"data_offsets\":[0,4]}}", 4, "impossible shape");
    refused("{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype");
    refused("{\"a\":7}", 4, "dtype");
    refused("{\"a\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[0,4]},"
            "\"b\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[3,7]}}", 8, "overlap");
    refused("[]", 0, "not a JSON object");
    refused("{", 0, "JSON");
    refused("{\"a\":{},\"a\":{}}", 0, "JSON");
}

static void lying_lengths(void **state)
{
    scry_tensors *ts = NULL;
    scry_error err = SCRY_ERROR_INIT;
    static const uint8_t huge[16] = { 255, 255, 255, 255, 255, 255, 255, 127, '{', '}' };
    assert_int_equal(scry_tensors_parse(&ts, huge, sizeof huge, "m", &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "truncated"));
    assert_int_equal(scry_tensors_parse(&ts, huge, 5, "m", &err), SCRY_EINVALID);
    assert_int_equal(scry_tensors_parse(&ts, huge, 0, "m", &err), SCRY_EINVALID);
}

static void good_file_is_read(void **state)
{
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"odd\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[1,9]},"
        "\"q\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]},"
        "\"none\":{\"dtype\":\"F16\",\"shape\":[0,7],\"data_offsets\":[9,9]},"
        "\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[9,17]}}";
    size_t n;
    uint8_t *file = make_file(header, 17, &n);
    float two[2] = { 1.5f, -3 };
    memcpy(file + n - 16, two, sizeof two);
    scry_tensors *ts = NULL;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_tensors_parse(&ts, file, n, "m", &err), 0);
    scry_tensor t;
    float got[2];
    assert_int_equal(scry_tensors_get(ts, "odd", 2, (size_t[]){ 0, 1 }, &t, &err), 0);
    scry_tensor_floats(&t, got);   /* it is not aligned in the file and is copied */
    assert_memory_equal(got, two, sizeof two);
    assert_int_equal(scry_tensors_get(ts, "odd", 2, (size_t[]){ 3, 1 }, &t, &err), SCRY_EINVALID);
    assert_string_equal(err.message, "m: tensor odd is 2 x 1 where the configuration needs 3 x 1");
    assert_int_equal(scry_tensors_get(ts, "odd", 1, (size_t[]){ 2 }, &t, &err), SCRY_EINVALID);
    assert_int_equal(scry_tensors_get(ts, "q", 1, (size_t[]){ 1 }, &t, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "q.scale"));
    assert_int_equal(scry_tensors_get(ts, "ids", 1, (size_t[]){ 1 }, &t, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "I64"));
    assert_int_equal(scry_tensors_get(ts, "gone", 1, (size_t[]){ 1 }, &t, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "gone is missing"));
    assert_int_equal(scry_tensors_check(ts, NULL, &err), 0);
    scry_tensors_free(ts);
    memcpy(file + n - 12, &(uint32_t){ 0x7FC00000 }, 4);   /* a NaN */
    assert_int_equal(scry_tensors_parse(&ts, file, n, "m", &err), 0);
    assert_int_equal(scry_tensors_check(ts, NULL, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "odd"));
    scry_tensors_free(ts);
    free(file);
}

/* ---- folders ---- */

static char folder[] = "/tmp/scry-test-model-XXXXXX";

static char *in_folder(const char *name)
{
    return scry_path_join(folder, name);
}

static void put(const char *name, const void *bytes, size_t n)
{
    char *path = in_folder(name);
    assert_int_equal(scry_write_file(path, bytes, n, NULL), 0);
    free(path);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void take_away(const char *name)
{
    char *path = in_folder(name);
    unlink(path);
    free(path);
}

static void clear_folder(void)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            take_away(e->d_name);
    closedir(d);
}

/* A new copy of the tiny checkpoint `name`. */
static void copy_model(const char *name)
{
    const char *top = getenv("SCRY_TOP");
    char *from = scry_asprintf("%s/tests/golden/models/%s", top ? top : ".", name);
    clear_folder();
    DIR *d = opendir(from);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.' || strcmp(e->d_name, "golden.safetensors") == 0)
            continue;
        scry_buf bytes = SCRY_BUF_INIT(1 << 20);
        char *path = scry_path_join(from, e->d_name);
        assert_int_equal(scry_read_file(path, &bytes, NULL), 0);
        put(e->d_name, bytes.data, bytes.size);
        scry_buf_dispose(&bytes);
        free(path);
    }
    closedir(d);
    free(from);
}

/* Replace the first `from` in a file by `to`, of any length. */
static void edit(const char *name, const char *from, const char *to)
{
    scry_buf bytes = SCRY_BUF_INIT(1 << 20), changed = SCRY_BUF_INIT(1 << 20);
    char *path = in_folder(name);
    assert_int_equal(scry_read_file(path, &bytes, NULL), 0);
    char *at = memmem(bytes.data, bytes.size, from, strlen(from));
    assert_non_null(at);
    scry_buf_append(&changed, bytes.data, (size_t)(at - bytes.data));
    scry_buf_puts(&changed, to);
    at += strlen(from);
    scry_buf_append(&changed, at, (size_t)(bytes.data + bytes.size - at));
    put(name, changed.data, changed.size);
    scry_buf_dispose(&bytes);
    scry_buf_dispose(&changed);
    free(path);
}

static void opens(void)
{
    scry_model *m = NULL;
    scry_error err = SCRY_ERROR_INIT;
    if (scry_model_open(&m, folder, NULL, &err) < 0)
        fail_msg("%s", err.message);
    scry_model_free(m);
}

static void fails_with(const char *expected)
{
    scry_model *m = NULL;
    scry_error err = SCRY_ERROR_INIT;
    int r = scry_model_open(&m, folder, NULL, &err);
    if (r >= 0 || !strstr(err.message, expected))
        fail_msg("expected \"%s\", got %d \"%s\"", expected, r, err.message);
    assert_null(strchr(err.message, '\n'));
}

static void foreign_and_broken_folders(void **state)
{
    clear_folder();
    fails_with("no config.json");
    put_text("config.json", "{\"model_type\":\"align\"}");
    fails_with("models of type \"align\" are not supported");
    put_text("config.json", "{\"hidden_size\":4}");
    fails_with("no model_type");
    put_text("config.json", "{");
    fails_with("not valid JSON");
    copy_model("clip");
    take_away("model.safetensors");
    fails_with("no model.safetensors");
    put_text("pytorch_model.bin", "PK");
    fails_with("convert-pickle.py");
    copy_model("clip");
    opens();
    take_away("preprocessor_config.json");
    fails_with("preprocessor_config.json is missing");
    copy_model("clip");
    take_away("vocab.json");
    take_away("merges.txt");
    scry_model *m = NULL;
    assert_true(scry_model_open(&m, folder, NULL, NULL) < 0);
}

static void configurations_that_lie(void **state)
{
    static const struct { const char *from, *to, *expected; } cases[] = {
        { "\"hidden_size\": 35", "\"hidden_size\": 70", "where the configuration needs" },
        { "\"num_attention_heads\": 5", "\"num_attention_heads\": 6", "is not divisible by 6 heads" },
        { "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "layers.2" },
        { "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 2000000000", "from 1 to" },
        { "\"projection_dim\": 21", "\"projection_dim\": -1", "projection_dim" },
        { "\"hidden_act\": \"quick_gelu\"", "\"hidden_act\": \"swish\"", "\"swish\" is not known" },
        { "\"hidden_act\": \"quick_gelu\"", "\"hidden_act\": 5", "hidden_act must be a string" },
        { "\"hidden_size\": 35", "\"hidden_size\": \"35\"", "text_config.hidden_size must be a whole number" },
        { "\"patch_size\": 7", "\"patch_size\": 29", "cannot be cut into patches" },
        { "\"image_size\": 28", "\"image_size\": 35", "scales pictures to 28 pixels" },
        { "\"max_position_embeddings\": 16", "\"max_position_embeddings\": 17",
          "position_embedding.weight is 16 x 35" },
        { "\"vocab_size\": 524", "\"vocab_size\": 500", "token_embedding" }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        copy_model("clip");
        edit("config.json", cases[i].from, cases[i].to);
        fails_with(cases[i].expected);
    }
}

static void damaged_weights(void **state)
{
    copy_model("clip");
    edit("model.safetensors", "text_model.final_layer_norm.weight",
         "text_model.final_layer_norm.weighx");
    fails_with("text_model.final_layer_norm.weight is missing");
    copy_model("clip");
    edit("model.safetensors", "\"text_model.encoder.layers.0.layer_norm1.weight\":{\"dtype\":\"F32\"",
         "\"text_model.encoder.layers.0.layer_norm1.weight\":{\"dtype\":\"I32\"");
    fails_with("is I32");
    copy_model("clip");
    char *path = in_folder("model.safetensors");
    assert_int_equal(truncate(path, 100000), 0);
    fails_with("truncated");
    free(path);
    copy_model("clip");
    scry_buf bytes = SCRY_BUF_INIT(1 << 20);
    path = in_folder("model.safetensors");
    assert_int_equal(scry_read_file(path, &bytes, NULL), 0);
    memset(bytes.data + bytes.size - 8, 0xFF, 8);   /* NaN in every float format */
    put("model.safetensors", bytes.data, bytes.size);
    fails_with("not finite");
    scry_buf_dispose(&bytes);
    free(path);
}

/* ---- what lies beside the weights ---- */

enum { DIM_MAX = 512 };

/* Embed a text and a grey picture with the folder's model; returns D. */
static size_t embed_both(float *text, float *picture, char identity[65], char text_identity[65])
{
    scry_model *m = NULL;
    scry_session *s = NULL;
    scry_error err = SCRY_ERROR_INIT;
    if (scry_model_open(&m, folder, NULL, &err) < 0 || scry_session_new(&s, m, 1, &err) < 0)
        fail_msg("%s", err.message);
    const scry_model_info *info = scry_model_get_info(m);
    size_t dim = (size_t)info->dim, bytes = (size_t)(info->image.size * info->image.size * 3 * info->image.views);
    assert_true(dim <= DIM_MAX);
    uint8_t *pixels = scry_alloc(bytes);
    memset(pixels, 90, bytes);
    assert_int_equal(scry_embed_texts(s, &(const char *){ "a dog" }, 1, text, NULL, &err), 0);
    assert_int_equal(scry_embed_pixels(s, pixels, 1, picture, &err), 0);
    snprintf(identity, 65, "%s", info->identity);
    snprintf(text_identity, 65, "%s", info->text_identity);
    free(pixels);
    scry_session_free(s);
    scry_model_free(m);
    return dim;
}

/* text_map.safetensors of floats [n, n], with a digest in its metadata unless that is NULL. */
static void put_map(const float *weight, size_t n, const char *digest)
{
    char *header = scry_asprintf("{%s%s%s\"weight\":{\"dtype\":\"F32\",\"shape\":[%zu,%zu],\"data_offsets\":[0,%zu]}}",
                                 digest ? "\"__metadata__\":{\"sha256\":\"" : "", digest ? digest : "", digest ? "\"}," : "", n, n,
                                 n * n * sizeof *weight);
    size_t size;
    uint8_t *file = make_file(header, n * n * sizeof *weight, &size);
    memcpy(file + size - n * n * sizeof *weight, weight, n * n * sizeof *weight);
    put("text_map.safetensors", file, size);
    free(file);
    free(header);
}

static void texts_are_mapped(void **state)
{
    static float before[DIM_MAX], after[DIM_MAX], picture[2][DIM_MAX];
    char identity[2][65], texts[2][65], hex[65];
    uint8_t digest[SCRY_SHA256_BYTES];
    copy_model("clip");
    size_t n = embed_both(before, picture[0], identity[0], texts[0]);
    float *map = scry_alloc(n * n * sizeof *map), sum = 0;
    for (size_t i = 0; i < n * n; i++)
        map[i] = (float)(i * i % 31) - 14;
    scry_sha256_of(map, n * n * sizeof *map, digest);
    scry_hex(digest, sizeof digest, hex);
    put_map(map, n, hex);
    assert_int_equal(embed_both(after, picture[1], identity[1], texts[1]), n);
    assert_memory_equal(picture[0], picture[1], n * sizeof(float));
    assert_string_equal(identity[0], identity[1]);
    assert_string_not_equal(texts[0], texts[1]);
    static double expected[DIM_MAX];
    for (size_t o = 0; o < n; o++) {
        for (size_t i = 0; i < n; i++)
            expected[o] += (double)map[o * n + i] * (double)before[i];
        sum += (float)(expected[o] * expected[o]);
    }
    for (size_t o = 0; o < n; o++)
        assert_true(fabs(expected[o] / sqrt((double)sum) - (double)after[o]) < 1e-5);
    map[7] = NAN;
    put_map(map, n, NULL);
    fails_with("text_map.safetensors: tensor weight holds numbers that are not finite");
    put_map(map, n - 1, NULL);
    fails_with("text_map.safetensors: tensor weight is ");
    map[7] = 0;   /* not what the digest is of */
    put_map(map, n, hex);
    fails_with("text_map.safetensors: the numbers are not those whose sha256 its metadata has");
    put_map(map, n, "beef");
    fails_with("text_map.safetensors: its metadata's sha256 is not a digest");
    free(map);
}

/* The same with three known words of two subjects, [2 + 1, n] of `known` and [2, n] of `added`, and `from`. */
static void put_known(const float *weight, size_t n, const float *known, const float *added, const float count[2], float from)
{
    size_t row = n * sizeof *weight, size, at = n * row;
    const struct { const char *name, *rows; bool wide; size_t bytes; } part[] = {
        { "weight", "", true, at }, { "known", "3", true, 3 * row }, { "added", "2", true, 2 * row },
        { "count", "2", false, 8 }, { "from", "1", false, 4 } };
    scry_buf header = SCRY_BUF_INIT(SIZE_MAX);
    size_t end = 0;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        scry_buf_printf(&header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", i ? "," : "{", part[i].name);
        if (i == 0)
            scry_buf_printf(&header, "%zu,%zu", n, n);
        else
            scry_buf_printf(&header, part[i].wide ? "%s,%zu" : "%s", part[i].rows, n);
        scry_buf_printf(&header, "],\"data_offsets\":[%zu,%zu]}", end, end + part[i].bytes);
        end += part[i].bytes;
    }
    scry_buf_puts(&header, "}");
    uint8_t *file = make_file(scry_buf_str(&header), end, &size), *numbers = file + size - end;
    memcpy(numbers, weight, at);
    memcpy(numbers + at, known, 3 * row);
    memcpy(numbers + at + 3 * row, added, 2 * row);
    memcpy(numbers + at + 5 * row, count, 8);
    memcpy(numbers + at + 5 * row + 8, &from, 4);
    put("text_map.safetensors", file, size);
    free(file);
    scry_buf_dispose(&header);
}

static void known_words_add(void **state)
{
    static float before[DIM_MAX], after[DIM_MAX], picture[DIM_MAX];
    static double expected[DIM_MAX];
    char identity[65], texts[65];
    copy_model("clip");
    size_t n = embed_both(before, picture, identity, texts);
    float *weight = scry_alloc(n * n * sizeof *weight);
    float *known = scry_alloc(3 * n * sizeof *known), *added = scry_alloc(2 * n * sizeof *added);
    double sum = 0, length[3] = { 0 }, cosine[3] = { 0 };
    for (size_t i = 0; i < n; i++) {   /* of the first subject a far word and a near one, of the second a far one */
        weight[i * n + i] = 1;
        known[i] = (float)(i % 5) - 2;
        known[n + i] = before[i] + (i % 3 == 0 ? 0.1f : 0);
        known[2 * n + i] = -before[i];
        added[i] = (float)(i % 7) - 3;
        added[n + i] = 1000;
    }
    for (size_t w = 0; w < 3; w++) {
        for (size_t i = 0; i < n; i++)
            length[w] += (double)known[w * n + i] * (double)known[w * n + i];
        for (size_t i = 0; i < n; i++) {
            known[w * n + i] /= (float)sqrt(length[w]);
            cosine[w] += (double)known[w * n + i] * (double)before[i];
        }
    }
    assert_true(cosine[0] < cosine[1] && cosine[1] > 0.6 && cosine[1] < 0.999 && cosine[2] < 0);
    put_known(weight, n, known, added, (float[]){ 2, 1 }, 0.5f);
    embed_both(after, picture, identity, texts);
    for (size_t i = 0; i < n; i++) {
        expected[i] = (double)before[i] + (cosine[1] - 0.5) / 0.5 * (double)added[i];
        sum += expected[i] * expected[i];
    }
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(expected[i] / sqrt(sum) - (double)after[i]) < 1e-5);
    put_known(weight, n, known, added, (float[]){ 2, 1 }, 0.999f);   /* near to none */
    embed_both(after, picture, identity, texts);
    for (size_t i = 0; i < n; i++)
        assert_true(fabsf(before[i] - after[i]) < 1e-6f);
    static const struct { float count[2], from; } bad[] = {
        { { 2, 2 }, 0.5f },  { { 1, 1 }, 0.5f }, { { 3, 0 }, 0.5f },  { { 1.5f, 1.5f }, 0.5f },
        { { -1, 4 }, 0.5f }, { { 2, 1 }, 1 },    { { 2, 1 }, -0.1f },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_known(weight, n, known, added, bad[i].count, bad[i].from);
        fails_with("text_map.safetensors: count and from do not fit its 3 known words");
    }
    free(added);
    free(known);
    free(weight);
}

static void preprocessing_is_read(void **state)
{
    copy_model("clip");
    edit("preprocessor_config.json", "\"resample\": 3", "\"resample\": 1");
    fails_with("resample 1");
    copy_model("clip");
    edit("preprocessor_config.json", "\"shortest_edge\": 28", "\"shortest_edge\": 32");
    fails_with("resizing to 32 and cropping to 28");
    copy_model("clip");
    edit("preprocessor_config.json", "\"do_center_crop\": true", "\"do_center_crop\": false");
    fails_with("size names the shorter side (28) and nothing is cropped");
    copy_model("clip");   /* as transformers 5 writes it */
    scry_buf nested = SCRY_BUF_INIT(1 << 16), bytes = SCRY_BUF_INIT(1 << 16);
    char *path = in_folder("preprocessor_config.json");
    assert_int_equal(scry_read_file(path, &bytes, NULL), 0);
    scry_buf_printf(&nested, "{\"processor_class\": \"CLIPProcessor\", \"image_processor\": %s}", scry_buf_str(&bytes));
    take_away("preprocessor_config.json");
    put_text("processor_config.json", scry_buf_str(&nested));
    opens();
    edit("processor_config.json", "\"resample\": 3", "\"resample\": 1");
    fails_with("processor_config.json: resample 1");
    scry_buf_dispose(&nested);
    scry_buf_dispose(&bytes);
    free(path);
    copy_model("open_clip");
    opens();
    edit("open_clip_config.json", "squash", "longest");
    fails_with("resize_mode");
    copy_model("open_clip");
    edit("open_clip_config.json", "\"quick_gelu\": false", "\"quick_gelu\": true");
    scry_model *m = NULL;
    assert_int_equal(scry_model_open(&m, folder, NULL, NULL), 0);
    assert_non_null(strstr(scry_model_get_info(m)->text_summary, "quick_gelu"));
    scry_model_free(m);
    copy_model("open_clip");
    edit("open_clip_config.json", "\"head_width\": 9", "\"timm_model_name\": \"x\"");
    fails_with("vision_cfg.timm_model_name is \"x\": of timm's image towers");
}

static void padding_is_named(void **state)
{
    copy_model("siglip");
    opens();
    edit("tokenizer_config.json", "</s>", "<fill>");
    fails_with("pad_token \"<fill>\" is not among the special tokens");
    take_away("tokenizer_config.json");
    fails_with("it names the padding token");
    copy_model("siglip");
    edit("config.json", "\"projection_size\": 40", "\"projection_size\": 36");
    fails_with("projection_size is not vision_config.hidden_size");
    copy_model("siglip");   /* whose processor crops nothing unless it is told to */
    edit("preprocessor_config.json", "\"height\": 30,", "\"shortest_edge\": 30,");
    fails_with("size.width is 30: scry takes the shorter side alone");
    edit("preprocessor_config.json", "\"width\": 30", "\"longest_edge\": null");
    fails_with("size names the shorter side (30) and nothing is cropped");
    copy_model("siglip");
    edit("config.json", "\"vision_use_head\": true", "\"vision_use_head\": false");
    fails_with("vision_use_head is false");
}

/* Two shards and an index instead of one file: the same model. */
static void shards_are_joined(void **state)
{
    copy_model("clip");
    char *from = in_folder("model.safetensors"), *to = in_folder("model-00001-of-00001.safetensors");
    assert_int_equal(rename(from, to), 0);
    fails_with("no model.safetensors");
    put_text("model.safetensors.index.json",
             "{\"weight_map\":{\"logit_scale\":\"model-00001-of-00001.safetensors\","
             "\"visual_projection.weight\":\"model-00001-of-00001.safetensors\"}}");
    opens();
    put_text("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"../elsewhere\"}}");
    fails_with("outside the folder");
    put_text("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"gone.safetensors\"}}");
    fails_with("gone.safetensors");
    put_text("model.safetensors.index.json", "{}");
    fails_with("no weight_map");
    free(from);
    free(to);
}

/* The weights of `model.safetensors` with `prefix` before every name. */
static void put_before_names(const char *prefix)
{
    char *path = in_folder("model.safetensors");
    scry_buf in = SCRY_BUF_INIT(1 << 24), header = SCRY_BUF_INIT(1 << 24);
    assert_int_equal(scry_read_file(path, &in, NULL), 0);
    const char *bytes = scry_buf_str(&in);
    uint64_t n;
    memcpy(&n, bytes, 8);
    for (uint64_t i = 8; i < 8 + n; i++) {   /* a tensor's name is behind "{" or "}," */
        scry_buf_append(&header, bytes + i, 1);
        bool first = i == 9 && bytes[i] == '"', next = bytes[i] == '"' && bytes[i - 1] == ',' && bytes[i - 2] == '}';
        if ((first || next) && strncmp(bytes + i + 1, "__metadata__", 12) != 0)
            scry_buf_append(&header, prefix, strlen(prefix));
    }
    while (header.size % 8 != 0)
        scry_buf_append(&header, " ", 1);
    uint64_t length = header.size;
    scry_buf out = SCRY_BUF_INIT(1 << 24);
    scry_buf_append(&out, &length, 8);
    scry_buf_append(&out, header.data, header.size);
    scry_buf_append(&out, bytes + 8 + n, in.size - 8 - n);
    put("model.safetensors", out.data, out.size);
    scry_buf_dispose(&in);
    scry_buf_dispose(&header);
    scry_buf_dispose(&out);
    free(path);
}

/* What PyTorch's wrappers put before all names is left out; another prefix is said. */
static void wrapped_names_are_read(void **state)
{
    copy_model("clip");
    put_before_names("module.");
    opens();
    put_before_names("_orig_mod.");
    opens();
    put_before_names("module.");
    opens();
    copy_model("clip");
    put_before_names("clip_model.");
    fails_with("is missing: here its name begins with \"clip_model.\"");
}

static int make_folder(void **state)
{
    setenv("XDG_CACHE_HOME", "/dev/null/none", 1);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    clear_folder();
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lying_headers), cmocka_unit_test(lying_lengths),
        cmocka_unit_test(good_file_is_read), cmocka_unit_test(foreign_and_broken_folders),
        cmocka_unit_test(configurations_that_lie), cmocka_unit_test(damaged_weights),
        cmocka_unit_test(texts_are_mapped),
        cmocka_unit_test(known_words_add),
        cmocka_unit_test(preprocessing_is_read), cmocka_unit_test(padding_is_named),
        cmocka_unit_test(shards_are_joined), cmocka_unit_test(wrapped_names_are_read)
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
