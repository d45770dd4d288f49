#include "decoder/jpeg_write.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

typedef struct encoder {
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf jump;
    bool full;
    uint8_t *out;
    size_t capacity;
} encoder;

static void stop(j_common_ptr c)
{
    longjmp(((encoder *)c)->jump, 1);
}

static void quiet(j_common_ptr c)
{
}

static void start_output(j_compress_ptr c)
{
    encoder *e = (encoder *)c;
    e->destination.next_output_byte = e->out;
    e->destination.free_in_buffer = e->capacity;
}

static boolean output_is_full(j_compress_ptr c)
{
    encoder *e = (encoder *)c;
    e->full = true;
    stop((j_common_ptr)c);
    return FALSE;
}

static void end_output(j_compress_ptr c)
{
}

static void compress(encoder *e, const scry_pixels *p, int quality)
{
    jpeg_create_compress(&e->c);
    e->destination = (struct jpeg_destination_mgr){
        .init_destination = start_output, .empty_output_buffer = output_is_full,
        .term_destination = end_output,
    };
    e->c.dest = &e->destination;
    e->c.image_width = (JDIMENSION)p->width;
    e->c.image_height = (JDIMENSION)p->height;
    e->c.input_components = 3;
    e->c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&e->c);
    jpeg_set_quality(&e->c, quality ? quality : SCRY_JPEG_DEFAULT_QUALITY, TRUE);
    jpeg_start_compress(&e->c, TRUE);
    while (e->c.next_scanline < e->c.image_height) {
        JSAMPROW row = (JSAMPROW)(p->data + (size_t)e->c.next_scanline * p->stride);
        jpeg_write_scanlines(&e->c, &row, 1);
    }
    jpeg_finish_compress(&e->c);
}

int scry_jpeg_write(const scry_pixels *p, int quality, uint8_t *out, size_t capacity,
                    size_t *bytes, scry_error *err)
{
    encoder e = { .out = out, .capacity = capacity };
    e.c.err = jpeg_std_error(&e.errors);
    e.errors.error_exit = stop;
    e.errors.output_message = quiet;
    int rc = 0;
    if (setjmp(e.jump) == 0) {
        compress(&e, p, quality);
        *bytes = capacity - e.destination.free_in_buffer;
    } else if (e.full) {
        rc = scry_fail(err, SCRY_ELIMIT, "as a JPEG larger than %zu MiB", capacity >> 20);
    } else {
        rc = scry_fail(err, SCRY_ENOMEM, "no memory to write a JPEG of %d x %d pixels", p->width,
                       p->height);
    }
    jpeg_destroy_compress(&e.c);
    return rc;
}
