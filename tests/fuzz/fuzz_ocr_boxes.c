/* From probabilities to boxes, and the crops of these: each byte is a probability, the first two are the map's width and the
 * size of the picture in which the boxes are. */
#include "ocr/pixels.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void crop(const scry_ocr_image *from, const scry_ocr_box *box)
{
    scry_ocr_image to;
    bool turned;
    scry_ocr_crop_size(box, &to.height, &to.width, &turned);
    if (to.height > 2 * from->width + 2 * from->height || to.width > 2 * from->width + 2 * from->height)
        abort();
    to.rgb = malloc(to.height * to.width * 3);
    scry_ocr_crop(from, box, &to, turned);
    scry_ocr_turn_over(&to);
    free(to.rgb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static scry_ocr_box boxes[SCRY_OCR_MAX_BOXES];
    size_t count = 0;
    if (size < 3)
        return 0;
    size_t width = data[0] % 64 + 1, height = (size - 2) / width, side = data[1] + 1u;
    if (height == 0)
        return 0;
    float *map = malloc(height * width * sizeof *map);
    for (size_t i = 0; i < height * width; i++)
        map[i] = (float)data[2 + i] / 255;
    scry_ocr_box_source s = { map, height, width, side, 2 * side };
    if (scry_ocr_find_boxes(&s, boxes, &count, NULL) < 0 || count > SCRY_OCR_MAX_BOXES)
        abort();
    scry_ocr_image picture = { calloc(side * 2 * side, 3), side, 2 * side };
    for (size_t i = 0; i < count; i++) {
        for (int c = 0; c < 4; c++)
            if (!(boxes[i].x[c] >= 0 && boxes[i].x[c] < (float)(2 * side) && boxes[i].y[c] >= 0 && boxes[i].y[c] < (float)side))
                abort();
        crop(&picture, &boxes[i]);
    }
    free(picture.rgb);
    free(map);
    return 0;
}
