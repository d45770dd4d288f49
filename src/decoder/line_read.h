/* line_read.h - reading a line of text with Tesseract 5, in scripts that the networks of src/ocr cannot read.
 *
 * libtesseract is loaded when a worker is started for it (--lines=FOLDER:LANGUAGES), before the process is confined, and with it
 * all of the languages' data: reading a line opens nothing.
 */
#ifndef SCRY_DECODER_LINE_READ_H
#define SCRY_DECODER_LINE_READ_H

#include "decoder/reader.h"

/* Load the library, and the data of `languages` ("rus+ukr") from FOLDER/LANGUAGE.traineddata; `what` is "FOLDER:LANGUAGES".
 * SCRY_ENOTFOUND where the library is not installed, SCRY_EINVALID for data that it does not read. */
int scry_line_read_start(const char *what, scry_error *err) SCRY_NODISCARD;

/* The text of a grey picture whose pixels are the last bytes of the job's input, of the size in its region: as UTF-8 with a NUL to
 * the output, its confidence to the reply. */
int scry_read_line(const scry_job *job, scry_error *err) SCRY_NODISCARD;

#endif
