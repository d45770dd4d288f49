/* call.h - one call of a client: connection, retries, status. Inside src/milvus only. */
#ifndef SCRY_MILVUS_CALL_H
#define SCRY_MILVUS_CALL_H

#include "milvus/conn.h"
#include "milvus/milvus.h"
#include "milvus/milvus.pb-c.h"

struct scry_milvus {
    scry_milvus_options options;     /* its strings are those below */
    char *where;                     /* "host:port" */
    char *authorization, *ca_file, *cert_file, *key_file;
    bool has_user;                   /* authorization is a user's; else a token's, or none */
    scry_conn *conn;                 /* NULL while not connected */
    scry_buf request;                /* framed message being sent, prefix included */
    scry_h2_reply reply;
    uint64_t random;
    double started_ms;               /* of the call */
    bool waited;                     /* it took so long that the caller was asked whether to stop */
    double stop_ms;                  /* when the caller wanted to stop; 0: it does not */
    int code;                        /* scry_milvus_code */
    scry_milvus_counters counters;
    char version[64], identifier[24];   /* of the server; this client's, which the server gave */
    uint64_t last_write;
    char *schema_of;                 /* collection that schema_timestamp belongs to, or NULL */
    uint64_t schema_timestamp;
};

/* Call `rpc` and decode its answer as `type`, whose field 1 is a Status, or which is one. Every call of this client may be
 * carried out twice without harm, so a lost one is sent again until the deadline. Returns 0 only when the Status is a
 * success; *out (may be NULL) is then the caller's, to be released with scry_call_free. */
int scry_call(scry_milvus *m, const char *rpc, const ProtobufCMessage *request, const ProtobufCMessageDescriptor *type,
              ProtobufCMessage **out, scry_error *err) SCRY_NODISCARD;

/* The same for calls that answer a bare Status. */
int scry_call_status(scry_milvus *m, const char *rpc, const ProtobufCMessage *request, scry_error *err) SCRY_NODISCARD;

void scry_call_free(ProtobufCMessage *answer);   /* NULL does nothing */

/* The client's database, as messages need it: never NULL. */
char *scry_call_database(scry_milvus *m);

/* A pair of strings as a message, which borrows both. */
Pb__KeyValue scry_call_pair(const char *key, const char *value);

#endif
