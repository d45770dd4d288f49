#include "engine/line_reader.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/utf8.h"
#include "image/image.h"
#include "image/wire.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIME_LIMIT_MS = 5000, MOST_BYTES = 8 << 20 };

struct scry_line_reader {
    scry_decoder *decoder;
    scry_buf picture;    /* PGM */
};

/* By how many pictures may have them: Cyrillic, Arabic, Hebrew, India, Thailand, Korea, the Caucasus. */
static const char *const languages[] = {
    "rus", "ukr", "bul", "srp", "bel", "mkd", "kaz", "ara", "fas", "heb", "hin", "ben", "tam", "tel", "tha", "kor", "kat", "hye", "ell"
};

static char *find_in(const char *folder)
{
    scry_buf found = SCRY_BUF_INIT(1 << 12);
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
        char *file = scry_asprintf("%s/%s.traineddata", folder, languages[i]);
        if (access(file, R_OK) == 0)
            scry_buf_printf(&found, "%s%s", found.size ? "+" : ":", languages[i]);
        free(file);
    }
    char *data = found.size ? scry_asprintf("%s%s", folder, scry_buf_str(&found)) : NULL;
    scry_buf_dispose(&found);
    return data;
}

static char *find_data(void)
{
    static const char *const folders[] = { "/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tessdata" };
    const char *set = getenv("TESSDATA_PREFIX");
    if (set && set[0])
        return find_in(set);
    char *data = find_in(folders[0]);
    return data ? data : find_in(folders[1]);
}

char *scry_line_reader_data(void)
{
    char *data = find_data();
    void *library = data ? dlopen(SCRY_LINES_LIBRARY, RTLD_LAZY | RTLD_LOCAL) : NULL;
    if (library)
        dlclose(library);
    if (library || !data)
        return data;
    free(data);   /* packages of data do not depend on the library */
    return NULL;
}

const char *scry_line_reader_languages(const char *data)
{
    return strrchr(data, ':') + 1;
}

int scry_line_reader_open(scry_line_reader **out, const char *data, scry_error *err)
{
    scry_line_reader *r = scry_alloc(sizeof *r);
    scry_decoder_options o = SCRY_DECODER_OPTIONS_INIT;
    o.lines = data;
    o.time_limit_ms = TIME_LIMIT_MS;
    o.formats = scry_formats_all();
    r->picture = (scry_buf)SCRY_BUF_INIT(MOST_BYTES);
    int rc = scry_decoder_new(&r->decoder, &o, err);
    if (rc < 0) {
        free(r);
        return rc;
    }
    *out = r;
    return 0;
}

void scry_line_reader_close(scry_line_reader *r)
{
    if (!r)
        return;
    scry_decoder_free(r->decoder);
    scry_buf_dispose(&r->picture);
    free(r);
}

/* One line of valid UTF-8, whatever the process sent; owned. NULL: nothing. */
static char *clean(const char *bytes, size_t n)
{
    scry_buf text = SCRY_BUF_INIT(1 << 18);
    scry_utf8_repair(&text, bytes, strnlen(bytes, n));
    char *s = scry_strdup(text.failed ? "" : scry_buf_str(&text));
    scry_buf_dispose(&text);
    size_t size = strlen(s);
    while (size && (unsigned char)s[size - 1] <= ' ')
        s[--size] = '\0';
    for (char *c = s; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = ' ';
    if (size)
        return s;
    free(s);
    return NULL;
}

int scry_line_reader_read(void *arg, const scry_ocr_grey *line, char **text, float *confidence, scry_error *err)
{
    scry_line_reader *r = arg;
    const scry_decode_request request = { .kind = SCRY_DECODE_LINE, .region = { 0, 0, (int)line->width, (int)line->height } };
    scry_decode_result d;
    scry_buf_clear(&r->picture);
    scry_buf_printf(&r->picture, "P5 %zu %zu 255\n", line->width, line->height);
    scry_buf_append(&r->picture, line->pixels, line->width * line->height);
    if (r->picture.failed)
        return scry_fail(err, SCRY_ELIMIT, "a line of %zu x %zu pixels", line->width, line->height);
    int rc = scry_decoder_load_bytes(r->decoder, (const uint8_t *)r->picture.data, r->picture.size, err);
    if (rc == 0)
        rc = scry_decoder_run(r->decoder, &request, &d, err);
    if (rc < 0)
        return rc;
    *text = clean((const char *)d.encoded, d.encoded_bytes);
    *confidence = d.confidence;
    return 0;
}
