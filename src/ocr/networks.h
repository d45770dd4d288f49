/* networks.h - the networks of models/words with the dictionary: opened once, immutable, shared by threads. */
#ifndef SCRY_OCR_NETWORKS_H
#define SCRY_OCR_NETWORKS_H

#include "ocr/classify.h"
#include "ocr/detect.h"
#include "ocr/recognise.h"

typedef struct scry_ocr_networks {
    scry_tensors *tensors;
    scry_weights *weights;
    scry_linear **linears;       /* [linear_count], for packing */
    size_t linear_count;
    scry_scratch_need need;
    scry_ocr_detector detector, looker;   /* the same, but the looker's products may be of bf16, where that is faster */
    scry_ocr_classifier classifier;
    scry_ocr_recogniser recogniser;
    char *characters;            /* the dictionary: lines of UTF-8, each ended by NUL */
    const char **character;      /* [character_count]; class i + 1; then the space */
    size_t character_count;
} scry_ocr_networks;

/* Open words.safetensors and characters.txt of `folder`. SCRY_ENOTFOUND, SCRY_EINVALID, SCRY_ENOMEM; *n is then closed. */
int scry_ocr_networks_open(scry_ocr_networks *n, const char *folder, scry_mode mode, scry_error *err) SCRY_NODISCARD;

/* Lay out the matrices for the kernels of the team, which must be done before the networks are run. SCRY_ENOMEM. */
int scry_ocr_networks_pack(scry_ocr_networks *n, scry_team *team, scry_error *err) SCRY_NODISCARD;
void scry_ocr_networks_close(scry_ocr_networks *n);

struct scry_ocr;

/* scry_ocr_open with the arithmetic of the products, for comparisons. */
int scry_ocr_open_in(struct scry_ocr **out, const char *folder, int threads, scry_mode mode, scry_error *err) SCRY_NODISCARD;

/* The text of a class; "" for class 0. Borrowed. */
const char *scry_ocr_class_text(const scry_ocr_networks *n, uint32_t class);

#endif
