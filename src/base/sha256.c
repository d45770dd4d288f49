#include "base/sha256.h"

#include "base/alloc.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct scry_sha256 {
    EVP_MD_CTX *ctx;
};

static void must(int ok)
{
    if (ok != 1)
        abort();  /* a digest of memory cannot fail short of a broken libcrypto */
}

scry_sha256 *scry_sha256_new(void)
{
    scry_sha256 *h = scry_alloc(sizeof *h);
    h->ctx = EVP_MD_CTX_new();
    must(h->ctx && EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
    return h;
}

void scry_sha256_update(scry_sha256 *h, const void *bytes, size_t n)
{
    must(EVP_DigestUpdate(h->ctx, bytes, n));
}

void scry_sha256_final(scry_sha256 *h, uint8_t out[SCRY_SHA256_BYTES])
{
    must(EVP_DigestFinal_ex(h->ctx, out, NULL));
    must(EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
}

void scry_sha256_free(scry_sha256 *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

void scry_sha256_of(const void *bytes, size_t n, uint8_t out[SCRY_SHA256_BYTES])
{
    must(EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL));
}

void scry_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digit[bytes[i] >> 4];
        out[2 * i + 1] = digit[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int scry_unhex(const char *hex, uint8_t *out, size_t n)
{
    if (strlen(hex) != 2 * n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int hi = digit_value(hex[2 * i]), lo = digit_value(hex[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return -1;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return 0;
}
