/* Any bytes as a text for every kind of tokenizer: ids stay in range, a text that is cut
 * has the beginning of the whole one's ids, and repairing its UTF-8 first changes nothing.
 */
#include "base/utf8.h"
#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { KINDS = 8, LARGE = 1 << 15, SMALL = 8 };

static scry_tokenizer *tokenizers[KINDS];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const dirs[KINDS] = {
        "tests/golden/tokenizers/clip_json", "tests/golden/tokenizers/clip_files",
        "tests/golden/tokenizers/unigram", "tests/golden/tokenizers/unigram_charsmap",
        "tests/golden/tokenizers/wordpiece", "tests/golden/tokenizers/sentence_bpe",
        "tests/golden/tokenizers/nllb", "tests/golden/tokenizers/nllb" };
    for (int i = 0; i < KINDS; i++)
        if (scry_tokenizer_open(&tokenizers[i], dirs[i], i == 1 ? SCRY_TOKENIZER_OPEN_CLIP : SCRY_TOKENIZER_HF,
                                NULL) < 0)
            abort();
    if (scry_tokenizer_set_language(tokenizers[KINDS - 1], "auto", NULL) < 0)
        abort();
    return 0;
}

static void check(const scry_tokenizer *t, const char *text, size_t n, const char *repaired, size_t repaired_n)
{
    static int32_t whole[LARGE], again[LARGE];
    int32_t cut[SMALL];
    int count = scry_tokenizer_encode(t, text, n, whole, LARGE, NULL, NULL);
    if (count < 1 || whole[count - 1] != scry_tokenizer_end_id(t))
        abort();
    for (int i = 0; i < count; i++)
        if (whole[i] < 0 || (size_t)whole[i] >= scry_tokenizer_vocab_size(t))
            abort();
    int few = scry_tokenizer_encode(t, text, n, cut, SMALL, NULL, NULL);
    if (few != (count < SMALL ? count : SMALL) || memcmp(cut, whole, (size_t)(few - 1) * sizeof *cut) != 0)
        abort();
    if (scry_tokenizer_encode(t, repaired, repaired_n, again, LARGE, NULL, NULL) != count ||
        memcmp(whole, again, (size_t)count * sizeof *whole) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    scry_buf repaired = SCRY_BUF_INIT(1 << 24);
    scry_utf8_repair(&repaired, (const char *)data, n);
    if (!scry_utf8_valid(scry_buf_str(&repaired), repaired.size))
        abort();
    for (int i = 0; i < KINDS; i++)
        check(tokenizers[i], (const char *)data, n, scry_buf_str(&repaired), repaired.size);
    scry_buf_dispose(&repaired);
    return 0;
}
