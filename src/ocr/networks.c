#include "ocr/networks.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/utf8.h"
#include "ocr/ocr.h"

#include <stdlib.h>

enum { MOST_CHARACTERS = 65535, MOST_DICTIONARY = 1 << 20 };

/* Split the dictionary, whose last line may lack its end. */
static int read_characters(scry_ocr_networks *n, const char *folder, scry_error *err)
{
    char *path = scry_path_join(folder, SCRY_OCR_CHARACTERS);
    scry_buf text = SCRY_BUF_INIT(MOST_DICTIONARY);
    int rc = scry_read_file(path, &text, err);
    free(path);
    if (rc < 0) {
        scry_buf_dispose(&text);
        return rc;
    }
    n->characters = scry_strdup(scry_buf_str(&text));
    n->character = scry_alloc(MOST_CHARACTERS * sizeof *n->character);
    bool sound = strlen(n->characters) == text.size && scry_utf8_valid(n->characters, text.size);
    scry_buf_dispose(&text);
    for (char *at = n->characters, *end; sound && *at; at = end) {
        end = at + strcspn(at, "\n");
        if (*end)
            *end++ = '\0';
        if (!*at || n->character_count == MOST_CHARACTERS)
            sound = false;
        else
            n->character[n->character_count++] = at;
    }
    if (!sound || n->character_count == 0)
        return scry_fail(err, SCRY_EINVALID, "%s/" SCRY_OCR_CHARACTERS " is not a list of characters, one a line", folder);
    return 0;
}

static int bind(scry_ocr_networks *n, scry_mode mode, scry_error *err)
{
    scry_binder b = { .tensors = n->tensors, .weights = n->weights, .mode = mode, .err = err };
    scry_ocr_bind_detector(&b, &n->detector);
    scry_ocr_bind_classifier(&b, &n->classifier);
    scry_ocr_bind_recogniser(&b, &n->recogniser, n->character_count + 2);
    if (mode == SCRY_MODE_F32 && scry_kernels_best()->fast_bf16)
        b.mode = SCRY_MODE_BF16;
    scry_ocr_bind_detector(&b, &n->looker);
    n->linears = b.linears;
    n->linear_count = b.linear_count;
    n->need = b.need;
    return b.result;
}

int scry_ocr_networks_open(scry_ocr_networks *n, const char *folder, scry_mode mode, scry_error *err)
{
    *n = (scry_ocr_networks){ .weights = scry_weights_new() };
    int rc = scry_tensors_open(&n->tensors, folder, SCRY_OCR_WEIGHTS, err);
    if (rc == 0)
        rc = read_characters(n, folder, err);
    if (rc == 0)
        rc = scry_tensors_check(n->tensors, NULL, err);
    if (rc == 0)
        rc = bind(n, mode, err);
    if (rc < 0)
        scry_ocr_networks_close(n);
    return rc;
}

typedef struct {
    scry_ocr_networks *n;
    uint8_t *memory;
} packing;

static void pack(scry_nn *t, void *arg)
{
    packing *p = arg;
    uint8_t *at = p->memory;
    for (size_t i = 0; i < p->n->linear_count; i++) {
        scry_linear_pack(t, p->n->linears[i], at);
        at += (scry_linear_packed_bytes(p->n->linears[i]) + 63) / 64 * 64;
    }
}

int scry_ocr_networks_pack(scry_ocr_networks *n, scry_team *team, scry_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n->linear_count; i++)
        bytes += (scry_linear_packed_bytes(n->linears[i]) + 63) / 64 * 64;
    packing p = { n, scry_weights_take(n->weights, bytes) };
    if (!p.memory)
        return scry_fail(err, SCRY_ENOMEM, "not enough memory for the weights that read words");
    scry_team_run(team, pack, &p);
    for (size_t i = 0; i < n->linear_count; i++) {
        scry_linear_publish(n->linears[i], p.memory);
        p.memory += (scry_linear_packed_bytes(n->linears[i]) + 63) / 64 * 64;
    }
    scry_tensors_drop_pages(n->tensors);
    return 0;
}

void scry_ocr_networks_close(scry_ocr_networks *n)
{
    scry_tensors_free(n->tensors);
    scry_weights_free(n->weights);
    free(n->linears);
    free(n->characters);
    free(n->character);
    *n = (scry_ocr_networks){ .tensors = NULL };
}

const char *scry_ocr_class_text(const scry_ocr_networks *n, uint32_t class)
{
    return class == 0 ? "" : class <= n->character_count ? n->character[class - 1] : " ";
}
