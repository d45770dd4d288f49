/* What src/ocr reads in pictures, for tools/parity/ocr_parity.py and bench: `ocr_dump FOLDER THREADS f32|once|bf16|look
 * [FILE.ppm ...]`, once: f32, and no line is read both ways; look: f32 with a first look at a small copy;
 * the files' names from stdin where there are none. Prints for each `FILE TAB milliseconds of processor time TAB lines`, and
 * each line as `x0 y0 .. x3 y3 TAB confidence TAB text`, in pixels. */
#include "base/file.h"
#include "ocr/networks.h"
#include "ocr/ocr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Processor time of all threads: what a busy machine does not change much. */
static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A binary PPM without comments. */
static int parse(const scry_buf *file, scry_rgb *out)
{
    int begin = 0;
    if (sscanf(scry_buf_str(file), "P6 %d %d 255%n", &out->width, &out->height, &begin) != 2 || begin == 0
        || file->size - (size_t)begin - 1 != 3 * (size_t)out->width * (size_t)out->height)
        return -1;
    out->data = (const uint8_t *)file->data + begin + 1;
    out->stride = 0;
    return 0;
}

static int read_one(scry_ocr *o, const char *path)
{
    scry_buf file = SCRY_BUF_INIT((size_t)1 << 30);
    scry_error err = SCRY_ERROR_INIT;
    scry_ocr_page page = { NULL, 0 };
    scry_rgb picture;
    int rc = scry_read_file(path, &file, &err);
    if (rc == 0 && parse(&file, &picture) < 0)
        rc = scry_fail(&err, SCRY_EINVALID, "not a PPM");
    double from = now_ms();
    if (rc == 0)
        rc = scry_ocr_read(o, &picture, &page, &err);
    if (rc < 0)
        fprintf(stderr, "%s: %s\n", path, err.message);
    else
        printf("%s\t%.2f\t%zu\n", path, now_ms() - from, page.count);
    for (size_t i = 0; i < page.count; i++) {
        for (int k = 0; k < 8; k++)
            printf("%s%.1f", k ? " " : "", (double)page.lines[i].corner[k] * (k % 2 ? picture.height : picture.width));
        printf("\t%.4f\t%s\n", (double)page.lines[i].confidence, page.lines[i].text);
    }
    fflush(stdout);
    scry_ocr_page_free(&page);
    scry_buf_dispose(&file);
    return rc;
}

int main(int argc, char **argv)
{
    scry_ocr *o;
    scry_error err = SCRY_ERROR_INIT;
    char line[4096];
    int failed = 0;
    if (argc < 4) {
        fprintf(stderr, "usage: ocr_dump FOLDER THREADS f32|once|bf16|look [FILE.ppm ...]\n");
        return 2;
    }
    if (scry_ocr_open_in(&o, argv[1], atoi(argv[2]), strcmp(argv[3], "bf16") == 0 ? SCRY_MODE_BF16 : SCRY_MODE_F32, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    scry_ocr_look_first(o, strcmp(argv[3], "look") == 0);
    scry_ocr_read_once(o, strcmp(argv[3], "once") == 0);
    for (int i = 4; i < argc; i++)
        failed |= read_one(o, argv[i]) < 0;
    while (argc == 4 && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        failed |= read_one(o, line) < 0;
    }
    scry_ocr_close(o);
    return failed;
}
