/* registry.h - models by name.
 *
 * A model is named by a folder, by the name it was added under (`scry model add`), or by
 * the name of one that came with the program ("starter").
 */
#ifndef SCRY_REGISTRY_H
#define SCRY_REGISTRY_H

#include "scry/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SCRY_STARTER_MODEL "starter"

/* The checkpoint folder of `name` (NULL or "": the starter), owned by the caller in *dir.
 * SCRY_ENOTFOUND says which names there are. */
int scry_model_resolve(const char *name, char **dir, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
