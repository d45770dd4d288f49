/* safetensors.h - a checkpoint's tensors by name: `NAME.safetensors`, or several of them
 * through `NAME.safetensors.index.json`.
 *
 *     scry_tensors *ts;  scry_tensor w;
 *     scry_tensors_open(&ts, "model", "model.safetensors", &err);
 *     scry_tensors_get(ts, "visual.proj", 2, (size_t[]){ 768, 512 }, &w, &err);
 *
 * The files are mapped, not read. Opening checks everything that can be checked without reading
 * the numbers: that the header has the stated length, and that every tensor has a known dtype,
 * a shape that agrees with its number of bytes, and bytes inside the file that no other tensor
 * has. Immutable after opening; any number of threads.
 *
 * Layout: u64 header length, JSON header { name: { dtype, shape, data_offsets } }, bytes.
 * An int8 tensor `X` is accompanied by `X.scale`, one float for each of its rows.
 */
#ifndef SCRY_MODEL_SAFETENSORS_H
#define SCRY_MODEL_SAFETENSORS_H

#include "base/long_work.h"
#include "nn/tensor.h"
#include "scry/error.h"

typedef struct scry_tensors scry_tensors;

/* Open `dir`/`file`, or the shards that `dir`/`file`.index.json lists when there is one
 * and no `file`. What PyTorch's wrappers write before every name ("module.", "_orig_mod.") is left out. */
int scry_tensors_open(scry_tensors **out, const char *dir, const char *file, scry_error *err)
    SCRY_NODISCARD;

/* Another file of `dir`, in a folder of it, too, whose tensors have other names. After a failure `ts` can only
 * be freed. */
int scry_tensors_add(scry_tensors *ts, const char *dir, const char *file, scry_error *err) SCRY_NODISCARD;

/* The same for one file that is already in memory, which must outlive the tensors. */
int scry_tensors_parse(scry_tensors **out, const void *bytes, size_t n, const char *what,
                       scry_error *err) SCRY_NODISCARD;
void scry_tensors_free(scry_tensors *ts);

bool scry_tensors_has(const scry_tensors *ts, const char *name);

/* A view of tensor `name`, whose rank is known and whose shape must be `shape`; a 0 in
 * `shape` accepts any size there. Its dtype must be one of F32, F16, BF16, I8 (with its
 * `.scale`). The view is borrowed from `ts`. */
int scry_tensors_get(const scry_tensors *ts, const char *name, int rank, const size_t *shape,
                     scry_tensor *out, scry_error *err) SCRY_NODISCARD;

/* Release the memory of the mapped pages, which are read again from the file when accessed.
 * To be called when most tensors have been copied into another form. Any thread, any time. */
void scry_tensors_drop_pages(const scry_tensors *ts);

size_t scry_tensors_count(const scry_tensors *ts);
const char *scry_tensors_name(const scry_tensors *ts, size_t i);   /* in name order */

/* The dtype that most bytes have, for display: "F32". */
const char *scry_tensors_main_dtype(const scry_tensors *ts);

/* The files that were opened, relative to `dir`, in a fixed order. */
size_t scry_tensors_files(const scry_tensors *ts);
const char *scry_tensors_file(const scry_tensors *ts, size_t i);

/* How many bytes scry_tensors_check reads. */
uint64_t scry_tensors_check_bytes(const scry_tensors *ts);

/* Read every number once: SCRY_EINVALID naming the first tensor with NaN or infinity, or a file whose numbers are not
 * those of the digest in its metadata ("sha256", of all bytes behind the header), if it has one. Tensors that are
 * integers (position_ids) are passed over. `work` (may be NULL) advances by the bytes that are read. */
int scry_tensors_check(const scry_tensors *ts, scry_long_work *work, scry_error *err) SCRY_NODISCARD;

#endif
