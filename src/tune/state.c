#include "tune/state.h"

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char magic[] = "scry tune 1\n";

/* What comes before the floats. */
typedef struct {
    char magic[16];
    uint8_t key[SCRY_SHA256_BYTES];
    int64_t epoch, step, since, count;
    double best;
} head;

char *tune_state_path(const char *out)
{
    size_t n = strlen(out);
    while (n > 1 && out[n - 1] == '/')
        n--;
    return scry_asprintf("%.*s.state", (int)n, out);
}

uint64_t tune_state_bytes(size_t count)
{
    return sizeof(head) + 4 * (uint64_t)count * sizeof(float);
}

int tune_state_read(tune_state *s, const char *path, const uint8_t key[SCRY_SHA256_BYTES], scry_error *err)
{
    scry_map map;
    head h;
    if (access(path, F_OK) < 0)
        return SCRY_ENOTFOUND;
    int r = scry_map_open(&map, path, err);
    if (r < 0)
        return r;
    bool good = map.size == tune_state_bytes(s->count);
    if (good)
        memcpy(&h, map.data, sizeof h);
    good = good && memcmp(h.magic, magic, sizeof magic) == 0 && memcmp(h.key, key, sizeof h.key) == 0
        && h.count == (int64_t)s->count;
    if (good) {
        const uint8_t *at = (const uint8_t *)map.data + sizeof h;
        s->epoch = h.epoch;
        s->step = h.step;
        s->since = h.since;
        s->best = h.best;
        memcpy(s->parameters, at, s->count * sizeof(float));
        memcpy(s->chosen, at + s->count * sizeof(float), s->count * sizeof(float));
        memcpy(s->moments, at + 2 * s->count * sizeof(float), 2 * s->count * sizeof(float));
    }
    scry_map_close(&map);
    return good ? 0 : scry_fail(err, SCRY_EINVALID, "%s is of another training, of other pictures or settings: remove it, or choose another "
                                "--out", path);
}

static int write_floats(int fd, const tune_state *s)
{
    int r = scry_write_all(fd, s->parameters, s->count * sizeof(float));
    if (r == 0)
        r = scry_write_all(fd, s->chosen, s->count * sizeof(float));
    return r < 0 ? r : scry_write_all(fd, s->moments, 2 * s->count * sizeof(float));
}

int tune_state_write(const tune_state *s, const char *path, const uint8_t key[SCRY_SHA256_BYTES], scry_error *err)
{
    head h = { .epoch = s->epoch, .step = s->step, .since = s->since, .count = (int64_t)s->count, .best = s->best };
    char *temporary = scry_asprintf("%s.new", path);
    memcpy(h.magic, magic, sizeof magic);
    memcpy(h.key, key, sizeof h.key);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666), r = fd < 0 ? -1 : 0;
    if (r == 0)
        r = scry_write_all(fd, &h, sizeof h);
    if (r == 0)
        r = write_floats(fd, s);
    if (r == 0 && fsync(fd) < 0)
        r = -1;
    if (r == 0 && rename(temporary, path) < 0)
        r = -1;
    if (r < 0) {
        r = scry_fail_errno(err, errno, "cannot write %s", path);
        unlink(temporary);
    }
    if (fd >= 0)
        close(fd);
    free(temporary);
    return r;
}
