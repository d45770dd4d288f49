/* Any bytes as a checkpoint's tokenizer files, then a text through what opened.
 *
 * Input: a byte that chooses the files and the dialect, their contents, a zero byte between them, and
 * behind the last zero byte the text. With 64 in the byte all of it is a spiece.model, and its end the text.
 */
#include "base/file.h"
#include "tokenizer/tokenizer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CAPACITY = 77 };

static char dir[64];

static void put_file(const char *name, const uint8_t *bytes, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n)
        abort();
    fclose(f);
}

static void clear(void)
{
    static const char *const names[] = { "tokenizer.json", "vocab.txt", "tokenizer_config.json", "vocab.json",
                                         "merges.txt", "spiece.model" };
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
}

static void leave(void)
{
    clear();
    rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    snprintf(dir, sizeof dir, "/tmp/scry-fuzz-XXXXXX");
    if (!mkdtemp(dir))
        abort();
    atexit(leave);
    return 0;
}

static void encode(const scry_tokenizer *t, const char *text, size_t n)
{
    int32_t ids[CAPACITY];
    int count = scry_tokenizer_encode(t, text, n, ids, CAPACITY, NULL, NULL);
    for (int i = 0; i < count; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= scry_tokenizer_vocab_size(t))
            abort();
    if (count > CAPACITY || !scry_tokenizer_summary(t) || !scry_tokenizer_files(t))   /* none: the bundled BPE */
        abort();
}

/* Like a checkpoint whose texts are padded and lose their end. */
static int pad(scry_tokenizer *t, scry_error *err)
{
    int result = scry_tokenizer_read_padding(t, dir, err);
    if (result == 0 && (scry_tokenizer_pad_id(t) < 0 || (size_t)scry_tokenizer_pad_id(t) >= scry_tokenizer_vocab_size(t)))
        abort();
    if (result == 0)
        scry_tokenizer_strip_end(t);
    return result;
}

/* A spiece.model may have zero bytes anywhere. */
static int try_spiece(const uint8_t *file, size_t n)
{
    static const char settings[] = "{\"pad_token\":\"</s>\"}";
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = NULL;
    size_t text = n < 64 ? n : 64;
    put_file("spiece.model", file, n);
    put_file("tokenizer_config.json", (const uint8_t *)settings, sizeof settings - 1);
    if (scry_tokenizer_open(&t, dir, SCRY_TOKENIZER_SIGLIP, &err) == 0)
        encode(t, (const char *)file + n - text, text);
    else if (!err.message[0] || strchr(err.message, '\n'))
        abort();
    scry_tokenizer_free(t);
    clear();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const pairs[][2] = { { "tokenizer.json", "tokenizer_config.json" }, { "vocab.txt", "tokenizer_config.json" },
                                            { "vocab.json", "merges.txt" } };
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = NULL;
    if (n < 2)
        return 0;
    if (data[0] & 64)
        return try_spiece(data + 1, n - 1);
    const char *const *names = pairs[(data[0] >> 1) % 3];
    const uint8_t *start = data + 1, *end = data + n;
    const uint8_t *text = memrchr(start, 0, (size_t)(end - start));
    const uint8_t *files_end = text ? text : end;
    const uint8_t *second = memchr(start, 0, (size_t)(files_end - start));
    put_file(names[0], start, (size_t)((second ? second : files_end) - start));
    if (second)
        put_file(names[1], second + 1, (size_t)(files_end - second - 1));
    bool padded = data[0] & 128;   /* as checkpoints whose texts are padded */
    scry_tokenizer_dialect plain = data[0] & 1 ? SCRY_TOKENIZER_OPEN_CLIP : SCRY_TOKENIZER_HF;
    scry_tokenizer_dialect cleaned = data[0] & 1 ? SCRY_TOKENIZER_OPEN_CLIP_LOWER : SCRY_TOKENIZER_SIGLIP;
    int result = scry_tokenizer_open(&t, dir, padded ? cleaned : plain, &err);
    if (result == 0 && padded)
        result = pad(t, &err);
    if (result == 0)
        encode(t, text ? (const char *)text + 1 : "", text ? (size_t)(end - text - 1) : 0);
    else if (!err.message[0] || strchr(err.message, '\n'))
        abort();
    scry_tokenizer_free(t);
    clear();
    return 0;
}
