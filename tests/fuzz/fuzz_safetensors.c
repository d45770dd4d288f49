/* Any bytes as a safetensors file: it is refused, or every tensor in it can be read. */
#include "model/safetensors.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scry_tensors *ts;
    if (scry_tensors_parse(&ts, data, size, "fuzz", NULL) < 0)
        return 0;
    for (size_t i = 0; i < scry_tensors_count(ts); i++) {
        scry_tensor t;
        for (int rank = 0; rank <= SCRY_TENSOR_MAX_RANK; rank++) {
            static const size_t any[SCRY_TENSOR_MAX_RANK];
            if (scry_tensors_get(ts, scry_tensors_name(ts, i), rank, any, &t, NULL) < 0)
                continue;
            float *out = malloc((scry_tensor_count(&t) + 1) * sizeof *out);
            if (out)
                scry_tensor_floats(&t, out);
            free(out);
        }
    }
    if (scry_tensors_check(ts, NULL, NULL) == 0)
        (void)scry_tensors_main_dtype(ts);
    scry_tensors_free(ts);
    return 0;
}
