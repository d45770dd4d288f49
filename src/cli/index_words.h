/* index_words.h - the second pass of `scry index`: the words in the pictures. */
#ifndef SCRY_CLI_INDEX_WORDS_H
#define SCRY_CLI_INDEX_WORDS_H

#include "base/json.h"
#include "scry/index.h"
#include "scry/text.h"

#include <stdbool.h>

/* Of --words. AUTO, without the option: where a reader is installed and the store keeps words, unless they are unwanted. */
typedef enum { CLI_WORDS_AUTO, CLI_WORDS_YES, CLI_WORDS_NO, CLI_WORDS_ONLY } cli_words_mode;

/* The value of --words; a message and false where it is another. */
bool cli_words_mode_parse(const char *value, cli_words_mode *out);

/* Whether $SCRY_WORDS is "no". */
bool cli_words_unwanted(void);

typedef struct cli_words {
    cli_words_mode mode;
    bool quiet, force_progress;
    bool ran;                     /* set: there was a pass, whose counts are in: */
    scry_text_progress total;
} cli_words;

/* Whether what is asked for is possible: a reader is there, no paths are given (nor --rebuild) for the words alone. A message and
 * false if not. */
bool cli_words_check(const cli_words *w, bool paths, bool rebuild);

/* Read the words in the pictures of `store` that were not read yet, with the limits and the workers of `index`; shows progress and,
 * at the end, the counts. */
int cli_read_words(cli_words *w, scry_store *store, const scry_index_options *index, scry_error *err) SCRY_NODISCARD;

/* The counts as members of an object, where there was a pass. */
void cli_json_put_words(scry_json_writer *json, const cli_words *w);

#endif
