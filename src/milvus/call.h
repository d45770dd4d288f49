/* call.h - one call of a client: connection, repetition, status. Inside src/milvus only. */
#ifndef SCRY_MILVUS_CALL_H
#define SCRY_MILVUS_CALL_H

#include "milvus/conn.h"
#include "milvus/milvus.h"
#include "milvus/milvus.pb-c.h"

struct scry_milvus {
    scry_milvus_options options;     /* strings below, not the caller's */
    char *where;                     /* "host:port" */
    char *authorization, *ca_file;
    scry_conn *conn;                 /* NULL while not connected */
    scry_buf request;                /* framed message being sent, prefix included */
    scry_h2_reply reply;
    uint64_t random;
    int code;                        /* scry_milvus_code */
    scry_milvus_counters counters;
    char version[64];
    uint64_t last_write;
    char *schema_of;                 /* collection that schema_timestamp is of, or NULL */
    uint64_t schema_timestamp;
};

typedef enum {
    SCRY_CALL_REPEATABLE,   /* doing it twice is as good as once */
    SCRY_CALL_ONCE          /* only sent again when the server did nothing */
} scry_call_kind;

/* Call `rpc` and decode its answer as `type`, whose field 1 is a Status, or which is one.
 * Returns 0 only when that Status is a success; *out (may be NULL) is then the caller's,
 * to be released with scry_call_free. */
int scry_call(scry_milvus *m, const char *rpc, const ProtobufCMessage *request, scry_call_kind kind,
              const ProtobufCMessageDescriptor *type, ProtobufCMessage **out, scry_error *err) SCRY_NODISCARD;

/* The same for calls that answer a bare Status and may be repeated. */
int scry_call_status(scry_milvus *m, const char *rpc, const ProtobufCMessage *request, scry_error *err) SCRY_NODISCARD;

void scry_call_free(ProtobufCMessage *answer);   /* NULL does nothing */

/* The database of the client as messages want it: never NULL. */
char *scry_call_database(scry_milvus *m);

#endif
