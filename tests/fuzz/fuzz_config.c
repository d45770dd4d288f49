/* Any JSON as each of the configurations: refused, or within its limits, and towers of these sizes can be looked for in a
 * checkpoint that has none of their tensors. The first byte chooses which. */
#include "model/config.h"
#include "model/tower.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sizes and names of both towers against a file without tensors: refused. */
static void look_for_towers(const scry_config *c)
{
    static const uint8_t empty[] = { 2, 0, 0, 0, 0, 0, 0, 0, '{', '}' };
    scry_tensors *tensors;
    scry_image_tower *image;
    scry_text_tower *text;
    if (scry_tensors_parse(&tensors, empty, sizeof empty, "fuzz", NULL) < 0)
        abort();
    scry_tower_source source = { c, tensors, SCRY_MODE_INT8, true };
    if ((c->image.new_tower && c->image.new_tower(&image, &source, NULL) == 0) || c->text.new_tower(&text, &source, NULL) == 0)
        abort();
    scry_tensors_free(tensors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scry_json *json;
    if (size < 1 || scry_json_parse(&json, (const char *)data + 1, size - 1, "fuzz", NULL) < 0)
        return 0;
    scry_config *c = calloc(1, sizeof *c);
    int r = -1, kind = data[0] % 4;
    static const scry_layout layouts[] = { SCRY_LAYOUT_HF, SCRY_LAYOUT_OPEN_CLIP, SCRY_LAYOUT_HF, SCRY_LAYOUT_SENTENCE };
    if (c && kind == 2)
        r = scry_config_parse_preprocessor(c, json, "fuzz", NULL);
    else if (c)
        r = scry_config_parse(c, layouts[kind], json, "fuzz", NULL);
    if (r == 0 && kind != 2
        && (!c->text.new_tower || c->text.stack.width % c->text.stack.heads != 0 || c->text.stack.layers > SCRY_MAX_LAYERS
            || c->text.context < 1 || c->text.context > SCRY_MAX_CONTEXT || c->image.size > SCRY_MAX_IMAGE_SIZE))
        abort();
    if (r == 0 && (kind == 1 || kind == 2)
        && (c->preprocess.spec.size < 1 || c->preprocess.spec.size > SCRY_MAX_IMAGE_SIZE))
        abort();
    if (r == 0 && kind != 2)
        look_for_towers(c);
    free(c);
    scry_json_free(json);
    return 0;
}
