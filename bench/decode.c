/* decode.c - how fast files become views, the hand-over between processes included.
 *
 *     build/release/bench/decode [--size=224] [--fit=floor|even|squash] [--exact]
 *         [--no-rotate] [--repeat=N] [--out=FILE] PICTURE... | -
 *
 * One thread and one worker, which take turns: the rate is that of one core. `-` reads
 * the names from standard input, one a line. --out writes the views one after the other
 * (zeros for a picture that fails); tools/parity/pixels.py compares them with Pillow's.
 */
#include "base/buf.h"
#include "base/log.h"
#include "image/image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
    scry_decode_request request;
    int repeat;
    const char *out;
    char **names;
    int count;
} options;

static void read_names(options *o)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    o->names = NULL;
    o->count = 0;
    while ((n = getline(&line, &capacity, stdin)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        o->names = realloc(o->names, sizeof *o->names * (size_t)(o->count + 1));
        o->names[o->count++] = strdup(line);
    }
    free(line);
}

static options parse(int argc, char **argv)
{
    options o = { .request = { .kind = SCRY_DECODE_VIEWS,
                               .spec = { 224, 1, { SCRY_FIT_CROP_FLOOR }, SCRY_FILTER_BICUBIC } },
                  .repeat = 1 };
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strncmp(argv[i], "--size=", 7) == 0)
            o.request.spec.size = atoi(argv[i] + 7);
        else if (strcmp(argv[i], "--fit=even") == 0)
            o.request.spec.fit[0] = SCRY_FIT_CROP_EVEN;
        else if (strcmp(argv[i], "--fit=squash") == 0)
            o.request.spec.fit[0] = SCRY_FIT_SQUASH;
        else if (strcmp(argv[i], "--exact") == 0)
            o.request.exact = true;
        else if (strcmp(argv[i], "--no-rotate") == 0)
            o.request.keep_orientation = true;
        else if (strncmp(argv[i], "--repeat=", 9) == 0)
            o.repeat = atoi(argv[i] + 9);
        else if (strncmp(argv[i], "--out=", 6) == 0)
            o.out = argv[i] + 6;
    }
    o.names = argv + i;
    o.count = argc - i;
    if (o.count == 1 && strcmp(o.names[0], "-") == 0)
        read_names(&o);
    return o;
}

static int decode(scry_decoder *d, const char *name, const scry_decode_request *request,
                  scry_decode_result *r, scry_error *err)
{
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    int rc = scry_decoder_load(d, name, &bytes, &size, &st, err);
    return rc < 0 ? rc : scry_decoder_run(d, request, r, err);
}

/* Milliseconds for all files once; failures are counted, and printed in the first round. */
static double run(scry_decoder *d, const options *o, FILE *out, int *failed)
{
    size_t bytes = 3 * (size_t)o->request.spec.size * (size_t)o->request.spec.size;
    uint8_t *nothing = calloc(1, bytes);
    double start = scry_now_ms();
    *failed = 0;
    for (int i = 0; i < o->count; i++) {
        scry_decode_result r;
        scry_error err = SCRY_ERROR_INIT;
        int rc = decode(d, o->names[i], &o->request, &r, &err);
        *failed += rc < 0;
        if (out && rc < 0)
            fprintf(stderr, "%s: %s\n", o->names[i], err.message);
        if (out)
            fwrite(rc < 0 ? nothing : r.pixels, 1, bytes, out);
    }
    free(nothing);
    return scry_now_ms() - start;
}

int main(int argc, char **argv)
{
    options o = parse(argc, argv);
    scry_decoder_options settings = SCRY_DECODER_OPTIONS_INIT;
    scry_decoder *d;
    scry_error err = SCRY_ERROR_INIT;
    settings.formats = scry_formats_all();
    if (o.count == 0 || scry_decoder_new(&d, &settings, &err) < 0) {
        fprintf(stderr, "decode: %s\n", o.count ? err.message : "no pictures given");
        return 2;
    }
    FILE *out = o.out ? fopen(o.out, "wb") : NULL;
    int failed = 0;
    double first = run(d, &o, out, &failed), best = first;
    for (int i = 1; i < o.repeat; i++) {
        double t = run(d, &o, NULL, &failed);
        best = t < best ? t : best;
    }
    if (out)
        fclose(out);
    printf("%d pictures, %d failed: first round %.1f ms, best of %d %.1f ms, %.1f pictures/s\n",
           o.count, failed, first, o.repeat, best, 1e3 * o.count / best);
    scry_decoder_free(d);
    return failed ? 1 : 0;
}
