#include "tune/publish.h"

#include "base/alloc.h"
#include "base/byte_order.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "engine/registry_record.h"
#include "tune/state.h"
#include "tune/tune.h"
#include "vector/vector.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { HEADER_BYTES = 100 << 20, NAME_BYTES = 256 };

/* ---- one file ---- */

/* Where a tensor's bytes are. */
typedef struct {
    char *path;      /* owned */
    uint64_t at, bytes;
} place;

static int read_header(scry_json **out, uint64_t *begin, const char *path, scry_error *err)
{
    scry_map map;
    int r = scry_map_open(&map, path, err);
    if (r < 0)
        return r;
    uint64_t n = map.size >= 8 ? scry_read_little_endian(map.data, 8) : 0;
    if (n == 0 || n > HEADER_BYTES || n > map.size - 8)
        r = scry_fail(err, SCRY_EINVALID, "%s is no safetensors file", path);
    else
        r = scry_json_parse(out, (const char *)map.data + 8, (size_t)n, path, err);
    *begin = 8 + n;
    scry_map_close(&map);
    return r;
}

/* The tensor `name` in the copy `folder` of a checkpoint; SCRY_ENOTFOUND without a message when it has none. */
static int find_tensor(place *out, const scry_checkpoint *c, const char *folder, const char *name, scry_error *err)
{
    int r = 0;
    *out = (place){ NULL, 0, 0 };
    for (size_t i = 0; i < scry_tensors_files(c->tensors) && r == 0 && !out->path; i++) {
        scry_json *header = NULL;
        uint64_t begin = 0;
        char *path = scry_path_join(folder, scry_tensors_file(c->tensors, i));
        size_t n = strlen(path);
        bool weights = n > 12 && strcmp(path + n - 12, ".safetensors") == 0;
        r = weights ? read_header(&header, &begin, path, err) : 0;
        const scry_json *offsets = scry_json_get(scry_json_get(header, name), "data_offsets");
        if (r == 0 && scry_json_size(offsets) == 2) {
            int64_t from = scry_json_int(scry_json_at(offsets, 0), -1), to = scry_json_int(scry_json_at(offsets, 1), -1);
            if (from >= 0 && to >= from)
                *out = (place){ scry_strdup(path), begin + (uint64_t)from, (uint64_t)(to - from) };
        }
        scry_json_free(header);
        free(path);
    }
    return r < 0 ? r : out->path ? 0 : SCRY_ENOTFOUND;
}

/* Bytes in place of those at `at` of a file that is there. */
static int patch(const char *path, uint64_t at, const void *bytes, size_t n, scry_error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;
    if (fd < 0)
        return scry_fail_errno(err, errno, "cannot open %s", path);
    for (size_t done = 0; r == 0 && done < n;) {
        ssize_t w = pwrite(fd, (const char *)bytes + done, n - done, (off_t)(at + done));
        if (w < 0 && errno != EINTR)
            r = scry_fail_errno(err, errno, "cannot write %s", path);
        done += w > 0 ? (size_t)w : 0;
    }
    if (r == 0 && fsync(fd) < 0)
        r = scry_fail_errno(err, errno, "cannot write %s", path);
    close(fd);
    return r;
}

static int overwrite(const scry_checkpoint *c, const char *folder, const char *name, const void *bytes, size_t n, scry_error *err)
{
    place p;
    int r = find_tensor(&p, c, folder, name, err);
    if (r < 0)
        return r == SCRY_ENOTFOUND ? scry_fail(err, SCRY_EINVALID, "%s has no tensor %s", folder, name) : r;
    r = p.bytes == n ? patch(p.path, p.at, bytes, n, err)
                     : scry_fail(err, SCRY_EINVALID, "%s: %s has not the size that it should have", p.path, name);
    free(p.path);
    return r;
}

/* ---- formats ---- */

/* Rows of int8 with a factor each. */
static int write_int8(const scry_checkpoint *c, const char *folder, const char *name, const scry_tensor *t, const float *values,
                      scry_error *err)
{
    size_t rows = t->shape[0], row = scry_tensor_row_size(t);
    int8_t *bytes = scry_alloc(rows * row);
    float *scale = scry_alloc(rows * sizeof *scale);
    char scale_name[NAME_BYTES + 8];
    for (size_t i = 0; i < rows; i++) {
        float most = 0;
        for (size_t k = 0; k < row; k++)
            most = fmaxf(most, fabsf(values[i * row + k]));
        scale[i] = most > 0 ? most / 127 : 1;
        for (size_t k = 0; k < row; k++)
            bytes[i * row + k] = (int8_t)lrintf(values[i * row + k] / scale[i]);
    }
    snprintf(scale_name, sizeof scale_name, "%s.scale", name);
    int r = overwrite(c, folder, name, bytes, rows * row, err);
    if (r == 0)
        r = overwrite(c, folder, scale_name, scale, rows * sizeof *scale, err);
    free(scale);
    free(bytes);
    return r;
}

int tune_write_values(const scry_checkpoint *c, const char *folder, const char *name, const scry_tensor *t, const float *values,
                        scry_error *err)
{
    size_t n = scry_tensor_count(t);
    if (t->dtype == SCRY_DTYPE_I8)
        return write_int8(c, folder, name, t, values, err);
    if (t->dtype == SCRY_DTYPE_F32)
        return overwrite(c, folder, name, values, n * sizeof *values, err);
    uint16_t *halves = scry_alloc(n * sizeof *halves);
    if (t->dtype == SCRY_DTYPE_F16)
        scry_half_from_float(halves, values, n);
    for (size_t i = 0; t->dtype != SCRY_DTYPE_F16 && i < n; i++)
        halves[i] = scry_to_bf16(values[i]);
    int r = overwrite(c, folder, name, halves, n * sizeof *halves, err);
    free(halves);
    return r;
}

/* ---- the folder ---- */

/* The digest of its numbers that a file's metadata has, after they changed. */
static int renew_digest(const char *path, scry_error *err)
{
    scry_json *header = NULL;
    uint64_t begin;
    int r = read_header(&header, &begin, path, err);
    char *old = scry_strdup(scry_json_str(scry_json_get(scry_json_get(header, "__metadata__"), "sha256"), ""));
    scry_json_free(header);
    scry_map map;
    if (r == 0 && strlen(old) == 2 * SCRY_SHA256_BYTES && (r = scry_map_open(&map, path, err)) == 0) {
        uint8_t digest[SCRY_SHA256_BYTES];
        char hex[2 * SCRY_SHA256_BYTES + 1];
        const uint8_t *at = memmem(map.data, begin, old, strlen(old));
        uint64_t offset = at ? (uint64_t)(at - (const uint8_t *)map.data) : 0;
        scry_sha256_of((const uint8_t *)map.data + begin, map.size - begin, digest);
        scry_hex(digest, sizeof digest, hex);
        scry_map_close(&map);
        r = offset ? patch(path, offset, hex, strlen(hex), err) : 0;
    }
    free(old);
    return r;
}

static int renew_digests(const scry_checkpoint *c, const char *folder, scry_error *err)
{
    int r = 0;
    for (size_t i = 0; i < scry_tensors_files(c->tensors) && r == 0; i++) {
        char *path = scry_path_join(folder, scry_tensors_file(c->tensors, i));
        r = renew_digest(path, err);
        free(path);
    }
    return r;
}

static int build(const scry_checkpoint *c, const tune_publishing *p, const char *folder, scry_error *err)
{
    char *path = scry_path_join(folder, SCRY_TUNE_RECORD);
    int r = scry_registry_copy_files(c->dir, folder, NULL, err);
    if (r == 0)
        r = p->write(p->arg, c, folder, err);
    if (r == 0 && !p->same_weights)
        r = renew_digests(c, folder, err);
    if (r == 0)
        r = scry_write_file(path, p->record, strlen(p->record), err);
    if (r == 0 && scry_sync_folder(folder) < 0)
        r = scry_fail_errno(err, errno, "cannot write %s", folder);
    free(path);
    return r;
}

/* What an earlier run made at `out` out of the way; *old is where it is, owned, or NULL. */
static int move_away(char **old, const char *out, scry_error *err)
{
    char *record = scry_path_join(out, SCRY_TUNE_RECORD);
    bool ours = access(record, F_OK) == 0;
    free(record);
    *old = NULL;
    if (!ours)
        return 0;
    *old = scry_asprintf("%s.old", out);
    return rename(out, *old) == 0 ? 0 : scry_fail_errno(err, errno, "cannot replace %s", out);
}

/* ---- before training ---- */

int tune_room(uint64_t *left, const char *dir, scry_error *err)
{
    struct statvfs fs;
    if (statvfs(dir, &fs) < 0)
        return scry_fail_errno(err, errno, "cannot use %s", dir);
    *left = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}

static int add_size(void *arg, const char *name, const struct stat *st)
{
    (void)name;
    *(uint64_t *)arg += (uint64_t)st->st_size;
    return 0;
}

int tune_check_out(const char *out, const scry_checkpoint *c, size_t count, scry_error *err)
{
    char *copy = scry_strdup(out), *dir = dirname(copy);
    uint64_t left = 0, need = count ? 2 * tune_state_bytes(count) : 0;
    int r = access(dir, W_OK | X_OK) == 0 ? 0 : scry_fail_errno(err, errno, "cannot create %s", out);
    if (r == 0)
        r = scry_registry_each_file(c->dir, add_size, &need, err);
    if (r == 0)
        r = tune_room(&left, dir, err);
    if (r == 0 && need > left)
        r = scry_fail(err, SCRY_ELIMIT, "the new model and the state of its training need %llu MB in %s, whose disk has %llu MB left: make room, "
                      "or put --out elsewhere", (unsigned long long)(need >> 20), dir, (unsigned long long)(left >> 20));
    free(copy);
    return r;
}

/* ---- all of it ---- */

int tune_publish(const scry_checkpoint *c, const tune_publishing *p, const char *out, scry_error *err)
{
    char *temporary = scry_asprintf("%s.XXXXXX", out), *old = NULL;
    int r = mkdtemp(temporary) ? 0 : scry_fail_errno(err, errno, "cannot create %s", temporary);
    if (r == 0) {
        r = build(c, p, temporary, err);
        if (r == 0 && p->replace)
            r = move_away(&old, out, err);
        if (r == 0)
            r = scry_registry_install(temporary, out, err);
        if (r < 0)
            (void)!scry_registry_delete_tree(temporary, NULL);
        if (old)
            (void)!scry_registry_delete_tree(old, NULL);
    }
    free(old);
    free(temporary);
    return r;
}
