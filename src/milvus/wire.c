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

static void *budget_alloc(void *budget, size_t size)
{
    size_t *left = budget;
    /* malloc's overhead counts too, so that many tiny allocations are limited as well. */
    size_t cost = size + 2 * sizeof(void *);
    if (cost < size || cost > *left)
        return NULL;
    *left -= cost;
    return malloc(size ? size : 1);
}

static void budget_free(void *budget, void *p)
{
    free(p);
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
    ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };
    *out = protobuf_c_message_unpack(type, &allocator, size, b + SCRY_WIRE_PREFIX);
    if (!*out)
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered with %zu bytes that are not a %s", size, type->short_name);
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
