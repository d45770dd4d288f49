#include "model/tok_bpe.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT_WORD = 64, MAX_SLOT_BITS = 24, MAX_MERGE_BYTES = 1024 };
#define NO_RANK UINT32_MAX
#define RANK_MASK 0xFFFFFFU

static const char final_mark[] = "</w>";
enum { FINAL_MARK_BYTES = sizeof final_mark - 1 };

/* ---- loading ---- */

/* GPT-2's table: bytes that print stand for themselves, the others for U+0100 on. */
void scry_bpe_alphabet(uint16_t rune_of_byte[256])
{
    uint16_t next = 256;
    for (int b = 0; b < 256; b++) {
        bool prints = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
        rune_of_byte[b] = prints ? (uint16_t)b : next++;
    }
}

static void find_bytes(scry_bpe *b, const scry_pieces *pieces)
{
    uint16_t rune_of_byte[256];
    scry_bpe_alphabet(rune_of_byte);
    for (int byte = 0; byte < 256; byte++) {
        char text[4 + FINAL_MARK_BYTES];
        size_t n = scry_utf8_put(text, rune_of_byte[byte]);
        memcpy(text + n, final_mark, FINAL_MARK_BYTES);
        b->plain[byte] = scry_pieces_find_id(pieces, text, n);
        b->final[byte] = scry_pieces_find_id(pieces, text, n + FINAL_MARK_BYTES);
    }
}

int scry_bpe_init(scry_bpe *b, const scry_pieces *pieces, size_t merges, scry_error *err)
{
    memset(b, 0, sizeof *b);
    b->unknown = -1;
    find_bytes(b, pieces);
    for (b->slot_bits = 4; (size_t)1 << b->slot_bits < merges * 2;)
        if (++b->slot_bits > MAX_SLOT_BITS)
            return scry_fail(err, SCRY_ELIMIT, "the vocabulary has too many merges (%zu)", merges);
    b->capacity = merges;
    b->merges = scry_try_alloc(merges + 1, sizeof *b->merges);
    b->slots = scry_try_alloc((size_t)1 << b->slot_bits, sizeof *b->slots);
    if (!b->merges || !b->slots)
        return scry_fail(err, SCRY_ENOMEM, "no memory for %zu merges", merges);
    return 0;
}

void scry_bpe_dispose(scry_bpe *b)
{
    free(b->merges);
    free(b->slots);
    b->merges = NULL;
    b->slots = NULL;
}

static uint64_t hash_pair(int32_t left, int32_t right)
{
    uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    return (pair ^ pair >> 29) * UINT64_C(0x9E3779B97F4A7C15);
}

/* The slot of this pair's rank, or the empty one where it would go. */
static uint32_t *find_slot(const scry_bpe *b, int32_t left, int32_t right)
{
    uint64_t mixed = hash_pair(left, right);
    uint32_t tag = (uint32_t)(mixed >> 8) & ~RANK_MASK, mask = (1U << b->slot_bits) - 1;
    uint32_t slot = (uint32_t)(mixed >> (64 - b->slot_bits));
    for (;; slot = (slot + 1) & mask) {
        uint32_t entry = b->slots[slot];
        if (entry == 0)
            return &b->slots[slot];
        const scry_bpe_merge *m = &b->merges[(entry & RANK_MASK) - 1];
        if ((entry & ~RANK_MASK) == tag && m->left == left && m->right == right)
            return &b->slots[slot];
    }
}

static uint32_t rank_of(const scry_bpe *b, int32_t left, int32_t right)
{
    uint32_t entry = *find_slot(b, left, right);
    return entry ? (entry & RANK_MASK) - 1 : NO_RANK;
}

/* The byte that a code point of the alphabet stands for; -1 for any other. */
static int byte_of_rune(uint32_t rune)
{
    if (rune < 256)
        return (int)rune;
    int n = (int)rune - 256;   /* 0..32 are bytes 0..32, then 127..160, then 173 */
    return n <= 32 ? n : n <= 66 ? n + 94 : n == 67 ? 173 : -1;
}

static int first_byte(scry_slice s)
{
    uint32_t rune;
    scry_utf8_next(s.at, s.n, &rune);
    return byte_of_rune(rune);
}

static int last_byte(scry_slice s)
{
    size_t at = s.n - 1;
    uint32_t rune;
    while (at > 0 && ((unsigned char)s.at[at] & 0xC0) == 0x80)
        at--;
    scry_utf8_next(s.at + at, s.n - at, &rune);
    return byte_of_rune(rune);
}

/* The place of left and right joined. Most vocabularies list the joined pieces in the
 * order of their merges, so the place behind the last one is tried first. */
static int32_t find_joined(const scry_bpe *b, const scry_pieces *pieces, scry_slice left, scry_slice right)
{
    char joined[MAX_MERGE_BYTES];
    size_t next = (size_t)b->last_place + 1, n = 0;
    const char *text = next < pieces->n ? scry_pieces_text(pieces, next, &n) : NULL;
    if (text && n == left.n + right.n && memcmp(text, left.at, left.n) == 0 &&
        memcmp(text + left.n, right.at, right.n) == 0)
        return (int32_t)next;
    if (left.n + right.n > sizeof joined)
        return -1;
    memcpy(joined, left.at, left.n);
    memcpy(joined + left.n, right.at, right.n);
    return scry_pieces_find(pieces, joined, left.n + right.n);
}

int scry_bpe_add(scry_bpe *b, const scry_pieces *pieces, scry_slice left, scry_slice right,
                 const char *path, scry_error *err)
{
    int32_t whole = left.n && right.n ? find_joined(b, pieces, left, right) : -1;
    int32_t l = whole < 0 ? -1 : scry_pieces_find_id(pieces, left.at, left.n);
    int32_t r = whole < 0 ? -1 : scry_pieces_find_id(pieces, right.at, right.n);
    if (l < 0 || r < 0)
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: merge %zu joins what the vocabulary lacks",
                         path, b->n + 1);
    if (b->n == b->capacity)
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: more merges than pieces", path);
    int end = last_byte(left), begin = first_byte(right);
    if (end < 0 || begin < 0)
        return scry_fail(err, SCRY_EINVALID, "%s: merge %zu is not of byte characters: byte-level "
                         "vocabularies alone are supported", path, b->n + 1);
    b->joins[end][begin >> 3] |= (uint8_t)(1 << (begin & 7));
    b->last_place = whole;
    uint32_t *slot = find_slot(b, l, r);
    b->merges[b->n++] = (scry_bpe_merge){ l, r, scry_pieces_id(pieces, whole) };
    *slot = ((uint32_t)(hash_pair(l, r) >> 8) & ~RANK_MASK) | (uint32_t)b->n;
    return 0;
}

/* ---- encoding ---- */

/* Bytes to their pieces; returns how many, unknown ones left out where so told. */
static size_t start_ids(const scry_bpe *b, const char *bytes, size_t n, bool ends_word, int32_t *ids)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t *table = i + 1 == n && ends_word ? b->final : b->plain;
        int32_t id = table[(unsigned char)bytes[i]];
        if (id < 0)
            id = b->unknown;
        if (id >= 0)
            ids[count++] = id;
    }
    return count;
}

static void merge_short(const scry_bpe *b, int32_t *ids, size_t n, scry_ids *out)
{
    uint32_t ranks[SHORT_WORD];
    for (size_t i = 0; i + 1 < n; i++)
        ranks[i] = rank_of(b, ids[i], ids[i + 1]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (ranks[i] < ranks[best])
                best = i;
        if (ranks[best] == NO_RANK)
            break;
        ids[best] = b->merges[ranks[best]].id;
        n--;
        memmove(ids + best + 1, ids + best + 2, (n - best - 1) * sizeof *ids);
        memmove(ranks + best, ranks + best + 1, (n - best - 1) * sizeof *ranks);
        if (best > 0)
            ranks[best - 1] = rank_of(b, ids[best - 1], ids[best]);
        if (best + 1 < n)
            ranks[best] = rank_of(b, ids[best], ids[best + 1]);
    }
    for (size_t i = 0; i < n && scry_ids_push(out, ids[i]); i++)
        ;
}

/* A long word: pieces in a list, candidate pairs in a heap of rank << 32 | place. A pair
 * that changed since it was put there is recognised by its rank and passed over. */
typedef struct long_word {
    const scry_bpe *bpe;
    int32_t *ids;          /* -1 = joined to its left neighbour */
    uint32_t *next, *prev; /* places; n = none */
    uint64_t *heap;
    size_t n, heap_n;
} long_word;

static void sift_down(uint64_t *heap, size_t n, size_t at)
{
    uint64_t value = heap[at];
    for (size_t child; (child = at * 2 + 1) < n; at = child) {
        if (child + 1 < n && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= value)
            break;
        heap[at] = heap[child];
    }
    heap[at] = value;
}

static void heap_push(long_word *w, uint64_t value)
{
    size_t at = w->heap_n++;
    for (; at > 0 && w->heap[(at - 1) / 2] > value; at = (at - 1) / 2)
        w->heap[at] = w->heap[(at - 1) / 2];
    w->heap[at] = value;
}

static uint64_t candidate(const long_word *w, uint32_t place)
{
    uint32_t rank = w->next[place] < w->n ? rank_of(w->bpe, w->ids[place], w->ids[w->next[place]]) : NO_RANK;
    return (uint64_t)rank << 32 | place;
}

static void consider(long_word *w, uint32_t place)
{
    uint64_t pair = candidate(w, place);
    if (pair >> 32 != NO_RANK)
        heap_push(w, pair);
}

static void join(long_word *w, uint32_t place, uint32_t rank)
{
    uint32_t gone = w->next[place], after = w->next[gone];
    w->ids[place] = w->bpe->merges[rank].id;
    w->ids[gone] = -1;
    w->next[place] = after;
    if (after < w->n)
        w->prev[after] = place;
    if (w->prev[place] < w->n)
        consider(w, w->prev[place]);
    consider(w, place);
}

static void merge_long(long_word *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        w->next[i] = i + 1;
        w->prev[i] = i ? i - 1 : (uint32_t)w->n;
    }
    for (uint32_t i = 0; i < w->n; i++) {
        uint64_t pair = candidate(w, i);
        if (pair >> 32 != NO_RANK)
            w->heap[w->heap_n++] = pair;
    }
    for (size_t i = w->heap_n / 2; i-- > 0;)
        sift_down(w->heap, w->heap_n, i);
    while (w->heap_n > 0) {
        uint64_t top = w->heap[0];
        uint32_t place = (uint32_t)top;
        w->heap[0] = w->heap[--w->heap_n];
        if (w->heap_n)
            sift_down(w->heap, w->heap_n, 0);
        if (w->ids[place] >= 0 && candidate(w, place) == top)
            join(w, place, (uint32_t)(top >> 32));
    }
}

static int long_part(const scry_bpe *b, const char *bytes, size_t n, bool ends_word, scry_ids *out,
                     scry_error *err)
{
    /* Every join takes one candidate off the heap and adds at most two: 2 n are enough. */
    long_word w = { .bpe = b };
    int32_t *ids = scry_try_alloc(n, sizeof *ids);
    uint32_t *links = scry_try_alloc(n, 2 * sizeof *links);
    uint64_t *heap = scry_try_alloc(n, 2 * sizeof *heap);
    int result = 0;
    if (!ids || !links || !heap || n >= UINT32_MAX) {
        result = scry_fail(err, SCRY_ENOMEM, "no memory for a word of %zu bytes", n);
        goto out;
    }
    w.ids = ids;
    w.n = start_ids(b, bytes, n, ends_word, ids);
    w.next = links;
    w.prev = links + n;
    w.heap = heap;
    merge_long(&w);
    for (size_t i = 0; i < w.n; i = w.next[i])
        if (!scry_ids_push(out, ids[i]))
            break;
out:
    free(ids);
    free(links);
    free(heap);
    return result;
}

int scry_bpe_word(const scry_bpe *b, const char *bytes, size_t n, scry_ids *out, scry_error *err)
{
    /* No piece spans two bytes that no merge joins: a word falls apart between them, and
     * a page-long one need not be merged whole to know its first pieces. */
    for (size_t start = 0, end; start < n && !out->cut; start = end) {
        int32_t ids[SHORT_WORD];
        for (end = start + 1; end < n; end++) {
            unsigned char a = (unsigned char)bytes[end - 1], c = (unsigned char)bytes[end];
            if (!(b->joins[a][c >> 3] >> (c & 7) & 1))
                break;
        }
        if (end - start > SHORT_WORD) {
            int result = long_part(b, bytes + start, end - start, end == n, out, err);
            if (result < 0)
                return result;
            continue;
        }
        merge_short(b, ids, start_ids(b, bytes + start, end - start, end == n, ids), out);
    }
    return 0;
}
