#include "tune/inputs.h"

#include "base/alloc.h"
#include "tune/publish.h"
#include "vector/vector.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Largest magnitude of a half. */
#define MOST 65504.0f

typedef struct {
    uint64_t at;           /* in halves */
    uint32_t rows, read;
} item;

struct tune_inputs {
    int fd;
    size_t items, width;
    item *list;            /* [items] */
    atomic_uint_fast64_t end;   /* in halves */
    atomic_int error;      /* errno of the first failure */
    const uint16_t *map;
};

static int check_room(const char *dir, uint64_t bytes, scry_error *err)
{
    uint64_t left;
    int r = tune_room(&left, dir, err);
    return r < 0 || bytes <= left ? r : scry_fail(err, SCRY_ELIMIT, "training needs %llu MB for a time in %s, whose disk has %llu MB left: take "
                                                  "fewer pictures (--limit) or put --out elsewhere", (unsigned long long)(bytes >> 20), dir,
                                                  (unsigned long long)(left >> 20));
}

int tune_inputs_new(tune_inputs **out, const char *dir, size_t items, size_t rows, size_t width, scry_error *err)
{
    char *path = scry_asprintf("%s/scry-tune.XXXXXX", dir);
    int r = check_room(dir, (uint64_t)items * rows * width * sizeof(uint16_t), err);
    int fd = r == 0 ? mkostemp(path, O_CLOEXEC) : -1;
    if (r == 0 && fd < 0)
        r = scry_fail_errno(err, errno, "cannot create a file in %s", dir);
    if (r == 0) {
        unlink(path);
        *out = scry_alloc(sizeof **out);
        **out = (tune_inputs){ .fd = fd, .items = items, .width = width, .list = scry_alloc((items + 1) * sizeof(item)) };
    }
    free(path);
    return r;
}

void tune_inputs_free(tune_inputs *in)
{
    if (!in)
        return;
    if (in->map)
        munmap((void *)in->map, tune_inputs_bytes(in));
    close(in->fd);
    free(in->list);
    free(in);
}

static void write_all(tune_inputs *in, const uint16_t *halves, size_t n, uint64_t at)
{
    const char *from = (const char *)halves;
    for (size_t done = 0, bytes = n * sizeof *halves; done < bytes;) {
        ssize_t w = pwrite(in->fd, from + done, bytes - done, (off_t)(at * sizeof *halves + done));
        int none = 0, why = w == 0 ? ENOSPC : errno;
        if (w <= 0 && why != EINTR) {
            atomic_compare_exchange_strong(&in->error, &none, why);
            return;
        }
        done += w > 0 ? (size_t)w : 0;
    }
}

void tune_inputs_put(tune_inputs *in, size_t i, const float *x, size_t rows, size_t read)
{
    size_t n = rows * in->width;
    uint16_t *halves = scry_try_alloc(n, sizeof *halves);
    float *cut = scry_try_alloc(n, sizeof *cut);
    int none = 0;
    if (!halves || !cut) {
        atomic_compare_exchange_strong(&in->error, &none, ENOMEM);
    } else {
        for (size_t k = 0; k < n; k++)
            cut[k] = x[k] > MOST ? MOST : x[k] < -MOST ? -MOST : x[k];
        scry_half_from_float(halves, cut, n);
        in->list[i] = (item){ atomic_fetch_add(&in->end, n), (uint32_t)rows, (uint32_t)read };
        write_all(in, halves, n, in->list[i].at);
    }
    free(cut);
    free(halves);
}

int tune_inputs_finish(tune_inputs *in, scry_error *err)
{
    if (in->error)
        return scry_fail_errno(err, in->error, "cannot keep what the towers made of the pictures and texts");
    if (in->end == 0)
        return 0;
    void *map = mmap(NULL, tune_inputs_bytes(in), PROT_READ, MAP_SHARED, in->fd, 0);
    if (map == MAP_FAILED)
        return scry_fail_errno(err, errno, "cannot map a temporary file");
    in->map = map;
    return 0;
}

size_t tune_inputs_rows(const tune_inputs *in, size_t i)
{
    return in->list[i].rows;
}

size_t tune_inputs_read(const tune_inputs *in, size_t i)
{
    return in->list[i].read;
}

uint64_t tune_inputs_bytes(const tune_inputs *in)
{
    return in->end * sizeof(uint16_t);
}

void tune_inputs_get(const tune_inputs *in, size_t i, float *out)
{
    scry_half_to_float(out, in->map + in->list[i].at, in->list[i].rows * in->width);
}
