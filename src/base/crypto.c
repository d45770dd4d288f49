#include "base/crypto.h"

#include <dlfcn.h>
#include <openssl/opensslv.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define LIBRARY "libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION)

static scry_crypto_functions functions;

static void *look_up(void *library, const char *name)
{
    void *function = library ? dlsym(library, name) : NULL;
    if (function)
        return function;
    fprintf(stderr, "scry: cannot load " LIBRARY ": %s\n", dlerror());
    abort();
}

static void load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);   /* stays loaded for the life of the process */
#define LOOK_UP(f) *(void **)&functions.f = look_up(library, #f);
    SCRY_CRYPTO_FUNCTIONS(LOOK_UP)
}

const scry_crypto_functions *scry_crypto(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return &functions;
}
