/* words_reading.h - the words in the pictures are read while the server runs.
 *
 * Where the server may write (--allow-index) a thread of low priority reads the pictures that nobody has read, at the start and
 * whenever the collection has changed; on Milvus after changes by this server, and every ten minutes. It stores the words of some
 * dozen pictures at a time, as a change of its own, and waits while an index run writes.
 */
#ifndef SCRY_SERVER_WORDS_READING_H
#define SCRY_SERVER_WORDS_READING_H

#include "server/server.h"

/* Start the thread. Without a reader, or in a collection that keeps no words, nothing is read. */
struct words_reading *words_reading_new(server *s);

/* Stop after the picture that is being read; what was read before is stored. NULL is legal. */
void words_reading_free(struct words_reading *w);

/* Whether pictures are being read now. Any thread. */
bool words_reading_active(struct words_reading *w);

#endif
