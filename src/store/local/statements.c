/* statements.c - the texts of statements.h. */
#include "store/local/statements.h"

static const char *const texts[SCRY_SQL_COUNT] = {
#define X(name, text) [SCRY_SQL_##name] = text,
    SCRY_SQL_LIST(X)
#undef X
};

const scry_db_statements scry_local_statements = {
    texts, SCRY_SQL_COUNT, "restore it from a backup, or remove the collection's folder and index again",
};
