/* sentence.h - folders of sentence-transformers that read texts: a text model of transformers, its
 * pooling, a layer after it, each a module with a folder of its own (modules.json).
 */
#ifndef SCRY_MODEL_SENTENCE_H
#define SCRY_MODEL_SENTENCE_H

#include "model/config.h"

/* Whether `modules`, a modules.json, is of such a folder; one that holds a CLIP model has no pooling. */
bool scry_sentence_is(const scry_json *modules);

/* The class of one of the modules, without that of its package. */
const char *scry_sentence_class(const scry_json *module);

/* Refuse a folder whose config_sentence_transformers.json puts words before each text. */
int scry_sentence_check_prompt(const char *dir, scry_error *err) SCRY_NODISCARD;

/* Read the configurations of the modules of `dir` as one object, c->root, and parse it: { "modules": the names
 * of their classes, "transformer", "pooling", "dense": their configurations, "sentence", "tokenizer": the
 * settings of the folder that limit the length of texts }. */
int scry_sentence_read(scry_config *c, const char *dir, scry_error *err) SCRY_NODISCARD;

#endif
