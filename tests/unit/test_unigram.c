/* Unigram tokenizers: what transformers writes where it converts a vocabulary of SentencePiece's. Ids of tokenizers 0.23.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CAPACITY = 6000 };

static char scratch[64];

static int setup(void **state)
{
    strcpy(scratch, "/tmp/scry-unigram-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static int teardown(void **state)
{
    char *command = scry_asprintf("rm -rf '%s'", scratch);
    int r = system(command);
    free(command);
    return r;
}

static void put(const char *name, const char *text, size_t n)
{
    char *path = scry_asprintf("%s/%s", scratch, name);
    assert_int_equal(scry_write_file(path, text, n, NULL), 0);
    free(path);
}

static void reads_as(const char *text, const int32_t *want)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = NULL;
    static int32_t ids[CAPACITY];
    if (scry_tokenizer_open(&t, scratch, SCRY_TOKENIZER_HF, &err) < 0)
        fail_msg("%s", err.message);
    int n = scry_tokenizer_encode(t, text, strlen(text), ids, CAPACITY, NULL, NULL);
    for (int i = 0; i < n; i++)
        assert_int_equal(ids[i], want[i]);
    assert_int_equal(ids[n - 1], 1);   /* the end, which is nowhere else in `want` */
    scry_tokenizer_free(t);
}

/* A tokenizer.json of "\u2581", "a", "b" and "\u2581a", ids 3 to 6, as transformers 4.3x to 4.5x write those of XLM-R and T5. */
static void put_stripping(bool left, bool right, bool words)
{
    char *json = scry_asprintf(
        "{\"added_tokens\":[{\"id\":0,\"content\":\"<s>\"},{\"id\":1,\"content\":\"</s>\"}],\"normalizer\":{\"type\":\"Sequence\","
        "\"normalizers\":[{\"type\":\"Strip\",\"strip_left\":%s,\"strip_right\":%s},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},"
        "\"content\":\"\u2581\"}]},\"pre_tokenizer\":%s{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":\"always\","
        "\"split\":true}%s,\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\"}},{\"SpecialToken\":"
        "{\"id\":\"</s>\"}}],\"special_tokens\":{\"</s>\":{\"ids\":[1]}}},\"model\":{\"type\":\"Unigram\",\"unk_id\":2,\"vocab\":[[\"<s>\",0],"
        "[\"</s>\",0],[\"<unk>\",0],[\"\u2581\",-1],[\"a\",-2],[\"b\",-3],[\"\u2581a\",-1.5]]}}",
        left ? "true" : "false", right ? "true" : "false",
        words ? "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"}," : "", words ? "]}" : "");
    put("tokenizer.json", json, strlen(json));
    free(json);
}

static void ends_of_a_text_are_stripped(void **state)
{
    static const struct { bool left, right, words; int32_t first[7], second[4]; } cases[] = {
        { false, true, false, { 6, 3, 5, 1 }, { 3, 2, 4, 1 } }, { false, true, true, { 6, 3, 5, 1 }, { 6, 1 } },
        { true, false, false, { 6, 3, 5, 3, 2, 3, 1 }, { 6, 1 } }, { true, true, false, { 6, 3, 5, 1 }, { 6, 1 } },
        { true, true, true, { 6, 3, 5, 1 }, { 6, 1 } }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_stripping(cases[i].left, cases[i].right, cases[i].words);
        reads_as("a b \u3000 ", cases[i].first);
        reads_as(" \u00a0a", cases[i].second);
    }
    /* The spaces within a text of more than 8 KiB, which is read in parts, are no ends. */
    static char text[10001];
    static int32_t want[5001];
    for (size_t i = 0; i < 5000; i++) {
        memcpy(text + 2 * i, "a ", 3);
        want[i] = 6;
    }
    want[5000] = 1;
    reads_as(text, want);
}

/* spiece.model: a piece `text` of a kind. */
static size_t put_piece(char *out, const char *text, int kind)
{
    size_t n = strlen(text);
    char *at = out;
    *at++ = 0x0A;
    *at++ = (char)(n + 9);
    *at++ = 0x0A;
    *at++ = (char)n;
    memcpy(at, text, n);
    at += n;
    memcpy(at, "\x15\0\0\x80\xBF\x18", 6);   /* the score -1 */
    at[6] = (char)kind;
    return (size_t)(at + 7 - out);
}

static void is_refused(const char *file, size_t n, const char *settings, const char *part)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = NULL;
    put("spiece.model", file, n);
    put("tokenizer_config.json", settings, strlen(settings));
    int r = scry_tokenizer_open(&t, scratch, SCRY_TOKENIZER_SIGLIP, &err);
    if (part && (r >= 0 || !strstr(err.message, part) || strchr(err.message, '\n')))
        fail_msg("\"%s\" does not say \"%s\"", r < 0 ? err.message : "accepted", part);
    if (!part && r < 0)
        fail_msg("%s", err.message);
    scry_tokenizer_free(t);
}

static void other_spiece_models_are_refused(void **state)
{
    static const char pad[] = "{\"pad_token\":\"</s>\"}";
    static const struct { const char *bytes; size_t n; const char *part; } more[] = {
        { "", 0, NULL }, { "\x12\x02\x18\x02", 4, "an algorithm other than unigram" }, { "\x12\x03\xC0\x01\x01", 5, "a mark behind words" },
        { "\x1A\x02\x18\x00", 4, "add_dummy_prefix false" }, { "\x1A\x02\x20\x00", 4, "remove_extra_whitespaces false" },
        { "\x1A\x02\x28\x00", 4, "escape_whitespaces false" }, { "\x0A\x05\x0A\x01z\x18\x04", 7, "a user-defined piece" },
        { "\x0A\x7F", 2, "is damaged" }, { "\x1A\x04\x12\x02zz", 6, "is damaged" }, { "\x0A\x04\x0A\x00\x18\x01", 6, "is damaged" },
        { "\x0A\x03\x0A\x01\xFF", 5, "is damaged" }, { "\x0A\x03\x0A\x01" "a", 5, "occurs twice" },
        { "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 11, "is damaged" }, { "\x0B", 1, "is damaged" }
    };
    char file[256];
    size_t n = put_piece(file, "<unk>", 2);
    is_refused(file, n, pad, "has no control piece \"</s>\"");
    n += put_piece(file + n, "</s>", 3);
    n += put_piece(file + n, "a", 1);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        memcpy(file + n, more[i].bytes, more[i].n);
        is_refused(file, n + more[i].n, pad, more[i].part);
    }
    is_refused(file, n, "{\"pad_token\":\"</s>\",\"eos_token\":\"<end>\"}", "has no control piece \"<end>\"");
    is_refused(file, n, "{\"pad_token\":\"</s>\",\"sp_model_kwargs\":{\"alpha\":1}}", "sp_model_kwargs is {...}");
    is_refused(file, n, "{\"pad_token\":\"</s>\",\"do_lower_case\":false}", "do_lower_case is false");
    is_refused("", 0, pad, "is damaged");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_spiece_models_are_refused),   /* before there is a tokenizer.json */
        cmocka_unit_test(ends_of_a_text_are_stripped),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
