/* hf_text.h - the text models of transformers that other checkpoints contain: BERT, XLM-RoBERTa,
 * DistilBERT, the encoder of M2M100 (NLLB). bert.c runs them all.
 */
#ifndef SCRY_MODEL_HF_TEXT_H
#define SCRY_MODEL_HF_TEXT_H

#include "model/config_reader.h"

/* Fill in t->stack, vocab, bert (all but the head) and new_tower from `p`, the model's configuration as
 * transformers writes it, of the kind `type` ("xlm-roberta"; NULL: p's model_type). t->context is as many
 * tokens as there are positions. `prefix` precedes all of its tensors; both strings must outlive `t`. */
void scry_hf_text_parse(scry_text_config *t, scry_config_reader *r, const scry_config_part *p, const char *type,
                        const char *prefix);

/* The same for a model that is only named ("xlm-roberta-base"), of whose configuration there is no copy
 * in the folder. `key` names the setting for messages. */
void scry_hf_text_named(scry_text_config *t, scry_config_reader *r, const char *key, const char *name,
                        const char *prefix);

/* Texts that are as long as `tokens` at most. */
void scry_hf_text_shorten(scry_text_config *t, size_t tokens);

/* A head of one linear layer `name` to `dim` numbers. */
void scry_hf_text_project(scry_text_config *t, const char *name, bool bias, size_t dim);

#endif
