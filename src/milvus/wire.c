#include "milvus/wire.h"

#include "base/alloc.h"
#include "base/byte_order.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int scry_wire_pack(scry_buf *out, const ProtobufCMessage *message, scry_error *err)
{
    scry_buf_clear(out);
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *at = size < UINT32_MAX ? scry_buf_extend(out, SCRY_WIRE_PREFIX + size) : NULL;
    if (!at)
        return scry_fail(err, SCRY_ELIMIT, "a message of %zu bytes is too large for Milvus: at most %zu", size, out->limit);
    at[0] = 0;  /* not compressed */
    scry_write_big_endian(at + 1, SCRY_WIRE_PREFIX - 1, size);
    protobuf_c_message_pack(message, at + SCRY_WIRE_PREFIX);
    return 0;
}

/* ---- the memory of an answer ----
 *
 * A message is decoded into many small pieces, which are released together: they are cut from chunks, which form a ring, so that
 * all of them are found from any piece. Large pieces have a chunk of their own, which is released when protobuf-c is done with it
 * (its lists of members).
 *
 *     chunk | piece: its chunk, bytes | piece: its chunk, bytes | ...
 */

typedef struct chunk {
    struct chunk *next, *previous;
    char *at, *end;              /* free bytes; NULL: it is one piece */
} chunk;

typedef struct arena {
    chunk ring;                  /* its head, which is no chunk */
    chunk *current;              /* that pieces are cut from; NULL: none yet */
    size_t chunk_bytes;
    size_t left;                 /* of the budget */
} arena;

typedef union piece {
    chunk *of;
    double aligned;              /* as what follows it */
} piece;

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1      /* clang's */
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
enum { CHUNK_LEAST = 1, CHUNK_MOST = 1 };   /* every piece by itself, so that its end is watched */
#else
enum { CHUNK_LEAST = 4 << 10, CHUNK_MOST = 256 << 10 };
#endif

static chunk *new_chunk(arena *a, size_t bytes)
{
    chunk *c = malloc(sizeof *c + bytes);
    if (!c)
        return NULL;
    *c = (chunk){ &a->ring, a->ring.previous, NULL, NULL };
    c->previous->next = c->next->previous = c;
    return c;
}

static void *piece_alloc(void *arg, size_t size)
{
    arena *a = arg;
    size_t cost = size + 2 * sizeof(piece);   /* many tiny ones are limited as well */
    if (cost < size || cost > a->left)
        return NULL;
    a->left -= cost;
    cost = sizeof(piece) + (size + sizeof(piece) - 1) / sizeof(piece) * sizeof(piece);
    bool alone = cost > a->chunk_bytes / 8;
    chunk *c = alone ? NULL : a->current;
    if (!c || (size_t)(c->end - c->at) < cost) {
        c = new_chunk(a, alone ? cost : a->chunk_bytes);
        if (!c)
            return NULL;
        if (!alone) {
            c->at = (char *)(c + 1);
            c->end = c->at + a->chunk_bytes;
            a->current = c;
        }
    }
    piece *p = alone ? (piece *)(c + 1) : (piece *)c->at;
    if (!alone)
        c->at += cost;
    p->of = c;
    return p + 1;
}

static void piece_free(void *arg, void *bytes)
{
    chunk *c = bytes ? ((piece *)bytes - 1)->of : NULL;
    if (!c || c->at)
        return;
    c->previous->next = c->next;
    c->next->previous = c->previous;
    free(c);
}

/* All chunks of a ring but `head`. */
static void free_ring(chunk *head)
{
    for (chunk *c = head->next, *next; c != head; c = next) {
        next = c->next;
        free(c);
    }
}

void scry_wire_free(ProtobufCMessage *message)
{
    chunk *c = message ? ((piece *)message - 1)->of : NULL;
    if (!c)
        return;
    free_ring(c);
    free(c);
}

int scry_wire_unpack(ProtobufCMessage **out, const ProtobufCMessageDescriptor *type, const void *body, size_t n,
                     size_t budget, scry_error *err)
{
    const uint8_t *b = body;
    if (n < SCRY_WIRE_PREFIX)
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered with %zu bytes, which is not a message", n);
    size_t size = scry_read_big_endian(b + 1, SCRY_WIRE_PREFIX - 1);
    if (b[0] != 0 || size != n - SCRY_WIRE_PREFIX)
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered with a damaged message (flag %d, length %zu of %zu)", b[0],
                         size, n - SCRY_WIRE_PREFIX);
    size_t bytes = size / sizeof(piece) * 2 * sizeof(piece);
    bytes = bytes < CHUNK_LEAST ? CHUNK_LEAST : bytes < CHUNK_MOST ? bytes : CHUNK_MOST;
    arena a = { { &a.ring, &a.ring, NULL, NULL }, NULL, bytes, budget };
    ProtobufCAllocator allocator = { piece_alloc, piece_free, &a };
    *out = protobuf_c_message_unpack(type, &allocator, size, b + SCRY_WIRE_PREFIX);
    if (!*out) {
        free_ring(&a.ring);
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered with %zu bytes that are not a %s", size, type->short_name);
    }
    a.ring.previous->next = a.ring.next;    /* the ring outlives its head */
    a.ring.next->previous = a.ring.previous;
    return 0;
}

char *scry_wire_authorization(const char *user, const char *password, const char *token)
{
    char *plain = user && user[0] ? scry_asprintf("%s:%s", user, password ? password : "")
                                  : scry_strdup(token ? token : "");
    size_t n = strlen(plain);
    char *out = scry_alloc(4 * ((n + 2) / 3) + 1);
    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)plain, (int)n);
    OPENSSL_cleanse(plain, n);
    free(plain);
    return out;
}
