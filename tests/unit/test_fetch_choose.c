/* fetch/choose: which files of a listing are chosen, and that those of a hostile one are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "fetch/fetch.h"

#include <string.h>

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

/* The chosen names, joined by spaces, of a listing with these siblings; or the error. */
static void check(const char *siblings, const char *expected)
{
    static fetch_report report;
    scry_error err = SCRY_ERROR_INIT;
    scry_buf text = SCRY_BUF_INIT(1 << 16), names = SCRY_BUF_INIT(1 << 16);
    scry_buf_printf(&text, "{\"sha\":\"" COMMIT "\",\"siblings\":[%s]}", siblings);
    int r = fetch_choose(&report, scry_buf_str(&text), text.size, "o/n", &err);
    for (size_t i = 0; r == 0 && i < report.count; i++)
        scry_buf_printf(&names, "%s%s", i ? " " : "", report.files[i].name);
    if (r < 0)
        assert_non_null(strstr(err.message, expected));
    else
        assert_string_equal(scry_buf_str(&names), expected);
    scry_buf_dispose(&names);
    scry_buf_dispose(&text);
}

#define FILE_(name) "{\"rfilename\":\"" name "\"}"

static void layouts(void **state)
{
    check(FILE_("README.md") "," FILE_("model.safetensors") "," FILE_("config.json") "," FILE_("flax_model.msgpack"),
          "config.json README.md model.safetensors");
    check(FILE_("open_clip_model.safetensors") "," FILE_("open_clip_config.json") "," FILE_("model.safetensors") ","
          FILE_("config.json"), "open_clip_config.json open_clip_model.safetensors");
    check(FILE_("config.json") "," FILE_("model.safetensors.index.json") "," FILE_("model-00001-of-00002.safetensors") ","
          FILE_("model-00002-of-00002.safetensors") "," FILE_("model-0001-of-0002.safetensors") ","
          FILE_("model-00001-of-00002.safetensors/x"),
          "config.json model.safetensors.index.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors");
    check(FILE_("modules.json") "," FILE_("0_CLIPModel/model.safetensors") "," FILE_("0_CLIPModel/vocab.json") ","
          FILE_("0_CLIPModel/preprocessor_config.json") "," FILE_("0_CLIPModel/config.json"),
          "config.json preprocessor_config.json vocab.json model.safetensors");
    check(FILE_("open_clip_config.json") "," FILE_("model.safetensors"), "open_clip_config.json model.safetensors");
    check(FILE_("config.json") "," FILE_("spiece.model") "," FILE_("model.safetensors"), "config.json spiece.model model.safetensors");
    check(FILE_("config.json") "," FILE_("spiece.model") "," FILE_("model.safetensors") "," FILE_("tokenizer.json"),
          "config.json tokenizer.json model.safetensors");
}

static void refusals(void **state)
{
    check(FILE_("config.json") "," FILE_("pytorch_model.bin"), "pickle");
    check(FILE_("../config.json") "," FILE_("/model.safetensors"), "no checkpoint");
    check("1,null,[],\"x\"", "no checkpoint");
    check(FILE_("config.json") "," FILE_("model.safetensors.index.json"), "no shards");
    check(FILE_("config.json") "," FILE_("onnx/model.onnx"), "only as ONNX");
    check(FILE_("model-q4.gguf"), "only as GGUF");
    check(FILE_("adapter_config.json") "," FILE_("adapter_model.safetensors"), "LoRA");
    check(FILE_("model_index.json"), "diffusers");
    check(FILE_("config.json") "," FILE_("model.safetensors") "," FILE_("modules.json") "," FILE_("1_Dense/config.json"), "a layer (Dense)");
    static fetch_report report;
    scry_error err = SCRY_ERROR_INIT;
    const char *bad[] = { "", "[]", "{}", "{\"sha\":7}", "{\"sha\":\"../../../../etc/passwd\"}" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_true(fetch_choose(&report, bad[i], strlen(bad[i]), "o/n", &err) < 0);
}

static void digests(void **state)
{
    static fetch_report report;
    scry_error err = SCRY_ERROR_INIT;
    const char *text =
        "{\"sha\":\"" COMMIT "\",\"siblings\":["
        "{\"rfilename\":\"config.json\",\"size\":12,\"blobId\":\"AA7816bf8f01cfea414140de5dae2223b00361a3\"},"
        "{\"rfilename\":\"model.safetensors\",\"size\":99,\"blobId\":\"aa7816bf8f01cfea414140de5dae2223b00361a3\","
        "\"lfs\":{\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"size\":99}},"
        "{\"rfilename\":\"vocab.json\",\"size\":-5,\"blobId\":\"short\"}]}";
    assert_int_equal(fetch_choose(&report, text, strlen(text), "o/n", &err), 0);
    assert_int_equal(report.count, 3);
    assert_string_equal(report.files[0].git_id, "aa7816bf8f01cfea414140de5dae2223b00361a3");
    assert_int_equal(report.files[0].bytes, 12);
    assert_true(report.files[1].bytes == UINT64_MAX && !report.files[1].git_id[0]);
    assert_string_equal(report.files[2].git_id, "");   /* the pointer's id is not the file's */
    assert_string_equal(report.files[2].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts),
        cmocka_unit_test(refusals),
        cmocka_unit_test(digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
