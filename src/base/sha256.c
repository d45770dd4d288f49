#include "base/sha256.h"

#include "base/alloc.h"
#include "base/crypto.h"

#include <stdlib.h>
#include <string.h>

struct scry_sha256 {
    EVP_MD_CTX *ctx;
};

static void must(int ok)
{
    if (ok != 1)
        abort();  /* only a broken libcrypto fails to hash memory */
}

scry_sha256 *scry_sha256_new(void)
{
    scry_sha256 *h = scry_alloc(sizeof *h);
    h->ctx = scry_crypto()->EVP_MD_CTX_new();
    must(h->ctx && scry_crypto()->EVP_DigestInit_ex(h->ctx, scry_crypto()->EVP_sha256(), NULL));
    return h;
}

void scry_sha256_update(scry_sha256 *h, const void *bytes, size_t n)
{
    must(scry_crypto()->EVP_DigestUpdate(h->ctx, bytes, n));
}

void scry_sha256_final(scry_sha256 *h, uint8_t out[SCRY_SHA256_BYTES])
{
    must(scry_crypto()->EVP_DigestFinal_ex(h->ctx, out, NULL));
    must(scry_crypto()->EVP_DigestInit_ex(h->ctx, scry_crypto()->EVP_sha256(), NULL));
}

void scry_sha256_free(scry_sha256 *h)
{
    if (!h)
        return;
    scry_crypto()->EVP_MD_CTX_free(h->ctx);
    free(h);
}

void scry_sha256_of(const void *bytes, size_t n, uint8_t out[SCRY_SHA256_BYTES])
{
    must(scry_crypto()->EVP_Digest(bytes, n, out, NULL, scry_crypto()->EVP_sha256(), NULL));
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
