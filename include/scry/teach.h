/* teach.h - new words for a model: a name bound to a few pictures.
 *
 *     const char *args[] = { "@rex1.jpg", "@rex2.jpg", "@rex3.jpg#40,60,300,280" };    // each parsed as a query of its own
 *     scry_query_tools tools = { .model = model };
 *     scry_model_teach(&tools, "Rex", pictures, 3, &err);
 *
 * A model that is opened afterwards, or reads its names again, understands the name in every text: "Rex on the beach". It is kept in
 * $XDG_DATA_HOME/scry/names, for all models with the pictures of this one. The model's files are not touched, no other text
 * gets another vector, and collections stay as they are. docs/tune.md explains and measures it.
 */
#ifndef SCRY_TEACH_H
#define SCRY_TEACH_H

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/model.h"
#include "scry/query.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SCRY_TEACH_LEAST = 3, SCRY_TEACH_MOST = 20 };

/* Bind `name` to `pictures` [n], queries of one picture each. What all pictures have in common is told from the model's own sample
 * of pictures (the starter's), else from tools->store, a collection of this model with at least 20. SCRY_EINVALID for a name
 * that cannot be one or is taken, and for fewer than SCRY_TEACH_LEAST different pictures or more than SCRY_TEACH_MOST;
 * SCRY_ENOTFOUND where there is no sample. A picture that cannot be read ends it with its reason. `tools` is
 * what scry_query_embed uses. */
int scry_model_teach(const scry_query_tools *tools, const char *name, const scry_query *const *pictures, size_t n,
                     scry_error *err) SCRY_NODISCARD;

/* The same, watched: stopped, nothing was taught. `options` may be NULL. */
int scry_teach_run(const scry_query_tools *tools, const char *name, const scry_query *const *pictures, size_t n,
                   const scry_long_options *options, scry_error *err) SCRY_NODISCARD;

/* Remove a name that was taught, whatever its capitals. SCRY_ENOTFOUND when there is none. */
int scry_model_forget(const scry_model *model, const char *name, scry_error *err) SCRY_NODISCARD;

/* Read the names that were taught or forgotten since the model was opened, by any process: texts that are embedded from now on have
 * them; scry_model_info stays as it was. Cheap where nothing was. *changed may be NULL. A damaged file is an error once, until it
 * changes, and the names stay. Any thread, also while sessions embed. */
int scry_model_read_names(scry_model *model, bool *changed, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
