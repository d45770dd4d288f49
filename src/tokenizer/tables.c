#include "tokenizer/tables.h"

#include "base/alloc.h"
#include "base/cache.h"
#include "base/sha256.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { REACHES = 1 << 16, ALIGNMENT = 32 };

static const char version[16] = "scry tokenizer1";   /* to be raised with every change of the tables */

enum {
    OFFSETS = SCRY_TOKFILE_PARTS, IDS, SCORES, BYTES, PIECE_SLOTS, MERGES, MERGE_SLOTS, BPE_BYTES, PAIRS, REACH, SECTIONS
};

/* The file: this, then the sections, each at a multiple of ALIGNMENT. In the byte order of the machine. */
typedef struct {
    char version[16];
    uint64_t sum;                       /* of all that follows it */
    scry_tables_stamp stamp;
    uint8_t digest[SCRY_SHA256_BYTES];  /* of tokenizer.json */
    uint64_t pieces, merges;
    uint32_t max_n, max_id, piece_bits, merge_bits;
    struct { uint64_t at, bytes; } section[SECTIONS];
} header;

/* What scry_bpe has of fixed size. */
typedef struct {
    int32_t plain[256], final[256];
    uint8_t joins[256][32];
} bpe_bytes;

/* Damage is to be found here, not intent: four lanes, each of a multiplication a word. */
static uint64_t sum_of(const uint8_t *bytes, size_t n)
{
    uint64_t lane[4] = { 1, 2, 3, 4 }, word;
    for (size_t i = 0; i + sizeof word <= n; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        lane[i / sizeof word % 4] = (lane[i / sizeof word % 4] ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    }
    return lane[0] ^ (lane[1] >> 7) ^ (lane[2] >> 13) ^ (lane[3] >> 29);
}

static uint64_t sum_of_file(const uint8_t *file, size_t n)
{
    size_t from = offsetof(header, stamp);
    return sum_of(file + from, n - from);
}

void scry_tables_seal(uint8_t *file, size_t n)
{
    uint64_t sum = sum_of_file(file, n);
    memcpy(file + offsetof(header, sum), &sum, sizeof sum);
}

scry_tables_stamp scry_tables_look(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return (scry_tables_stamp){ 0 };
    return (scry_tables_stamp){ (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec,
                                (uint64_t)st.st_ino, (uint64_t)st.st_dev };
}

/* ---- checks: whatever the file holds, using it stays within bounds ---- */

/* Slots hold 0 or an entry's number and 1. */
static bool slots_are_valid(const scry_slots *s, size_t entries)
{
    uint32_t mask = (UINT32_C(1) << s->bits) - 1, most = 0;
    for (size_t i = 0; i < (size_t)1 << s->bits; i++) {
        uint32_t number = s->at[i] & mask;
        most = number > most ? number : most;
    }
    return most <= entries;
}

static bool ids_are_valid(const int32_t *ids, size_t n, int32_t least, int32_t most)
{
    bool valid = true;
    for (size_t i = 0; i < n; i++)
        valid &= ids[i] >= least && ids[i] <= most;
    return valid;
}

static bool pieces_are_valid(const scry_pieces *p)
{
    bool valid = p->offsets[0] == 0 && p->offsets[p->n] <= p->bytes_capacity;
    for (size_t i = 0; i < p->n; i++)
        valid &= p->offsets[i] <= p->offsets[i + 1] && p->offsets[i + 1] - p->offsets[i] <= p->max_n;
    for (size_t i = 0; p->scores && i < p->n; i++)
        valid &= (bool)isfinite(p->scores[i]);
    return valid && (!p->ids || ids_are_valid(p->ids, p->n, 0, p->max_id)) && slots_are_valid(&p->slots, p->n);
}

static bool bpe_is_valid(const scry_bpe *b, int32_t max_id)
{
    return ids_are_valid((const int32_t *)b->merges, b->n * (sizeof *b->merges / sizeof(int32_t)), 0, max_id)
        && ids_are_valid(b->plain, 256, -1, max_id) && ids_are_valid(b->final, 256, -1, max_id)
        && slots_are_valid(&b->slots, b->n);
}

/* ---- reading ---- */

/* Section `i`, which must have `bytes`; NULL when it has others. */
static void *section(const scry_map *map, const header *h, int i, size_t bytes)
{
    size_t at = h->section[i].at;
    bool there = h->section[i].bytes == bytes && at % ALIGNMENT == 0 && at >= sizeof *h && at <= map->size
              && bytes <= map->size - at;
    return there ? (void *)(map->data + at) : NULL;   /* of a read-only mapping: nobody writes to tables once made */
}

static bool bits_are_valid(uint32_t bits, size_t entries)
{
    return bits >= 6 && bits < 31 && entries <= (size_t)1 << (bits - 1);
}

static bool adopt_pieces(scry_pieces *p, const scry_map *map, const header *h)
{
    size_t n = h->pieces;
    if (n == 0 || n > SCRY_PIECES_MAX || h->max_id > SCRY_PIECES_MAX_ID || !bits_are_valid(h->piece_bits, n))
        return false;
    *p = (scry_pieces){
        .n = n, .capacity = n, .max_n = h->max_n, .max_id = (int32_t)h->max_id, .borrowed = true,
        .offsets = section(map, h, OFFSETS, (n + 1) * sizeof *p->offsets),
        .ids = section(map, h, IDS, n * sizeof *p->ids), .scores = section(map, h, SCORES, n * sizeof *p->scores),
        .bytes = section(map, h, BYTES, h->section[BYTES].bytes), .bytes_capacity = h->section[BYTES].bytes,
        .slots = { section(map, h, PIECE_SLOTS, sizeof(uint32_t) << h->piece_bits), h->piece_bits }
    };
    return p->offsets && p->bytes && p->slots.at && (p->ids || h->section[IDS].bytes == 0)
        && (p->scores || h->section[SCORES].bytes == 0) && (p->ids || h->max_id == n - 1) && pieces_are_valid(p);
}

static bool adopt_merges(scry_bpe *b, const scry_map *map, const header *h)
{
    const bpe_bytes *small = section(map, h, BPE_BYTES, sizeof *small);
    if (!small || h->merges > SCRY_PIECES_MAX || !bits_are_valid(h->merge_bits, h->merges))
        return false;
    *b = (scry_bpe){
        .n = h->merges, .capacity = h->merges, .unknown = -1, .borrowed = true,
        .merges = section(map, h, MERGES, h->merges * sizeof *b->merges),
        .slots = { section(map, h, MERGE_SLOTS, sizeof(uint32_t) << h->merge_bits), h->merge_bits },
        .pairs = section(map, h, PAIRS, SCRY_BPE_PAIR_BITS / 8)
    };
    memcpy(b->plain, small->plain, sizeof b->plain);
    memcpy(b->final, small->final, sizeof b->final);
    memcpy(b->joins, small->joins, sizeof b->joins);
    return b->merges && b->slots.at && (b->pairs || h->section[PAIRS].bytes == 0) && bpe_is_valid(b, (int32_t)h->max_id);
}

static bool adopt(scry_tables *t, const header *h)
{
    for (int i = 0; i < SCRY_TOKFILE_PARTS; i++) {
        t->part[i] = (scry_slice){ section(&t->map, h, i, h->section[i].bytes), h->section[i].bytes };
        if (!t->part[i].at)
            return false;
    }
    t->has_merges = h->section[BPE_BYTES].bytes > 0;
    t->reach = section(&t->map, h, REACH, REACHES * sizeof *t->reach);
    return adopt_pieces(&t->pieces, &t->map, h) && (!t->has_merges || adopt_merges(&t->bpe, &t->map, h))
        && (t->reach || h->section[REACH].bytes == 0);
}

static bool same_digest(const char *path, const uint8_t *digest)
{
    scry_map json;
    uint8_t now[SCRY_SHA256_BYTES];
    if (scry_map_open(&json, path, NULL) < 0)
        return false;
    scry_sha256_of(json.data, json.size, now);
    scry_map_close(&json);
    return memcmp(now, digest, sizeof now) == 0;
}

/* The same tables for a tokenizer.json that was touched or copied. */
static void restamp(const scry_map *map, const char *cached, const scry_tables_stamp *stamp)
{
    uint8_t *copy = scry_try_alloc(map->size, 1);
    if (!copy)
        return;
    memcpy(copy, map->data, map->size);
    ((header *)copy)->stamp = *stamp;
    scry_tables_seal(copy, map->size);
    (void)!scry_write_file(cached, copy, map->size, NULL);
    free(copy);
}

bool scry_tables_load(scry_tables *t, const char *path)
{
    *t = (scry_tables){ .has_merges = false };
    scry_tables_stamp stamp = scry_tables_look(path);
    char *cached = scry_cache_path("tokenizers", path, false);
    bool good = cached && scry_map_open(&t->map, cached, NULL) == 0;
    const header *h = (const header *)t->map.data;
    good = good && t->map.size >= sizeof *h && memcmp(h->version, version, sizeof version) == 0;
    bool same = good && memcmp(&h->stamp, &stamp, sizeof stamp) == 0;
    good = good && (same || (h->stamp.size == stamp.size && same_digest(path, h->digest)))
        && h->sum == sum_of_file(t->map.data, t->map.size) && adopt(t, h);
    if (good && !same)
        restamp(&t->map, cached, &stamp);
    if (!good)
        scry_tables_close(t);
    free(cached);
    return good;
}

void scry_tables_close(scry_tables *t)
{
    scry_map_close(&t->map);
}

/* ---- writing ---- */

static void describe(const scry_tables *t, const bpe_bytes *small, header *h, const void *data[SECTIONS])
{
    const scry_pieces *p = &t->pieces;
    const scry_bpe *b = &t->bpe;
    h->pieces = p->n;
    h->max_n = (uint32_t)p->max_n;
    h->max_id = (uint32_t)p->max_id;
    h->piece_bits = p->slots.bits;
    const struct { const void *at; size_t bytes; } all[SECTIONS] = {
        [OFFSETS] = { p->offsets, (p->n + 1) * sizeof *p->offsets }, [IDS] = { p->ids, p->n * sizeof *p->ids },
        [SCORES] = { p->scores, p->n * sizeof *p->scores }, [BYTES] = { p->bytes, p->offsets[p->n] },
        [PIECE_SLOTS] = { p->slots.at, sizeof(uint32_t) << p->slots.bits },
        [MERGES] = { b->merges, b->n * sizeof *b->merges }, [MERGE_SLOTS] = { b->slots.at, sizeof(uint32_t) << b->slots.bits },
        [BPE_BYTES] = { t->has_merges ? small : NULL, sizeof *small }, [PAIRS] = { b->pairs, SCRY_BPE_PAIR_BITS / 8 },
        [REACH] = { t->reach, REACHES * sizeof *t->reach }
    };
    h->merges = t->has_merges ? b->n : 0;
    h->merge_bits = t->has_merges ? b->slots.bits : 0;
    size_t at = sizeof *h;
    for (int i = 0; i < SECTIONS; i++) {
        data[i] = i < SCRY_TOKFILE_PARTS ? t->part[i].at : all[i].at;
        size_t bytes = i < SCRY_TOKFILE_PARTS ? t->part[i].n : all[i].bytes;
        at = (at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        h->section[i].at = at;
        h->section[i].bytes = data[i] ? bytes : 0;
        at += h->section[i].bytes;
    }
}

void scry_tables_save(const scry_tables *t, const char *path, scry_slice json, const scry_tables_stamp *stamp)
{
    const void *data[SECTIONS];
    header h = { .stamp = *stamp };
    bpe_bytes small;
    memcpy(small.plain, t->bpe.plain, sizeof small.plain);
    memcpy(small.final, t->bpe.final, sizeof small.final);
    memcpy(small.joins, t->bpe.joins, sizeof small.joins);
    memcpy(h.version, version, sizeof version);
    describe(t, &small, &h, data);
    size_t size = (h.section[SECTIONS - 1].at + h.section[SECTIONS - 1].bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    char *cached = scry_cache_path("tokenizers", path, true);
    uint8_t *file = cached ? scry_try_alloc(size, 1) : NULL;
    if (file) {
        scry_sha256_of(json.at, json.n, h.digest);
        memcpy(file, &h, sizeof h);
        for (int i = 0; i < SECTIONS; i++)
            if (h.section[i].bytes)
                memcpy(file + h.section[i].at, data[i], h.section[i].bytes);
        scry_tables_seal(file, size);
        (void)!scry_write_file(cached, file, size, NULL);
    }
    free(file);
    free(cached);
}
