#include "tokenizer/bpe.h"

#include "tokenizer/tables.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT_WORD = 64, MAX_MERGES = 8 << 20, MAX_MERGE_BYTES = 1024 };
#define NO_RANK UINT32_MAX   /* -1, as scry_slots_number has it */

static const char final_mark[] = "</w>";
enum { FINAL_MARK_BYTES = sizeof final_mark - 1 };

/* ---- loading ---- */

/* GPT-2's table: printable bytes are their own code points, the others U+0100 and following. */
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

static int reserve_merges(scry_bpe *b, size_t merges, scry_error *err)
{
    b->unknown = -1;
    if (merges > MAX_MERGES)
        return scry_fail(err, SCRY_ELIMIT, "the vocabulary has too many merges (%zu)", merges);
    b->capacity = merges;
    b->merges = scry_try_alloc(merges + 1, sizeof *b->merges);
    if (!b->merges || !scry_slots_reserve(&b->slots, merges))
        return scry_fail(err, SCRY_ENOMEM, "no memory for %zu merges", merges);
    return 0;
}

int scry_bpe_init(scry_bpe *b, const scry_pieces *pieces, size_t merges, scry_error *err)
{
    memset(b, 0, sizeof *b);
    find_bytes(b, pieces);
    return reserve_merges(b, merges, err);
}

static int init_characters(scry_bpe *b, size_t merges, scry_error *err)
{
    memset(b, 0, sizeof *b);
    b->pairs = scry_try_alloc(SCRY_BPE_PAIR_BITS / 8, 1);
    if (!b->pairs)
        return scry_fail(err, SCRY_ENOMEM, "no memory for %zu merges", merges);
    return reserve_merges(b, merges, err);
}

void scry_bpe_dispose(scry_bpe *b)
{
    if (!b->borrowed) {
        free(b->pairs);
        free(b->merges);
        scry_slots_dispose(&b->slots);
    }
    b->merges = NULL;
}

static uint64_t hash_pair(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

static bool same_pair(const void *owner, size_t rank, const void *key, size_t n)
{
    const scry_bpe_merge *m = &((const scry_bpe *)owner)->merges[rank];
    const int32_t *pair = key;
    return m->left == pair[0] && m->right == pair[1];
}

/* The slot of this pair's rank, or the free one to insert it at; NULL as from scry_slots_find. */
static uint32_t *find_slot(const scry_bpe *b, int32_t left, int32_t right)
{
    int32_t pair[2] = { left, right };
    return scry_slots_find(&b->slots, hash_pair(left, right), same_pair, b, pair, sizeof pair);
}

/* NO_RANK for a pair without a merge. */
static uint32_t rank_of(const scry_bpe *b, int32_t left, int32_t right)
{
    return (uint32_t)scry_slots_number(&b->slots, find_slot(b, left, right));
}

/* The byte of a code point of the alphabet; -1 for any other. */
static int byte_of_rune(uint32_t rune)
{
    if (rune < 256)
        return (int)rune;
    int n = (int)rune - 256;   /* 0..32 are bytes 0..32, then 127..160, then 173 */
    return n <= 32 ? n : n <= 66 ? n + 94 : n == 67 ? 173 : -1;
}

static scry_slice first_character(scry_slice s)
{
    uint32_t rune;
    return (scry_slice){ s.at, scry_utf8_next(s.at, s.n, &rune) };
}

static scry_slice last_character(scry_slice s)
{
    size_t at = s.n - 1;
    while (at > 0 && ((unsigned char)s.at[at] & 0xC0) == 0x80)
        at--;
    return (scry_slice){ s.at + at, s.n - at };
}

static int byte_of_character(scry_slice s)
{
    uint32_t rune;
    scry_utf8_next(s.at, s.n, &rune);
    return byte_of_rune(rune);
}

/* Record that a merge joins the two bytes; false when it is of other characters. */
static bool note_bytes(scry_bpe *b, scry_slice left, scry_slice right)
{
    int end = byte_of_character(last_character(left)), begin = byte_of_character(first_character(right));
    if (end < 0 || begin < 0)
        return false;
    b->joins[end][begin >> 3] |= (uint8_t)(1 << (begin & 7));
    return true;
}

static size_t pair_bit(int32_t left, int32_t right)
{
    return (size_t)(scry_slots_mix(hash_pair(left, right)) >> 44);   /* of SCRY_BPE_PAIR_BITS */
}

/* Record that a merge joins the two characters. A character that is not a piece starts no merge. */
static void note_characters(scry_bpe *b, const scry_pieces *pieces, scry_slice left, scry_slice right)
{
    scry_slice end = last_character(left), begin = first_character(right);
    size_t bit = pair_bit(scry_pieces_find_id(pieces, end.at, end.n), scry_pieces_find_id(pieces, begin.at, begin.n));
    b->pairs[bit >> 3] |= (uint8_t)(1 << (bit & 7));
}

/* The index of the piece that left and right join to. Most vocabularies list the joined
 * pieces in the order of their merges, so the index after the last one is tried first. */
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
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: the vocabulary lacks the piece that merge %zu makes",
                         path, b->n + 1);
    if (b->n == b->capacity)
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: more merges than pieces", path);
    if (b->pairs)
        note_characters(b, pieces, left, right);
    else if (!note_bytes(b, left, right))
        return scry_fail(err, SCRY_EINVALID, "%s: merge %zu is not of byte characters", path, b->n + 1);
    b->last_place = whole;
    uint32_t *slot = find_slot(b, l, r);
    if (!slot)
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: too many merges with the same hash", path);
    scry_slots_set(&b->slots, slot, hash_pair(l, r), b->n);
    b->merges[b->n++] = (scry_bpe_merge){ l, r, scry_pieces_id(pieces, whole) };
    return 0;
}

static int add_json(scry_bpe *b, const scry_pieces *pieces, const scry_tokfile *f, scry_error *err)
{
    scry_cursor c = scry_cursor_make(f->merges.at, f->merges.n, f->path, err);
    scry_slice text, right;
    char left[512];
    scry_cursor_open(&c, '[');
    while (scry_cursor_item(&c)) {
        bool pair = scry_cursor_peek(&c) == '[';
        if (pair && (scry_cursor_open(&c, '[') < 0 || !scry_cursor_item(&c)))
            break;
        if (scry_cursor_string(&c, &text) < 0)
            break;
        const char *space = pair ? text.at + text.n : memchr(text.at, ' ', text.n);
        size_t left_n = space ? (size_t)(space - text.at) : sizeof left;
        if (left_n >= sizeof left) {
            scry_cursor_fail(&c, "a merge is not two pieces");
            break;
        }
        memcpy(left, text.at, left_n);
        if (!pair)
            right = (scry_slice){ space + 1, text.n - left_n - 1 };
        else if (!scry_cursor_item(&c) || scry_cursor_string(&c, &right) < 0)
            break;
        c.code = scry_bpe_add(b, pieces, (scry_slice){ left, left_n }, right, f->path, err);
        if (pair && scry_cursor_item(&c))
            scry_cursor_fail(&c, "a merge is not two pieces");
    }
    scry_cursor_dispose(&c);
    return c.code;
}

int scry_bpe_read(scry_bpe *b, const scry_pieces *pieces, scry_tokfile *f, bool characters, scry_error *err)
{
    if (f->tables) {
        *b = f->tables->bpe;
        return b->merges && !b->pairs == !characters
                   ? 0 : scry_fail(err, SCRY_EINVALID, "%s: the cached tables are of another kind", f->path);
    }
    /* No merge is shorter than "a b",\n */
    int result = characters ? init_characters(b, f->merges.n / 7 + 1, err) : scry_bpe_init(b, pieces, pieces->n, err);
    if (result == 0)
        result = add_json(b, pieces, f, err);
    if (result == 0)
        scry_tokfile_keep(f, pieces, b, NULL);
    return result;
}

/* ---- encoding ---- */

/* Bytes to their pieces; returns how many. Unknown bytes become the unknown piece, or are
 * left out where there is none. */
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

/* A long word: pieces in a linked list, candidate pairs in a heap of rank << 32 | position.
 * A pair that has changed since it was added no longer has that rank and is skipped. */
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

/* Merge `ids` [n] of any number. */
static int merge_ids(const scry_bpe *b, int32_t *ids, size_t n, scry_ids *out, scry_error *err)
{
    if (n <= SHORT_WORD) {
        merge_short(b, ids, n, out);
        return 0;
    }
    /* Each join removes one candidate from the heap and adds at most two, so 2 n are enough. */
    uint32_t *links = scry_try_alloc(n, 2 * sizeof *links);
    uint64_t *heap = scry_try_alloc(n, 2 * sizeof *heap);
    int result = 0;
    if (links && heap && n < UINT32_MAX) {
        long_word w = { .bpe = b, .ids = ids, .next = links, .prev = links + n, .heap = heap, .n = n };
        merge_long(&w);
        for (size_t i = 0; i < n && scry_ids_push(out, ids[i]); i = w.next[i])
            ;
    } else {
        result = scry_fail(err, SCRY_ENOMEM, "no memory for a word of %zu bytes", n);
    }
    free(links);
    free(heap);
    return result;
}

static int long_part(const scry_bpe *b, const char *bytes, size_t n, bool ends_word, scry_ids *out,
                     scry_error *err)
{
    int32_t *ids = scry_try_alloc(n, sizeof *ids);
    if (!ids)
        return scry_fail(err, SCRY_ENOMEM, "no memory for a word of %zu bytes", n);
    int result = merge_ids(b, ids, start_ids(b, bytes, n, ends_word, ids), out, err);
    free(ids);
    return result;
}

/* No piece spans two characters that no merge joins, so a text can be split between them,
 * and the first pieces of a long one are known before all of it is merged. */
int scry_bpe_merge_ids(const scry_bpe *b, int32_t *ids, size_t n, scry_ids *out, scry_error *err)
{
    int result = 0;
    for (size_t start = 0, end; start < n && !out->cut && result == 0; start = end) {
        for (end = start + 1; end < n; end++) {
            size_t bit = pair_bit(ids[end - 1], ids[end]);
            if (!(b->pairs[bit >> 3] >> (bit & 7) & 1))
                break;
        }
        result = merge_ids(b, ids + start, end - start, out, err);
    }
    return result;
}

int scry_bpe_word(const scry_bpe *b, const char *bytes, size_t n, scry_ids *out, scry_error *err)
{
    /* No piece spans two bytes that no merge joins, so a word can be split between them, and
     * the first pieces of a page-long one are known before all of it is merged. */
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
