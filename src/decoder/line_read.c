#include "decoder/line_read.h"

#include "base/alloc.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { ENGINE_LSTM = 1, SEGMENT_SINGLE_LINE = 7, RESOLUTION = 300 };   /* of tesseract/publictypes.h */

/* Those of tesseract/capi.h that are used. */
static struct {
    void *(*create)(void);
    int (*init)(void *t, const char *folder, const char *languages, int engine);
    void (*set_segmentation)(void *t, int mode);
    void (*set_image)(void *t, const unsigned char *pixels, int width, int height, int bytes_per_pixel, int bytes_per_line);
    void (*set_resolution)(void *t, int ppi);
    char *(*get_text)(void *t);
    int (*get_confidence)(void *t);
    void (*free_text)(const char *text);
    void (*clear)(void *t);
} call;
static void *tesseract;   /* NULL in a worker that was started without */

static int load(scry_error *err)
{
    static const struct { const char *name; void *function; } names[] = {
        { "TessBaseAPICreate", &call.create }, { "TessBaseAPIInit2", &call.init },
        { "TessBaseAPISetPageSegMode", &call.set_segmentation }, { "TessBaseAPISetImage", &call.set_image },
        { "TessBaseAPISetSourceResolution", &call.set_resolution }, { "TessBaseAPIGetUTF8Text", &call.get_text },
        { "TessBaseAPIMeanTextConf", &call.get_confidence }, { "TessDeleteText", &call.free_text }, { "TessBaseAPIClear", &call.clear },
    };
    void *library = dlopen(SCRY_LINES_LIBRARY, RTLD_NOW | RTLD_LOCAL);   /* stays loaded for the life of the process */
    if (!library)
        return scry_fail(err, SCRY_ENOTFOUND, "%s", dlerror());
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *function = dlsym(library, names[i].name);
        if (!function)
            return scry_fail(err, SCRY_ENOTFOUND, SCRY_LINES_LIBRARY " has no %s", names[i].name);
        *(void **)names[i].function = function;
    }
    return 0;
}

int scry_line_read_start(const char *what, scry_error *err)
{
    setenv("OMP_THREAD_LIMIT", "1", 1);   /* its threads cost more than they gain for one line */
    const char *colon = strrchr(what, ':');
    int rc = colon ? load(err) : scry_fail(err, SCRY_EINVALID, "no languages in \"%s\"", what);
    if (rc < 0)
        return rc;
    char *folder = scry_strndup(what, (size_t)(colon - what));
    tesseract = call.create();
    if (!tesseract || call.init(tesseract, folder, colon + 1, ENGINE_LSTM) != 0)
        rc = scry_fail(err, SCRY_EINVALID, "Tesseract does not read the data of %s in %s", colon + 1, folder);
    free(folder);
    if (rc == 0)
        call.set_segmentation(tesseract, SEGMENT_SINGLE_LINE);
    return rc;
}

int scry_read_line(const scry_job *job, scry_error *err)
{
    const scry_region *r = &job->request->what.region;
    const size_t bytes = (size_t)r->w * (size_t)r->h;
    if (!tesseract)
        return scry_fail(err, SCRY_EINVALID, "this decoder was started without Tesseract");
    if (bytes > job->size)
        return scry_fail(err, SCRY_EINVALID, "a line of %d x %d pixels in %zu bytes", r->w, r->h, job->size);
    call.set_image(tesseract, job->bytes + job->size - bytes, r->w, r->h, 1, r->w);
    call.set_resolution(tesseract, RESOLUTION);
    char *text = call.get_text(tesseract);
    const int confidence = text ? call.get_confidence(tesseract) : 0;
    size_t n = text ? strlen(text) : 0;
    if (n + 1 > job->request->output_bytes)
        n = 0;
    memcpy(job->out, text ? text : "", n);
    job->out[n] = '\0';
    if (text)
        call.free_text(text);
    call.clear(tesseract);
    job->reply->encoded_bytes = n + 1;
    job->reply->result.width = r->w;
    job->reply->result.height = r->h;
    job->reply->result.confidence = (float)confidence / 100;
    return 0;
}
