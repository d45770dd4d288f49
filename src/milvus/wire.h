/* wire.h - gRPC's framing of messages: a flag byte, the length, the message.
 *
 * Answers are not trusted: the memory that decoding one may use is bounded by a budget, since a message of a few
 * bytes can decode to many times its size in empty sub-messages.
 * Pure functions; any thread.
 */
#ifndef SCRY_MILVUS_WIRE_H
#define SCRY_MILVUS_WIRE_H

#include "base/buf.h"
#include "scry/error.h"

#include <protobuf-c/protobuf-c.h>

enum { SCRY_WIRE_PREFIX = 5 };

enum { SCRY_WIRE_FLOAT16_VECTOR = 102 };   /* as data_type and as type of placeholders */
enum { SCRY_WIRE_TEXT = 21 };              /* as type of placeholders */
enum { SCRY_WIRE_BM25 = 1 };               /* as type of functions */

/* `out` becomes the framed message. SCRY_ELIMIT when it exceeds out->limit. */
int scry_wire_pack(scry_buf *out, const ProtobufCMessage *message, scry_error *err) SCRY_NODISCARD;

/* The one message in a body of `n` bytes, decoded with at most `budget` bytes of memory; released with scry_wire_free. */
int scry_wire_unpack(ProtobufCMessage **out, const ProtobufCMessageDescriptor *type, const void *body, size_t n,
                     size_t budget, scry_error *err) SCRY_NODISCARD;

void scry_wire_free(ProtobufCMessage *message);    /* NULL does nothing */

/* base64 of "user:password", or of the token when there is no user; "" without either.
 * Milvus expects no "Bearer" before it. Owned by the caller. */
char *scry_wire_authorization(const char *user, const char *password, const char *token);

#endif
