/* tokenizer.c - opening a folder's tokenizer and the shell around the three kinds. */
#include "model/tok_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool scry_ids_push(scry_ids *ids, int32_t id)
{
    if (ids->n == ids->capacity) {
        ids->cut = true;
        return false;
    }
    ids->at[ids->n++] = id;
    return true;
}

enum { CHUNK_BYTES = 8192 };

size_t scry_tok_chunk(const char *text, size_t n)
{
    for (size_t i = CHUNK_BYTES; i < n; i++)
        if (text[i] == ' ' && text[i - 1] > ' ' && text[i - 1] < 0x7F)
            return i;
    return n;
}

static int open_file(scry_tokenizer *t, const char *dir, scry_tokfile *f,
                     scry_tokenizer_dialect dialect, scry_error *err)
{
    const char *type = scry_tokfile_type(f);
    if (strcmp(type, "BPE") == 0)
        return scry_tok_clip_open(t, dir, f, dialect, err);
    if (strcmp(type, "Unigram") == 0)
        return scry_tok_unigram_open(t, f, err);
    if (strcmp(type, "WordPiece") == 0)
        return scry_tok_wordpiece_open(t, dir, f, err);
    return scry_fail(err, SCRY_EINVALID, "%s: tokenizer model \"%s\" is not supported (BPE, WordPiece and "
                     "Unigram are)", f->path, type);
}

/* A folder without tokenizer.json: BERT's vocab.txt, else CLIP's two files. */
static int open_older_files(scry_tokenizer *t, const char *dir, scry_tokenizer_dialect dialect,
                            scry_error *err)
{
    char *path = scry_path_join(dir, "vocab.txt");
    bool bert = access(path, F_OK) == 0;
    free(path);
    return bert ? scry_tok_wordpiece_open(t, dir, NULL, err) : scry_tok_clip_open(t, dir, NULL, dialect, err);
}

int scry_tokenizer_open(scry_tokenizer **out, const char *dir, scry_tokenizer_dialect dialect,
                        scry_error *err)
{
    scry_tokfile file;
    scry_tokenizer *t = scry_alloc(sizeof *t);
    t->start_id = t->end_id = -1;
    int result = scry_tokfile_open(&file, dir, err);
    if (result == 0) {
        result = open_file(t, dir, &file, dialect, err);
        scry_tokfile_close(&file);
    } else if (result == SCRY_ENOTFOUND) {
        result = open_older_files(t, dir, dialect, err);
    }
    if (result == 0 && (t->end_id < 0 || (size_t)t->end_id >= t->vocab_size ||
                        (t->start_id >= 0 && (size_t)t->start_id >= t->vocab_size)))
        result = scry_fail(err, SCRY_EINVALID, "%s: the tokenizer's start or end is not in its vocabulary", dir);
    if (result < 0) {
        scry_tokenizer_free(t);
        return result;
    }
    *out = t;
    return 0;
}

void scry_tokenizer_free(scry_tokenizer *t)
{
    if (!t)
        return;
    if (t->release)
        t->release(t->model);
    scry_added_dispose(&t->added);
    free(t->summary);
    free(t);
}

int scry_tokenizer_encode(const scry_tokenizer *t, const char *text, size_t n, int32_t *ids, size_t capacity,
                          bool *cut, scry_error *err)
{
    bool has_start = t->start_id >= 0;
    scry_ids out = { ids, 0, capacity - 1, false };
    if (has_start)
        scry_ids_push(&out, t->start_id);
    scry_buf repaired = SCRY_BUF_INIT(SIZE_MAX / 2);
    int result = 0;
    if (!scry_utf8_valid(text, n)) {
        scry_utf8_repair(&repaired, text, n);
        text = scry_buf_str(&repaired);
        n = repaired.size;
    }
    if (repaired.failed)
        result = scry_fail(err, SCRY_ENOMEM, "no memory for a text of %zu bytes", n);
    else
        result = t->encode(t, text, n, &out, err);
    scry_buf_dispose(&repaired);
    if (result < 0)
        return result;
    ids[out.n++] = t->end_id;
    if (cut)
        *cut = out.cut;
    return (int)out.n;
}

size_t scry_tokenizer_vocab_size(const scry_tokenizer *t)
{
    return t->vocab_size;
}

int32_t scry_tokenizer_end_id(const scry_tokenizer *t)
{
    return t->end_id;
}

const char *scry_tokenizer_summary(const scry_tokenizer *t)
{
    return t->summary;
}

const char *const *scry_tokenizer_files(const scry_tokenizer *t)
{
    return t->files;
}
