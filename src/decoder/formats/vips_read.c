/* vips_read.c - the formats that libvips reads, to rows of RGB as Pillow's convert("RGB").
 *
 * One loader a format, chosen by the sniffed format and never by libvips. Rows are pulled
 * through a region in strips, top to bottom, so that a large PNG or TIFF is never in memory as
 * a whole. Colour profiles are not applied (the references ignore them) and orientation is left
 * to the sink, but for HEIC, AVIF and JPEG XL, whose libraries turn the picture themselves, as
 * the file's own structure says, whatever its EXIF does.
 */
#include "decoder/formats/formats.h"
#include "decoder/reader.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <gmodule.h>
#include <jxl/decode.h>
#include <vips/vips.h>
#include <vips/vector.h>

#include "base/alloc.h"
#include "decoder/cut.h"
#include "decoder/file_headers.h"
#include "decoder/heif_adapt.h"
#include "decoder/heif_turn.h"
#include "decoder/png_thin.h"

enum { STRIP_ROWS = 32 };

/* Warnings about damaged files are dropped: the error that follows says more. */
static void quiet(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
}

/* libvips's modules for HEIC, AVIF and JPEG XL, where they are modules. The others (PDF,
 * slides, whatever ImageMagick reads) are left out, since loading them
 * takes as long as the rest of libvips. */
static void load_modules(void)
{
    static const char *const names[] = { "vips-heif.so", "vips-jxl.so" };
    Dl_info here;
    char path[PATH_MAX];
    if (!dladdr((void *)(uintptr_t)vips_init, &here) || !here.dli_fname)
        return;
    const char *slash = strrchr(here.dli_fname, '/');
    int n = slash ? (int)(slash - here.dli_fname) : 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%.*s/vips-modules-%d.%d/%s", n, here.dli_fname, vips_version(0),
                 vips_version(1), names[i]);
        GModule *module = g_module_open(path, G_MODULE_BIND_LAZY);
        if (module)
            g_module_make_resident(module);
    }
}

/* Newer libheif opens its codecs, files of their own, when it is first used. */
static void touch_lazy_libraries(void)
{
    static const uint8_t nothing[] = "\0\0\0\x18" "ftypheic\0\0\0\0mif1heic";
    VipsImage *im = NULL;
    if (vips_heifload_buffer((void *)nothing, sizeof nothing - 1, &im, NULL) == 0)
        g_object_unref(im);
    vips_error_clear();
}

int scry_vips_start(const char *program, scry_error *err)
{
    setenv("VIPS_CONCURRENCY", "1", 1);
    setenv("VIPSHOME", "/nonexistent", 1);   /* where it would search for all of its modules */
    setenv("VIPS_DISC_THRESHOLD", "1000g", 1);   /* large pictures of some formats would go to a file, which cannot be made */
    g_log_set_default_handler(quiet, NULL);
    if (VIPS_INIT(program))
        return scry_fail(err, SCRY_EIO, "libvips: %.200s", vips_error_buffer());
    load_modules();
    touch_lazy_libraries();
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    vips_vector_set_enabled(FALSE);   /* it compiles code, which confinement forbids */
    return 0;
}

/* ---- loaders -------------------------------------------------------------------- */

static bool is_heif(const scry_job *job)
{
    return job->request->format == SCRY_FORMAT_HEIC || job->request->format == SCRY_FORMAT_AVIF;
}

static VipsImage *load(const scry_job *job, const uint8_t *bytes, size_t n)
{
    void *p = (void *)bytes;
    VipsImage *im = NULL;
    int rc = -1;
#define LOAD(format, ...) \
    rc = vips_##format##load_buffer(p, n, &im, "access", VIPS_ACCESS_SEQUENTIAL, \
                                    "fail_on", VIPS_FAIL_ON_ERROR, ##__VA_ARGS__, NULL)
    switch ((scry_format)job->request->format) {
    case SCRY_FORMAT_PNG:  LOAD(png); break;
    case SCRY_FORMAT_WEBP: LOAD(webp); break;
    case SCRY_FORMAT_TIFF: LOAD(tiff); break;
    case SCRY_FORMAT_HEIC:
    case SCRY_FORMAT_AVIF: LOAD(heif, "unlimited", TRUE); break;   /* sides over 16,384: the limits here are on pixels and memory */
    case SCRY_FORMAT_JXL:  LOAD(jxl); break;
    case SCRY_FORMAT_JP2:  LOAD(jp2k); break;
    case SCRY_FORMAT_SVG:  LOAD(svg); break;
    default: break;
    }
#undef LOAD
    return rc == 0 ? im : NULL;
}

/* What libvips does not report. */
static JxlBasicInfo jxl_info(const scry_job *job)
{
    JxlBasicInfo info = { .orientation = JXL_ORIENT_IDENTITY };
    JxlDecoder *d = JxlDecoderCreate(NULL);
    if (d && JxlDecoderSetKeepOrientation(d, JXL_TRUE) == JXL_DEC_SUCCESS
        && JxlDecoderSubscribeEvents(d, JXL_DEC_BASIC_INFO) == JXL_DEC_SUCCESS
        && JxlDecoderSetInput(d, job->bytes, job->size) == JXL_DEC_SUCCESS
        && JxlDecoderProcessInput(d) == JXL_DEC_BASIC_INFO)
        JxlDecoderGetBasicInfo(d, &info);
    JxlDecoderDestroy(d);
    return info;
}

/* Before the picture is decoded: a damaged one has its metadata all the same. */
static void read_metadata(const scry_job *job)
{
    scry_decode_result *r = &job->reply->result;
    scry_format format = (scry_format)job->request->format;
    scry_read_file_headers(format, (scry_bytes){ job->bytes, job->size }, scry_unpacker_get(), &r->metadata);
    if (r->metadata.orientation)
        r->orientation = r->metadata.orientation;
    if (format == SCRY_FORMAT_JXL)
        r->orientation = (int)jxl_info(job).orientation;   /* which libjxl applies */
    if (is_heif(job))
        r->orientation = scry_heif_orientation(job->bytes, job->size);
}

/* ---- to RGB --------------------------------------------------------------------- */

/* Where the sample of channel k of pixel i lies, as 8 bits: 16-bit samples lose their
 * low byte, as in Pillow for colour (it clips 16-bit grey to white: a documented
 * departure). */
typedef struct layout {
    int bands;
    bool wide;       /* 16 bits a sample */
    bool cmyk;
    int band[3];     /* of red, green, blue */
    int alpha;       /* its band; 0: none, or it is dropped */
} layout;

static inline uint8_t sample(const uint8_t *pixel, int band, bool wide)
{
    return wide ? (uint8_t)(((const uint16_t *)pixel)[band] >> 8) : pixel[band];
}

/* Pillow's cmyk2rgb. */
static uint8_t ink(uint8_t colour, uint8_t black)
{
    int white = 255 - black;
    int v = colour * white + 128;
    v = white - (((v >> 8) + v) >> 8);
    return (uint8_t)(v < 0 ? 0 : v);
}

static uint8_t on_grey(uint8_t colour, uint8_t alpha)
{
    return (uint8_t)((colour * alpha + SCRY_BEHIND_LETTERS * (255 - alpha) + 127) / 255);
}

static void to_rgb(const layout *l, const uint8_t *in, int n, uint8_t *out)
{
    size_t step = (size_t)l->bands * (l->wide ? 2 : 1);
    if (l->bands == 3 && !l->wide) {
        memcpy(out, in, 3 * (size_t)n);
        return;
    }
    for (int i = 0; i < n; i++, in += step, out += 3)
        for (int k = 0; k < 3; k++) {
            uint8_t v = sample(in, l->band[k], l->wide);
            v = l->cmyk ? ink(v, sample(in, 3, l->wide)) : v;
            out[k] = l->alpha ? on_grey(v, sample(in, l->alpha, l->wide)) : v;
        }
}

/* An image whose samples to_rgb() understands: 8 or 16 bits, grey, RGB or CMYK. Others
 * (floats, Lab) go through libvips's conversion to sRGB. Takes the reference to *im. `blends`: not without the alpha. */
static int normalise(VipsImage **im, bool blends, layout *l)
{
    VipsImage *next = NULL;
    VipsInterpretation kind = vips_image_guess_interpretation(*im);
    VipsBandFormat format = vips_image_get_format(*im);
    bool plain = (format == VIPS_FORMAT_UCHAR || format == VIPS_FORMAT_USHORT)
                 && kind != VIPS_INTERPRETATION_LAB && kind != VIPS_INTERPRETATION_LABS
                 && kind != VIPS_INTERPRETATION_XYZ;
    if (!plain) {
        if (vips_colourspace(*im, &next, VIPS_INTERPRETATION_sRGB, NULL))
            return -1;
        g_object_unref(*im);
        *im = next;
        next = NULL;
        if (vips_image_get_format(*im) != VIPS_FORMAT_UCHAR) {
            if (vips_cast_uchar(*im, &next, NULL))
                return -1;
            g_object_unref(*im);
            *im = next;
        }
    }
    int bands = vips_image_get_bands(*im);
    bool colour = bands >= 3;
    *l = (layout){ .bands = bands, .wide = vips_image_get_format(*im) == VIPS_FORMAT_USHORT,
                   .cmyk = kind == VIPS_INTERPRETATION_CMYK && bands >= 4,
                   .band = { 0, colour ? 1 : 0, colour ? 2 : 0 },
                   .alpha = blends && vips_image_hasalpha(*im) ? bands - 1 : 0 };
    return 0;
}

/* ---- rows ----------------------------------------------------------------------- */

/* The last line of libvips's messages, of nested calls the outermost, which says what failed. One that begins with
 * a space is the code behind a message of libheif. */
static void last_line(char *out, size_t size)
{
    out[0] = '\0';
    for (const char *line = vips_error_buffer(); *line;) {
        size_t n = strcspn(line, "\n");
        if (n && line[0] != ' ')
            snprintf(out, size, "%.*s", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static bool libheif_is_older(const char *version)
{
    const char *(*own)(void);
    *(void **)&own = dlsym(RTLD_DEFAULT, "heif_get_version");
    return own && strverscmp(own(), version) < 0;
}

static bool libheif_has_decoder(int format)
{
    int (*has)(int);
    *(void **)&has = dlsym(RTLD_DEFAULT, "heif_have_decoder_for_format");
    return !has || has(format);
}

/* Why this libheif cannot read the picture, however whole it is; or 0. Decoders are packages of their own since libheif 1.16, and
 * may be missing as a library may. */
static int explain_libheif(const scry_job *job, const char *name, const char *why, scry_error *err)
{
    scry_heif_parts needs;
    scry_heif_needs(&needs, job->bytes, job->size, libheif_has_decoder);
    if (needs.version && libheif_is_older(needs.version))
        return scry_fail(err, SCRY_EINVALID, "%s that needs libheif %s", name, needs.version);
    if (needs.coding)
        return scry_fail(err, SCRY_ENOTFOUND, "%s needs libheif's decoder of %s (package %s), which is not installed", name,
                         needs.coding, needs.package);
    if (strstr(why, "No decoding plugin"))   /* for a sequence of pictures */
        return scry_fail(err, SCRY_ENOTFOUND, "%s needs a decoder of libheif, which is not installed", name);
    return 0;
}

/* About how many bytes decoding takes for each pixel, where that is not done in strips. */
static size_t bytes_for_pixel(const scry_job *job)
{
    enum { RGBA_TWICE_AND_RGB = 12, PLANES = 6, BLOCKS = 8, NUMBERS = 4, WIDE_NUMBERS = 10 };
    if (job->request->format == SCRY_FORMAT_WEBP)
        return RGBA_TWICE_AND_RGB;
    if (job->request->format != SCRY_FORMAT_JXL)
        return PLANES;
    JxlBasicInfo info = jxl_info(job);
    size_t channels = 4 + (size_t)info.num_extra_channels;
    return !info.uses_original_profile ? BLOCKS : channels * (info.bits_per_sample > 8 ? WIDE_NUMBERS : NUMBERS);
}

/* Whether there is that memory. Asked when decoding has failed, since a library that gets none may call it something else; for
 * JPEG XL before, since libjxl ends the process then. */
static bool has_memory_for(const scry_job *job, const VipsImage *im)
{
    if (!im)
        return true;
    void *pixels = scry_try_alloc((size_t)vips_image_get_width(im) * bytes_for_pixel(job), (size_t)vips_image_get_height(im));
    free(pixels);
    return pixels != NULL;
}

static void drop_pixels(void *arg, size_t x, size_t y, size_t n, const void *pixels)
{
}

/* libjxl, which alone knows the lengths of frames, wants more bytes than there are. */
static bool jxl_is_cut(const scry_job *job)
{
    const JxlPixelFormat rgb = { .num_channels = 3, .data_type = JXL_TYPE_UINT8 };
    JxlDecoderStatus s = JXL_DEC_NEED_IMAGE_OUT_BUFFER;
    JxlDecoder *d = job->request->format == SCRY_FORMAT_JXL ? JxlDecoderCreate(NULL) : NULL;
    if (d && JxlDecoderSubscribeEvents(d, JXL_DEC_FULL_IMAGE) == JXL_DEC_SUCCESS
        && JxlDecoderSetInput(d, job->bytes, job->size) == JXL_DEC_SUCCESS)
        while ((s = JxlDecoderProcessInput(d)) == JXL_DEC_NEED_IMAGE_OUT_BUFFER
               && JxlDecoderSetImageOutCallback(d, &rgb, drop_pixels, NULL) == JXL_DEC_SUCCESS)
            ;
    JxlDecoderDestroy(d);
    return s == JXL_DEC_NEED_MORE_INPUT;
}

/* What libvips says of a failure; of the picture `im`, or NULL before there is one. */
static int explain(const scry_job *job, const VipsImage *im, scry_error *err)
{
    static const char *const names[SCRY_FORMAT_COUNT] = {
        [SCRY_FORMAT_PNG] = "PNG", [SCRY_FORMAT_WEBP] = "WebP", [SCRY_FORMAT_TIFF] = "TIFF",
        [SCRY_FORMAT_HEIC] = "HEIC", [SCRY_FORMAT_AVIF] = "AVIF", [SCRY_FORMAT_JXL] = "JPEG XL",
        [SCRY_FORMAT_JP2] = "JPEG 2000", [SCRY_FORMAT_SVG] = "SVG",
    };
    char why[160];
    const char *name = names[job->request->format] ? names[job->request->format] : "picture";
    last_line(why, sizeof why);
    vips_error_clear();
    if (strstr(why, "memory") || !has_memory_for(job, im))
        return scry_fail(err, SCRY_ENOMEM, "decoding needs more memory than the limit");
    int rc = is_heif(job) ? explain_libheif(job, name, why, err) : 0;
    if (rc < 0)
        return rc;
    if (scry_is_cut((scry_format)job->request->format, (scry_bytes){ job->bytes, job->size }) || jxl_is_cut(job))
        return scry_fail(err, SCRY_EINVALID, "truncated %s: bytes of the picture are missing", name);
    bool names_an_end = job->request->format == SCRY_FORMAT_SVG || is_heif(job);   /* of the others it was asked above */
    if (names_an_end && (strcasestr(why, "trunc") || strcasestr(why, "end of") || strcasestr(why, "EOF")))
        return scry_fail(err, SCRY_EINVALID, "truncated %s: %s", name, why);
    return scry_fail(err, SCRY_EINVALID, "damaged %s%s%s", name, why[0] ? ": " : "", why);
}

static int put_rows(const scry_job *job, VipsImage *im, const layout *l, scry_sink *sink,
                    scry_error *err)
{
    int w = vips_image_get_width(im), h = vips_image_get_height(im);
    size_t stride = 3 * (size_t)w + SCRY_ROW_SLACK;
    uint8_t *strip = scry_try_alloc(STRIP_ROWS, stride);
    VipsRegion *region = vips_region_new(im);
    int rc = 0;
    if (!strip || !region)
        rc = scry_fail(err, SCRY_ENOMEM, "no memory for rows of %d pixels", w);
    /* To the last row, also when the views end before: damage there counts too. */
    for (int y = 0; rc == 0 && y < h; y += STRIP_ROWS) {
        VipsRect rect = { 0, y, w, h - y < STRIP_ROWS ? h - y : STRIP_ROWS };
        if (vips_region_prepare(region, &rect)) {
            rc = explain(job, im, err);
            break;
        }
        for (int i = 0; i < rect.height; i++)
            to_rgb(l, VIPS_REGION_ADDR(region, 0, y + i), w, strip + (size_t)i * stride);
        scry_sink_put(sink, y, rect.height, strip, stride);
    }
    if (region)
        g_object_unref(region);
    free(strip);
    return rc;
}

static int read_bytes(const scry_job *job, const uint8_t *bytes, size_t n, scry_error *err)
{
    scry_sink sink = { 0 };
    layout l = { 0 };
    read_metadata(job);
    VipsImage *im = load(job, bytes, n);
    if (!im)
        return explain(job, NULL, err);
    int w = vips_image_get_width(im), h = vips_image_get_height(im);
    int rc = scry_sink_init(&sink, job, w, h, err);
    if (rc == 0 && job->request->format == SCRY_FORMAT_JXL && !has_memory_for(job, im))
        rc = scry_fail(err, SCRY_ENOMEM, "%d x %d pixels of JPEG XL need more memory than the limit", w, h);
    if (rc == 0 && normalise(&im, scry_job_reads_words(job), &l))
        rc = explain(job, im, err);
    if (rc == 0)
        rc = scry_sink_begin(&sink, w, h, 1, err);
    if (rc == 0)
        rc = put_rows(job, im, &l, &sink, err);
    if (rc == 0)
        rc = scry_sink_finish(&sink, err);
    scry_sink_dispose(&sink);
    g_object_unref(im);
    vips_error_clear();
    return rc;
}

static int read_png(const scry_job *job, scry_error *err)
{
    size_t n;
    uint8_t *thin = scry_png_thin(job->bytes, job->size, &n);
    int rc = thin ? read_bytes(job, thin, n, err) : read_bytes(job, job->bytes, job->size, err);
    free(thin);
    return rc;
}

int scry_read_vips(const scry_job *job, scry_error *err)
{
    if (job->request->format == SCRY_FORMAT_PNG)
        return read_png(job, err);
    if (!is_heif(job))
        return read_bytes(job, job->bytes, job->size, err);
    if (scry_heif_is_cut(job->bytes, job->size)) {
        read_metadata(job);
        return scry_fail(err, SCRY_EINVALID, "truncated %s: bytes of the picture are missing",
                         job->request->format == SCRY_FORMAT_AVIF ? "AVIF" : "HEIC");
    }
    scry_heif_file file;
    scry_heif_adapt(&file, job->bytes, job->size, job->request->format == SCRY_FORMAT_AVIF);
    int rc = read_bytes(job, file.bytes, file.size, err);
    scry_heif_dispose(&file);
    return rc;
}
