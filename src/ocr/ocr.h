/* ocr.h - the words in a picture: where its lines of text are, and what they say.
 *
 *     scry_ocr *o;  scry_ocr_page page;
 *     scry_ocr_open(&o, folder, 0, &err);              // models/words
 *     scry_ocr_read(o, &picture, &page, &err);
 *     for (size_t i = 0; i < page.count; i++)
 *         puts(page.lines[i].text);
 *     scry_ocr_page_free(&page);
 *     scry_ocr_close(o);
 *
 * Thread rule: a reader belongs to one thread at a time, and computes with a team of its own.
 */
#ifndef SCRY_OCR_OCR_H
#define SCRY_OCR_OCR_H

#include "scry/embed.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_ocr scry_ocr;

/* One line of text. */
typedef struct scry_ocr_line {
    float corner[8];    /* x0, y0 .. x3, y3: clockwise from the line's top left as it is read; in 0..1 of the picture's
                           width and height */
    char *text;         /* UTF-8, never empty */
    float confidence;   /* mean probability of its characters, 0.5..1 */
} scry_ocr_line;

typedef struct scry_ocr_page {
    scry_ocr_line *lines;   /* [count] in reading order; owned */
    size_t count;           /* 0: no text was found */
} scry_ocr_page;

typedef struct scry_ocr_grey {
    uint8_t *pixels;            /* [height, width] */
    size_t height, width;
} scry_ocr_grey;

/* The files of a reader's folder. */
#define SCRY_OCR_WEIGHTS "words.safetensors"
#define SCRY_OCR_CHARACTERS "characters.txt"

/* The folder of the installed reader, owned; SCRY_ENOTFOUND where its weights are not installed. */
int scry_ocr_folder(char **out, scry_error *err) SCRY_NODISCARD;

/* The reader whose weights are in `folder` (NULL: models/words of the installation), with `threads` threads (0: one for each
 * processor). SCRY_ENOTFOUND without such a folder, SCRY_EINVALID where a tensor is missing or has another shape, SCRY_ENOMEM. */
int scry_ocr_open(scry_ocr **out, const char *folder, int threads, scry_error *err) SCRY_NODISCARD;

/* Read a picture, whose pixels are borrowed for the call. Time and memory are bounded whatever it shows: it is made smaller where a
 * side is over 2,000 pixels, and lines after the 1,000th are left out. SCRY_EINVALID and SCRY_ELIMIT for sizes and strides out
 * of range, SCRY_ENOMEM; *page is then empty. */
int scry_ocr_read(scry_ocr *o, const scry_rgb *picture, scry_ocr_page *page, scry_error *err) SCRY_NODISCARD;

/* Whether pictures are looked at in a small copy first and get an empty page where nothing in it may be text: right for many
 * pictures, few of which have text. Some that have few and small letters are then missed (docs/words.md says how many). At
 * first: not. */
void scry_ocr_look_first(scry_ocr *o, bool yes);

/* Whether each line is read only the way up that the classifier says, as the package rapidocr does. At first: not, a line of which
 * the reader is unsure and which is the other way up than most of the page is read both ways. For comparing with the package. */
void scry_ocr_read_once(scry_ocr *o, bool yes);

/* Another reader, for scripts that the networks cannot read. */
typedef struct scry_ocr_other {
    void *arg;
    /* The text of a picture of one line: *text owned, NULL: none; *confidence 0..1. After SCRY_EINVALID and SCRY_ELIMIT it is not
     * asked for more of the page; another error is that of scry_ocr_read. */
    int (*read)(void *arg, const scry_ocr_grey *line, char **text, float *confidence, scry_error *err);
} scry_ocr_other;

/* Give the lines of which the networks are unsure to `other` (copied), too. Its text is taken where it is sure of it, and where
 * that has letters which the networks do not have: ocr.c has the numbers. */
void scry_ocr_ask_other(scry_ocr *o, const scry_ocr_other *other);

void scry_ocr_page_free(scry_ocr_page *page);   /* its lines; the page is then empty */
void scry_ocr_close(scry_ocr *o);               /* NULL is allowed */

#endif
