/* text_run.c - scry_text_run: a pass with the reader that is installed. */
#include "engine/text_pass.h"

int scry_text_reader_find(scry_text_reader *out, const char *folder, scry_error *err)
{
    *out = (scry_text_reader){ 0 };
    return scry_fail(err, SCRY_ENOTFOUND, "this build of scry has no reader of the words in pictures");
}

void scry_text_reader_dispose(scry_text_reader *r)
{
}

int scry_text_reader_check(const char *folder, scry_error *err)
{
    scry_text_reader reader;
    int r = scry_text_reader_find(&reader, folder, err);
    if (r == 0)
        scry_text_reader_dispose(&reader);
    return r;
}

int scry_text_run(scry_store *store, const scry_text_options *options, scry_text_progress *total, scry_error *err)
{
    scry_text_reader reader;
    if (total)
        *total = (scry_text_progress){ 0 };
    int r = scry_text_reader_find(&reader, options ? options->reader : NULL, err);
    if (r == 0)
        r = scry_text_pass_run(store, &reader, options, total, err);
    scry_text_reader_dispose(&reader);
    return r;
}
