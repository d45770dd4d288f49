/* milvus.h - a client of Milvus: gRPC over HTTP/2, unary calls, no threads of its own.
 *
 *     scry_milvus_options o = SCRY_MILVUS_OPTIONS_INIT;
 *     scry_milvus *m;
 *     scry_milvus_set_url(&o, "milvus://127.0.0.1:19530/photos", &err);
 *     scry_milvus_open(&m, &o, &err);
 *     scry_milvus_upsert(m, "pictures", &(scry_milvus_table){ columns, 3, rows, NULL }, &err);
 *     scry_milvus_search(m, "pictures", &search, &hits, &err);
 *     scry_milvus_free(m);
 *
 * Which calls are sent again: any, since each of them may be carried out twice without harm. After a lost connection,
 * UNAVAILABLE, a rate limit (code 8) and any status that the server calls retriable, a call is repeated until its
 * `patience_ms` (while the server loads: `work_ms`) are over, after waits of full jitter (a random part of 50 ms doubled each
 * time, at most 3 s). RESOURCE_EXHAUSTED is a rate limit unless its text speaks of a size or a quota. Quotas (9), sizes,
 * DEADLINE_EXCEEDED, INVALID_ARGUMENT and a refused password are final.
 *
 * Thread rule: a client is one connection and belongs to one thread at a time. No globals.
 */
#ifndef SCRY_MILVUS_H
#define SCRY_MILVUS_H

#include "base/buf.h"
#include "scry/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_milvus scry_milvus;

/* Limits of Milvus itself, and the largest batch that is sent. */
enum {
    SCRY_MILVUS_MAX_TOPK = 16384,        /* also nq, and offset + limit */
    SCRY_MILVUS_MAX_DIM = 32768,
    SCRY_MILVUS_MAX_VARCHAR = 65535,
    SCRY_MILVUS_BATCH_BYTES = 16 << 20
};

/* ---- open and free ---- */

typedef struct scry_milvus_options {
    char host[256];
    int port;
    bool tls;
    char database[256];          /* "": the default one */
    const char *user, *password; /* or */
    const char *token;           /* an API key */
    const char *ca_file;         /* PEM file of the certificate authorities to trust; NULL: the system's */
    const char *cert_file;       /* PEM file with the client's certificate for TLS; NULL: none */
    const char *key_file;        /* PEM file with its key; NULL: it is in cert_file */
    int connect_ms;              /* patience_ms of the first contact, in scry_milvus_open: nobody may be at that address */
    int patience_ms;             /* for one call, including its retries, to a server that is away or refuses for the moment */
    int work_ms;                 /* for one call to a server that is there and works on it, or loads; less: patience_ms */
    int keepalive_ms;            /* silence after which a PING is sent */
    int replicas;                /* of collections that are loaded; 0: one */
    const char *resource_group;  /* of query nodes, to load them on; NULL: the default one */
    size_t max_answer_bytes;
    /* Called about twice a second while a call waits, with the seconds that it has waited; true: the caller wants to stop, and this
     * and all further calls get STOP_MS. May be NULL. */
    bool (*stop)(void *arg, double waited_s);
    void *stop_arg;
    /* Set when a call gave up: until one succeeds, calls of all clients that share this get AGAIN_MS of patience and
     * AGAIN_WORK_MS to be worked on, so that there is one deadline for a command of many calls. May be NULL. */
    atomic_bool *gave_up;
} scry_milvus_options;

enum { SCRY_MILVUS_STOP_MS = 5000, SCRY_MILVUS_AGAIN_MS = 2000, SCRY_MILVUS_AGAIN_WORK_MS = 15000 };

#define SCRY_MILVUS_OPTIONS_INIT \
    { "", 19530, false, "", NULL, NULL, NULL, NULL, NULL, NULL, 5000, 30000, 0, 10000, 0, NULL, (size_t)256 << 20, NULL, NULL, NULL }

/* milvus://HOST[:PORT][/DATABASE], milvuss:// for TLS, https:// for TLS and port 443; [::1] in brackets. A user or
 * password in the URL is refused: other users can read command lines. Sets host, port, tls and database. */
int scry_milvus_set_url(scry_milvus_options *o, const char *url, scry_error *err) SCRY_NODISCARD;

/* Connect, tell the server who connects ("scry", version, user, name of this machine) and learn its version, so that a wrong
 * address, password or protocol fails here. */
int scry_milvus_open(scry_milvus **out, const scry_milvus_options *o, scry_error *err) SCRY_NODISCARD;
void scry_milvus_free(scry_milvus *m);

/* As the server gives it: "v2.3.5", "milvus_lite-3.2.2". Borrowed. */
const char *scry_milvus_version(const scry_milvus *m);
/* Whether that is a version from 2.4 on, which has FLOAT16_VECTOR; milvus-lite has not. */
bool scry_milvus_has_halves(const char *version);
/* Whether it is one from 2.5 on, which ranks texts by BM25; milvus-lite does from 3.0 on. */
bool scry_milvus_has_ranks(const char *version);
/* The analyzer of that server, as JSON, which cuts a text into its words at blanks and leaves these as they are, if they are of
 * letters in lower case or of digits. */
const char *scry_milvus_blank_analyzer(const char *version);

/* Milvus's own code of the last call's failure (Status.code), or minus the gRPC status;
 * 0 after a success or without an answer. The codes that callers act on are named. */
enum {
    SCRY_MILVUS_BAD_ARGUMENT = -3,
    SCRY_MILVUS_NOT_ALLOWED = -7,
    SCRY_MILVUS_UNIMPLEMENTED = -12,
    SCRY_MILVUS_RATE_LIMIT = 8,
    SCRY_MILVUS_NO_COLLECTION = 100,
    SCRY_MILVUS_NOT_LOADED = 101,
    SCRY_MILVUS_SCHEMA_CHANGED = 109,
    SCRY_MILVUS_NO_INDEX = 700,
    SCRY_MILVUS_NO_DATABASE = 800,
    SCRY_MILVUS_UNEXPECTED = 65535   /* every error without a code of its own */
};
int scry_milvus_code(const scry_milvus *m);
/* Whether the server refused the last call, rather than that it could not be asked, was busy or did not allow it. */
bool scry_milvus_was_refused(const scry_milvus *m);

typedef struct scry_milvus_counters {
    uint64_t calls, repeats, connections;
} scry_milvus_counters;
scry_milvus_counters scry_milvus_counts(const scry_milvus *m);

/* ---- databases and collections ---- */

typedef int scry_milvus_name_fn(void *arg, const char *name);   /* non-zero stops */

int scry_milvus_create_database(scry_milvus *m, const char *name, scry_error *err) SCRY_NODISCARD;
int scry_milvus_databases(scry_milvus *m, scry_milvus_name_fn *each, void *arg, scry_error *err) SCRY_NODISCARD;
int scry_milvus_collections(scry_milvus *m, scry_milvus_name_fn *each, void *arg, scry_error *err) SCRY_NODISCARD;
int scry_milvus_has_collection(scry_milvus *m, const char *name, bool *out, scry_error *err) SCRY_NODISCARD;

typedef enum {
    SCRY_MILVUS_BOOL = 1, SCRY_MILVUS_INT8 = 2, SCRY_MILVUS_INT16 = 3, SCRY_MILVUS_INT32 = 4, SCRY_MILVUS_INT64 = 5,
    SCRY_MILVUS_FLOAT = 10, SCRY_MILVUS_DOUBLE = 11, SCRY_MILVUS_VARCHAR = 21,
    SCRY_MILVUS_ARRAY = 22,      /* here always of VARCHAR */
    SCRY_MILVUS_JSON = 23,
    SCRY_MILVUS_FLOAT_VECTOR = 101   /* also Milvus's FLOAT16_VECTOR (102), which is told apart by `half` */
} scry_milvus_type;

/* SPARSE_FLOAT_VECTOR, a type of fields only: their values are neither sent nor read here. */
enum { SCRY_MILVUS_SPARSE_VECTOR = 104 };

typedef struct scry_milvus_field {
    const char *name;
    int type;                    /* scry_milvus_type, or a number this client does not know */
    bool primary, auto_id, optional;   /* optional: may_be_absent, or set by the server */
    bool may_be_absent;          /* it is nullable, or has a default */
    bool partition_key;
    int64_t dim;                 /* vectors */
    bool half;                   /* FLOAT_VECTOR: a FLOAT16_VECTOR, of Milvus 2.4 and later */
    int64_t max_length;          /* VARCHAR, and elements of ARRAY */
    int64_t max_capacity;        /* ARRAY */
    const char *analyzer;        /* VARCHAR to create: JSON of what cuts it into words for BM25; NULL: it is not cut */
    bool made;                   /* the server makes it of other fields: it is not sent */
} scry_milvus_field;

/* How the server makes the field `output`, a SPARSE_VECTOR, of `input`, a VARCHAR with an analyzer: by BM25. */
typedef struct scry_milvus_bm25 {
    const char *input, *output;
} scry_milvus_bm25;

typedef struct scry_milvus_property {
    const char *key, *value;
} scry_milvus_property;

/* A collection to create, or as described (then it owns everything it points to). */
typedef struct scry_milvus_schema {
    const char *description;
    const scry_milvus_field *fields;
    size_t field_count;
    const scry_milvus_property *properties;
    size_t property_count;
    int shards;                  /* 0: the server's choice */
    bool dynamic;
    scry_milvus_bm25 bm25;       /* to create; its input is NULL: none */
    const char *name;            /* as described: the collection's own name, where it was asked for by an alias */
    char *const *aliases;        /* [alias_count] as described; milvus-lite names none */
    size_t alias_count;
} scry_milvus_schema;

int scry_milvus_create_collection(scry_milvus *m, const char *name, const scry_milvus_schema *schema,
                                  scry_error *err) SCRY_NODISCARD;
int scry_milvus_describe(scry_milvus *m, const char *name, scry_milvus_schema **out, scry_error *err) SCRY_NODISCARD;
void scry_milvus_schema_free(scry_milvus_schema *s);     /* of described ones */
const scry_milvus_field *scry_milvus_find_field(const scry_milvus_schema *s, const char *name);     /* or NULL */
const char *scry_milvus_find_property(const scry_milvus_schema *s, const char *key);                /* or NULL */
int scry_milvus_set_property(scry_milvus *m, const char *name, const char *key, const char *value,
                             scry_error *err) SCRY_NODISCARD;
int scry_milvus_create_partition(scry_milvus *m, const char *name, const char *partition, scry_error *err) SCRY_NODISCARD;
int scry_milvus_drop(scry_milvus *m, const char *name, scry_error *err) SCRY_NODISCARD;
int scry_milvus_rename(scry_milvus *m, const char *name, const char *to, scry_error *err) SCRY_NODISCARD;
/* Aliases: other names of collections. One that is set again leads to the other collection from then on, at once. */
int scry_milvus_create_alias(scry_milvus *m, const char *alias, const char *name, scry_error *err) SCRY_NODISCARD;
int scry_milvus_set_alias(scry_milvus *m, const char *alias, const char *name, scry_error *err) SCRY_NODISCARD;
int scry_milvus_drop_alias(scry_milvus *m, const char *alias, scry_error *err) SCRY_NODISCARD;

/* ---- index, load, flush: background work of the server, waited for ---- */

/* Called several times a second while waiting; a non-zero return stops with SCRY_ECANCELLED. */
typedef int scry_milvus_progress_fn(void *arg, const char *stage, int percent);

typedef struct scry_milvus_wait {
    scry_milvus_progress_fn *progress;   /* NULL: silent */
    void *arg;
    int timeout_ms;
} scry_milvus_wait;

typedef struct scry_milvus_index {
    char name[256];
    char type[32], metric[16];   /* "HNSW", "COSINE"; "" when there is none */
    char params[512];            /* as the server describes them: "M=16,efConstruction=200" */
    int64_t indexed, total;      /* rows */
} scry_milvus_index;

/* `params` is a JSON object: {"M":16,"efConstruction":200}. Creating an equal index again is not an error. */
int scry_milvus_create_index(scry_milvus *m, const char *name, const char *field, const char *type, const char *metric,
                             const char *params, scry_error *err) SCRY_NODISCARD;
int scry_milvus_describe_index(scry_milvus *m, const char *name, const char *field, scry_milvus_index *out,
                               scry_error *err) SCRY_NODISCARD;
/* The collection must not be loaded. `index` is the name from scry_milvus_describe_index. */
int scry_milvus_drop_index(scry_milvus *m, const char *name, const char *field, const char *index, scry_error *err) SCRY_NODISCARD;
int scry_milvus_wait_index(scry_milvus *m, const char *name, const char *field, const scry_milvus_wait *w,
                           scry_error *err) SCRY_NODISCARD;
/* Load, and wait until the collection can be searched; returns at once if it is loaded already. */
int scry_milvus_load(scry_milvus *m, const char *name, const scry_milvus_wait *w, scry_error *err) SCRY_NODISCARD;
int scry_milvus_release(scry_milvus *m, const char *name, scry_error *err) SCRY_NODISCARD;
int scry_milvus_flush(scry_milvus *m, const char *name, const scry_milvus_wait *w, scry_error *err) SCRY_NODISCARD;

/* ---- rows ---- */

typedef struct scry_milvus_strings {
    const char *const *items;
    size_t count;
} scry_milvus_strings;

/* One field of many rows. Of the pointers the one that the type names is set, [rows];
 * of an answer it is checked against the type, so that it can be indexed without further checks. */
typedef struct scry_milvus_column {
    const char *name;
    scry_milvus_type type;
    const int *bools;                    /* BOOL */
    const int32_t *ints;                 /* INT8, INT16, INT32 */
    const int64_t *longs;                /* INT64 */
    const float *floats;                 /* FLOAT; FLOAT_VECTOR: [rows, dim] */
    const double *doubles;               /* DOUBLE */
    const char *const *strings;          /* VARCHAR; JSON texts */
    const scry_milvus_strings *lists;    /* ARRAY of VARCHAR */
    int64_t dim;                         /* FLOAT_VECTOR */
    bool half;                           /* the field is a FLOAT16_VECTOR: rounded when sent, widened when read */
    bool absent;                         /* of rows to send: none has a value; the field has a default, or may be null */
    const int *valid;                    /* of an answer, nullable fields: which rows have a value, the others "" or 0; NULL: all */
} scry_milvus_column;

/* Rows to send, and the partition they belong to (NULL: the default one). */
typedef struct scry_milvus_table {
    const scry_milvus_column *columns;
    size_t column_count, rows;
    const char *partition;
} scry_milvus_table;

/* Add rows, or replace those with the same key. Sent in batches below BATCH_BYTES, each of which the server stores as a
 * whole; after an error the earlier batches are stored, and the call may be repeated. */
int scry_milvus_upsert(scry_milvus *m, const char *name, const scry_milvus_table *t, scry_error *err) SCRY_NODISCARD;

/* *deleted (may be NULL) is an upper bound: Milvus counts the keys it was asked to delete, present or not.
 * 2.3 does not return the timestamp of a deletion: only a STRONG read is certain to see it. */
int scry_milvus_delete(scry_milvus *m, const char *name, const char *filter, int64_t *deleted,
                       scry_error *err) SCRY_NODISCARD;

/* ---- query and search ---- */

/* Milvus's timestamp of the last write through this client; 0 before the first. A client that is given another's
 * timestamp sees those writes too with consistency SESSION. */
uint64_t scry_milvus_last_write(const scry_milvus *m);
void scry_milvus_see_write(scry_milvus *m, uint64_t timestamp);

typedef enum {
    SCRY_MILVUS_STRONG = 0,      /* sees every acknowledged write; takes 200 ms on 2.3 */
    SCRY_MILVUS_SESSION = 1,     /* sees at least the writes up to scry_milvus_last_write */
    SCRY_MILVUS_BOUNDED = 2, SCRY_MILVUS_EVENTUALLY = 3
} scry_milvus_consistency;

/* Rows of an answer; for a search, query i has the rows from first[i] to first[i + 1]. */
typedef struct scry_milvus_rows {
    uint64_t number;             /* of this answer alone, from 1: another one may come to lie where it was */
    size_t rows;
    const scry_milvus_column *columns;
    size_t column_count;
    size_t queries;
    const size_t *first;         /* [queries + 1] */
    const float *scores;         /* [rows]; of a search */
    const int64_t *int_ids;      /* [rows]; of a search, either of them */
    const char *const *str_ids;
} scry_milvus_rows;

void scry_milvus_rows_free(scry_milvus_rows *r);
const scry_milvus_column *scry_milvus_find_column(const scry_milvus_rows *r, const char *name,
                                                  scry_milvus_type type);   /* NULL when absent or of another type */

typedef struct scry_milvus_query {
    const char *filter;          /* "": all, then a limit is required */
    const char *const *fields;   /* to return */
    size_t field_count;
    int64_t limit;               /* 0: none */
    scry_milvus_consistency consistency;
} scry_milvus_query;

int scry_milvus_query_rows(scry_milvus *m, const char *name, const scry_milvus_query *q, scry_milvus_rows **out,
                           scry_error *err) SCRY_NODISCARD;
/* The same for q->limit rows whose primary keys are the smallest, in ascending order: what Milvus's own query iterators ask for. */
int scry_milvus_query_by_key(scry_milvus *m, const char *name, const scry_milvus_query *q, scry_milvus_rows **out,
                             scry_error *err) SCRY_NODISCARD;

/* Exact number of rows that pass the filter ("": all). */
int scry_milvus_count(scry_milvus *m, const char *name, const char *filter, scry_milvus_consistency consistency,
                      int64_t *out, scry_error *err) SCRY_NODISCARD;

typedef struct scry_milvus_search {
    const char *field;           /* the vector field */
    const char *metric;          /* "COSINE", "IP", "L2": what the index was made with */
    const char *params;          /* JSON: {"ef":64}; NULL: {} */
    const float *vectors;        /* [queries, dim] */
    size_t queries, dim;
    const char *text;            /* instead of vectors, one query: `field` is one that the server makes by BM25; NULL: none */
    bool half;                   /* `field` is a FLOAT16_VECTOR, whose queries have to be halves, too */
    int64_t limit;               /* rows for each query, at most MAX_TOPK */
    const char *filter;          /* NULL or "": all */
    const char *const *fields;
    size_t field_count;
    const char *const *partitions;   /* to search; none: all */
    size_t partition_count;
    scry_milvus_consistency consistency;
} scry_milvus_search;

/* The columns of the answer hold as many rows as there are hits in all, query after query. */
int scry_milvus_search_rows(scry_milvus *m, const char *name, const scry_milvus_search *s, scry_milvus_rows **out,
                            scry_error *err) SCRY_NODISCARD;

#endif
