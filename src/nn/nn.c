#include "nn/nn.h"

#include "base/alloc.h"
#include "base/pool.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Operations are microseconds apart: threads spin this often before they yield the processor
 * (about 20 us; sleeping and waking costs 50). */
enum { SPINS = 2000 };

struct scry_team {
    const scry_kernels *kernels;
    scry_pool *pool;           /* NULL for one thread */
    int count;
    atomic_int waiting;        /* arrivals at the barrier */
    atomic_uint turn;          /* barriers passed */
    scry_scratch *scratch;     /* [count] */
    scry_nn_fn *fn;
    void *arg;
    void *const *args;         /* in separate runs: one for each thread */
};

static size_t padded(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Divide one allocation into the arrays of a scratch; sizes are multiples of 64. */
static int scratch_init(scry_scratch *s, const scry_scratch_need *need)
{
    size_t k = padded(need->max_k, 64), tokens = padded(need->max_tokens, SCRY_PANEL);
    size_t head = padded(need->max_head, SCRY_PANEL);
    const size_t l2_part = 384 << 10;   /* A's block and two panels stay in the L2 cache */
    s->a_bytes = SCRY_TILE1_ROWS * k * 4 > l2_part ? SCRY_TILE1_ROWS * k * 4 : l2_part;
    const size_t sizes[] = {
        s->a_bytes, 2 * k * SCRY_PANEL_GROUP_BYTES, SCRY_STAGING_BYTES,
        SCRY_MAX_BLOCK_ROWS * sizeof(float), SCRY_MAX_BLOCK_ROWS * sizeof(int32_t),
        8 * 2 * SCRY_PANEL * sizeof(float), tokens * head * sizeof(float),
        tokens * head * sizeof(float), SCRY_SCORE_ROWS * tokens * sizeof(float),
        tokens * sizeof(size_t)
    };
    enum { PIECES = sizeof sizes / sizeof *sizes };
    size_t total = 0;
    for (int i = 0; i < PIECES; i++)
        if (!scry_add_size(total, padded(sizes[i], 64), &total))
            return -1;
    uint8_t *at = s->memory = scry_try_alloc_aligned(total, 1);
    if (!at)
        return -1;
    void **const pieces[] = {
        (void **)&s->a, (void **)&s->panels, (void **)&s->staging, (void **)&s->row_scale,
        (void **)&s->row_zero, (void **)&s->acc, (void **)&s->keys, (void **)&s->values,
        (void **)&s->scores, (void **)&s->rows
    };
    for (int i = 0; i < PIECES; i++) {
        *pieces[i] = at;
        at += padded(sizes[i], 64);
    }
    return 0;
}

int scry_team_new(scry_team **out, const scry_kernels *k, int threads,
                  const scry_scratch_need *need, scry_error *err)
{
    scry_team *team = scry_alloc(sizeof *team);
    team->kernels = k;
    team->count = threads > 0 ? threads : scry_cpu_count();
    if (team->count > 1) {
        team->pool = scry_pool_new(team->count);
        team->count = scry_pool_threads(team->pool);
    }
    team->scratch = scry_alloc((size_t)team->count * sizeof *team->scratch);
    for (int i = 0; i < team->count; i++) {
        if (scratch_init(&team->scratch[i], need) < 0) {
            scry_team_free(team);
            return scry_fail(err, SCRY_ENOMEM, "not enough memory to run this model");
        }
    }
    *out = team;
    return 0;
}

int scry_team_threads(const scry_team *team)
{
    return team->count;
}

void scry_team_free(scry_team *team)
{
    if (!team)
        return;
    scry_pool_free(team->pool);
    for (int i = 0; team->scratch && i < team->count; i++)
        free(team->scratch[i].memory);
    free(team->scratch);
    free(team);
}

static void together(void *arg, int index, int count)
{
    scry_team *team = arg;
    scry_nn t = { team->kernels, index, count, team, &team->scratch[index] };
    team->fn(&t, team->arg);
}

static void apart(void *arg, int index, int count)
{
    scry_team *team = arg;
    scry_nn t = { team->kernels, 0, 1, NULL, &team->scratch[index] };
    team->fn(&t, team->args[index]);
}

void scry_team_run(scry_team *team, scry_nn_fn *fn, void *arg)
{
    team->fn = fn;
    team->arg = arg;
    atomic_store(&team->waiting, 0);
    scry_pool_run(team->pool, together, team);
}

void scry_team_run_apart(scry_team *team, scry_nn_fn *fn, void *const *args)
{
    team->fn = fn;
    team->args = args;
    scry_pool_run(team->pool, apart, team);
}

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void scry_nn_wait(scry_nn *t)
{
    if (t->count == 1)
        return;
    scry_team *team = t->team;
    unsigned turn = atomic_load_explicit(&team->turn, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->waiting, 1, memory_order_acq_rel) == t->count - 1) {
        atomic_store_explicit(&team->waiting, 0, memory_order_relaxed);
        atomic_store_explicit(&team->turn, turn + 1, memory_order_release);
        return;
    }
    for (int spins = 0; atomic_load_explicit(&team->turn, memory_order_acquire) == turn; spins++) {
        if (spins < SPINS)
            pause_briefly();
        else
            sched_yield();   /* fewer processors than threads, or a busy machine */
    }
}
