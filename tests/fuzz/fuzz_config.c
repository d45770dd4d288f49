/* Any JSON as each of the configurations: refused, or within its limits. The first byte
 * chooses which. */
#include "model/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scry_json *json;
    if (size < 1 || scry_json_parse(&json, (const char *)data + 1, size - 1, "fuzz", NULL) < 0)
        return 0;
    scry_config *c = calloc(1, sizeof *c);
    int r = -1;
    if (c && data[0] % 3 == 0)
        r = scry_config_parse_hf(c, json, "fuzz", NULL);
    else if (c && data[0] % 3 == 1)
        r = scry_config_parse_open_clip(c, json, "fuzz", NULL);
    else if (c)
        r = scry_config_parse_preprocessor(c, json, "fuzz", NULL);
    if (r == 0 && data[0] % 3 != 2 && c->family != SCRY_FAMILY_DUAL
        && (c->clip.image.width % c->clip.image.heads != 0 || c->clip.image.layers > SCRY_MAX_LAYERS))
        abort();
    if (r == 0 && data[0] % 3 != 0
        && (c->preprocess.spec.size < 1 || c->preprocess.spec.size > SCRY_MAX_IMAGE_SIZE))
        abort();
    free(c);
    scry_json_free(json);
    return 0;
}
