/* xmp.h - what people and programs note in XMP (ISO 16684-1).
 *
 * A reader of its own rather than libexempi: see docs/pictures.md. It passes once over the text, keeps
 * no tree and allocates nothing, but for UTF-16 and UTF-32, which are converted first; of all properties it knows a
 * score, at the top level of the RDF only (what is nested describes other pictures and the history). Prefixes are
 * resolved as declared.
 */
#ifndef SCRY_METADATA_XMP_H
#define SCRY_METADATA_XMP_H

#include "metadata/metadata.h"

/* Fills what is absent in *m. For any bytes. A time gets `source`. */
void scry_xmp_read(scry_bytes xmp, scry_taken_source source, scry_metadata *m);

#endif
