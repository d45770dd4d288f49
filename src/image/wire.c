#include "image/wire.h"

#include "base/view_shape.h"
#include "resize/resize.h"

#include <string.h>

size_t scry_wire_pixel_bytes(const scry_decode_request *what)
{
    if (what->kind == SCRY_DECODE_RGB)
        return 3 * (size_t)what->max_side * (size_t)what->max_side;
    if (what->kind != SCRY_DECODE_VIEWS)
        return 0;
    return 3 * (size_t)what->spec.views * (size_t)what->spec.size * (size_t)what->spec.size;
}

static bool spec_is_sound(const scry_image_spec *s)
{
    if (s->size < 1 || s->size > SCRY_MAX_IMAGE_SIZE || s->views < 1 || s->views > SCRY_MAX_VIEWS)
        return false;
    for (int i = 0; i < s->views; i++)
        if ((unsigned)s->fit[i] > SCRY_FIT_PATCHES || (s->fit[i] == SCRY_FIT_PATCHES && !scry_view_has_patches((size_t)s->size)))
            return false;
    return (unsigned)s->filter <= SCRY_FILTER_BICUBIC;
}

static int check_line(const scry_wire_request *r, scry_error *err)
{
    const scry_region *g = &r->what.region;
    if (g->w >= 1 && (uint64_t)g->w * (uint64_t)g->h <= r->input_bytes && r->output_bytes >= 1)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "a line of %d x %d pixels is not in %llu bytes", g->w, g->h,
                     (unsigned long long)r->input_bytes);
}

int scry_wire_check_request(const scry_wire_request *r, scry_error *err)
{
    const scry_decode_request *w = &r->what;
    const scry_region *g = &w->region;
    if (r->magic != SCRY_WIRE_MAGIC)
        return scry_fail(err, SCRY_EINVALID, "not a request to scry-decode");
    if (r->format <= SCRY_FORMAT_NONE || r->format >= SCRY_FORMAT_COUNT)
        return scry_fail(err, SCRY_EINVALID, "not a picture");
    if ((unsigned)w->kind > SCRY_DECODE_LINE)
        return scry_fail(err, SCRY_EINVALID, "unknown kind of decoding");
    if (w->kind == SCRY_DECODE_VIEWS && !spec_is_sound(&w->spec))
        return scry_fail(err, SCRY_EINVALID, "views of %d x %d pixels are not supported (1 to %d, at "
                         "most %d of them)", w->spec.size, w->spec.size, SCRY_MAX_IMAGE_SIZE,
                         SCRY_MAX_VIEWS);
    if (w->max_side < 0 || w->quality < 0 || w->quality > 100)
        return scry_fail(err, SCRY_EINVALID, "a JPEG of side %d and quality %d is not supported", w->max_side,
                         w->quality);
    if (w->kind == SCRY_DECODE_RGB && (w->max_side < 1 || w->max_side > SCRY_DECODE_MAX_RGB_SIDE))
        return scry_fail(err, SCRY_EINVALID, "pixels of side %d are not supported (1 to %d)", w->max_side, SCRY_DECODE_MAX_RGB_SIDE);
    if (g->x < 0 || g->y < 0 || g->w < 0 || g->h < 0 || (g->w == 0) != (g->h == 0))
        return scry_fail(err, SCRY_EINVALID, "the region %d,%d,%d,%d is not valid", g->x, g->y, g->w,
                         g->h);
    if (scry_wire_pixel_bytes(w) > r->output_bytes)
        return scry_fail(err, SCRY_EINVALID, "the pixels do not fit the memory for them");
    return w->kind == SCRY_DECODE_LINE ? check_line(r, err) : 0;
}

/* Whether views of any shape say one that they can have. */
static bool shapes_are_sound(const scry_wire_request *request, const uint8_t *view)
{
    const scry_image_spec *spec = &request->what.spec;
    size_t size = (size_t)spec->size;
    scry_view_shape shape;
    if (!spec_is_sound(spec) || scry_wire_pixel_bytes(&request->what) > request->output_bytes)
        return false;
    for (int i = 0; i < spec->views; i++, view += 3 * size * size)
        if (spec->fit[i] == SCRY_FIT_PATCHES && !scry_view_get_shape(view, size, &shape))
            return false;
    return true;
}

/* Whether the fields of a reply are in range: a compromised worker may send anything. */
static bool result_is_sound(const scry_wire_reply *r, const scry_wire_request *request, const uint8_t *output)
{
    const scry_decode_result *s = &r->result;
    if (s->width < 1 || s->height < 1 || s->orientation < 1 || s->orientation > 8)
        return false;
    if (!scry_metadata_is_sound(&s->metadata))
        return false;
    int most = request->what.max_side;
    if (request->what.kind == SCRY_DECODE_RGB)
        return s->rgb_width >= 1 && s->rgb_width <= most && s->rgb_height >= 1 && s->rgb_height <= most;
    if (request->what.kind == SCRY_DECODE_VIEWS)
        return shapes_are_sound(request, output);
    if (request->what.kind == SCRY_DECODE_LINE && !(s->confidence >= 0 && s->confidence <= 1))
        return false;
    return r->encoded_bytes > 0 && r->encoded_bytes <= request->output_bytes;
}

/* Whether the output is bytes, whose number the reply says. */
static bool is_encoded(scry_decode_kind kind)
{
    return kind == SCRY_DECODE_JPEG || kind == SCRY_DECODE_LINE;
}

int scry_wire_take_reply(const void *bytes, size_t n, const scry_wire_request *request,
                         const uint8_t *output, scry_decode_result *out, scry_error *err)
{
    scry_wire_reply reply;
    if (n != sizeof reply)
        return scry_fail(err, SCRY_EREMOTE, "the decoder sent a reply of %zu bytes", n);
    memcpy(&reply, bytes, sizeof reply);
    if (reply.magic != SCRY_WIRE_MAGIC || reply.serial != request->serial
        || reply.code > 0 || reply.code <= SCRY_EREMOTE
        || !memchr(reply.message, '\0', sizeof reply.message))
        return scry_fail(err, SCRY_EREMOTE, "the decoder sent an invalid reply");
    if (reply.code < 0) {
        for (char *c = reply.message; *c; c++)
            if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
                *c = '?';
        return scry_fail(err, reply.code, "%s", reply.message);
    }
    if (!result_is_sound(&reply, request, output))
        return scry_fail(err, SCRY_EREMOTE, "the decoder sent a result with values out of range");
    *out = reply.result;
    out->format = (scry_format)request->format;
    bool encoded = is_encoded(request->what.kind);
    out->pixels = encoded ? NULL : output;
    out->encoded = encoded ? output : NULL;
    out->encoded_bytes = encoded ? (size_t)reply.encoded_bytes : 0;
    return 0;
}
