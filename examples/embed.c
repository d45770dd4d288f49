/* embed.c - how well texts describe a picture that is in memory, through libscry.
 *
 *     cc embed.c -o embed $(pkg-config --cflags --libs scry) -lm
 *     ./embed photo.jpg "a dog" "a cat"
 *
 * Prints the cosine of each text with the picture, as its file's bytes, and with a frame of pixels.
 */
#include <scry/embed.h>
#include <scry/model.h>
#include <scry/registry.h>

#include <stdio.h>
#include <stdlib.h>

/* All of a file; NULL where it cannot be read. */
static unsigned char *read_file(const char *path, size_t *size)
{
    enum { MOST = 64 << 20 };
    FILE *f = fopen(path, "rb");
    unsigned char *bytes = malloc(MOST);
    if (!f || !bytes) {
        free(bytes);
        return NULL;
    }
    *size = fread(bytes, 1, MOST, f);
    fclose(f);
    return bytes;
}

/* A frame as a camera or a video gives it: rows of RGB bytes with a gap after each. Red above, blue below. */
static scry_rgb make_frame(unsigned char *pixels, int width, int height, int stride)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            unsigned char *p = pixels + y * stride + 3 * x;
            p[0] = y < height / 2 ? 200 : 0;
            p[1] = 0;
            p[2] = y < height / 2 ? 0 : 200;
        }
    return (scry_rgb){ pixels, width, height, stride };
}

static double cosine(const float *a, const float *b, int dim)
{
    double sum = 0;
    for (int d = 0; d < dim; d++)
        sum += (double)a[d] * b[d];
    return sum;
}

/* Rows: the picture, the frame, the texts. */
static int embed(const scry_model *model, const scry_encoded *picture, const char *const *texts, size_t n, float *rows,
                 scry_error *err)
{
    enum { WIDTH = 320, HEIGHT = 200, STRIDE = 3 * WIDTH + 64 };
    static unsigned char pixels[HEIGHT * STRIDE];
    int dim = scry_model_get_info(model)->dim;
    scry_rgb frame = make_frame(pixels, WIDTH, HEIGHT, STRIDE);
    int r = scry_embed_memory(model, picture, 1, NULL, rows, err);
    if (r == 0)
        r = scry_embed_rgb(model, &frame, 1, NULL, rows + dim, err);
    return r < 0 ? r : scry_embed_lines(model, texts, n, NULL, rows + 2 * dim, NULL, err);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s PICTURE TEXT...\n", argv[0]);
        return 2;
    }
    scry_error err = SCRY_ERROR_INIT;
    scry_model *model = NULL;
    char *dir = NULL;
    float *rows = NULL;
    size_t size = 0, texts = (size_t)argc - 2;
    unsigned char *bytes = read_file(argv[1], &size);
    scry_encoded picture = { bytes, size };

    int r = bytes ? 0 : scry_fail(&err, SCRY_EIO, "cannot read %s", argv[1]);
    if (r == 0)
        r = scry_model_resolve(getenv("SCRY_MODEL"), &dir, &err);
    if (r == 0)
        r = scry_model_open(&model, dir, NULL, &err);
    if (r == 0) {
        int dim = scry_model_get_info(model)->dim;
        rows = calloc((texts + 2) * (size_t)dim, sizeof *rows);
        r = rows ? embed(model, &picture, (const char *const *)argv + 2, texts, rows, &err) : SCRY_ENOMEM;
        for (size_t i = 0; r == 0 && i < texts; i++) {
            const float *text = rows + (i + 2) * (size_t)dim;
            printf("%.3f  %.3f  %s\n", cosine(rows, text, dim), cosine(rows + dim, text, dim), argv[i + 2]);
        }
    }
    free(rows);
    scry_model_free(model);
    free(dir);
    free(bytes);
    if (r < 0)
        fprintf(stderr, "%s\n", err.message);
    return r < 0 ? 2 : 0;
}
