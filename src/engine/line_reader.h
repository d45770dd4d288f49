/* line_reader.h - reads lines of text in scripts that the networks of src/ocr do not know, with Tesseract 5, if it is installed.
 *
 * The library runs in a process of scry-decode, confined as those that decode pictures.
 *
 *     char *data = scry_line_reader_data();
 *     if (data && scry_line_reader_open(&r, data, &err) == 0)
 *         scry_ocr_ask_other(ocr, &(scry_ocr_other){ r, scry_line_reader_read });
 */
#ifndef SCRY_ENGINE_LINE_READER_H
#define SCRY_ENGINE_LINE_READER_H

#include "ocr/ocr.h"

typedef struct scry_line_reader scry_line_reader;

/* What is installed, "FOLDER:rus+ukr", owned: the languages of other scripts whose data (Debian's packages tesseract-ocr-rus and
 * so on) is in $TESSDATA_PREFIX, else in /usr/share. NULL: none, or the library is not there. */
char *scry_line_reader_data(void);

/* The languages in it: "rus+ukr". Borrowed. */
const char *scry_line_reader_languages(const char *data);

/* For one thread at a time. SCRY_EIO where no process can be started. It starts with the first line. */
int scry_line_reader_open(scry_line_reader **out, const char *data, scry_error *err) SCRY_NODISCARD;
void scry_line_reader_close(scry_line_reader *r);   /* NULL is allowed */

/* `read` of scry_ocr_other; `arg` is a scry_line_reader. */
int scry_line_reader_read(void *arg, const scry_ocr_grey *line, char **text, float *confidence, scry_error *err);

#endif
