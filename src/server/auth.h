/* auth.h - authentication: Host, Origin, token and login cookie. */
#ifndef SCRY_SERVER_AUTH_H
#define SCRY_SERVER_AUTH_H

#include "server/request.h"

/* Check Host, Origin and token; false: a 4xx has been made. */
bool auth_check(request *r);
/* Read --public-url; `path` is below it also where the proxy passes it on as it is. */
int auth_read_public_url(server *s, scry_error *err);
const char *auth_local_path(const server *s, const char *path);

int auth_read_token(server *s, scry_error *err);
handler auth_login, auth_logout;

#endif
