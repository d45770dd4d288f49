/* crypto.h - the functions of libcrypto that libscry calls, looked up when the first of them is needed.
 *
 * Loading and relocating libcrypto takes most of a millisecond, more than all else that `scry --help` or a refused
 * command line costs. So libscry is not linked with it.
 *
 *     scry_crypto()->EVP_Digest(bytes, n, out, NULL, scry_crypto()->EVP_sha256(), NULL);
 */
#ifndef SCRY_BASE_CRYPTO_H
#define SCRY_BASE_CRYPTO_H

#include <openssl/evp.h>

#define SCRY_CRYPTO_FUNCTIONS(X)                                                             \
    X(EVP_DecodeBlock) X(EVP_Digest) X(EVP_DigestFinal_ex) X(EVP_DigestInit_ex)              \
    X(EVP_DigestUpdate) X(EVP_EncodeBlock) X(EVP_MD_CTX_free) X(EVP_MD_CTX_new) X(EVP_sha1)  \
    X(EVP_sha256)

typedef struct scry_crypto_functions {
#define SCRY_CRYPTO_MEMBER(f) __typeof__(f) *f;
    SCRY_CRYPTO_FUNCTIONS(SCRY_CRYPTO_MEMBER)
#undef SCRY_CRYPTO_MEMBER
} scry_crypto_functions;

/* Never NULL: without the libcrypto it was built for the process ends with a message, as it would at its start if it
 * were linked. Any thread. */
const scry_crypto_functions *scry_crypto(void);

#endif
