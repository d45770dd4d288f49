#include "base/digest.h"

#include "base/crypto.h"
#include "base/descriptor.h"
#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int scry_file_digest_of(scry_file_digest *out, const char *path, scry_error *err)
{
    struct stat st;
    char chunk[65536], header[64];
    uint8_t digest[EVP_MAX_MD_SIZE];
    int fd = scry_open_input(path, O_RDONLY), result = 0;
    if (fd < 0 || fstat(fd, &st) < 0) {
        result = scry_fail_errno(err, errno, "cannot open %s", path);
        if (fd >= 0)
            close(fd);
        return result;
    }
    EVP_MD_CTX *git = scry_crypto()->EVP_MD_CTX_new();
    scry_sha256 *sha = scry_sha256_new();
    int n = snprintf(header, sizeof header, "blob %lld", (long long)st.st_size);
    int good = git && scry_crypto()->EVP_DigestInit_ex(git, scry_crypto()->EVP_sha1(), NULL) &&
               scry_crypto()->EVP_DigestUpdate(git, header, (size_t)n + 1);
    out->bytes = 0;
    for (ssize_t got; good && (got = read(fd, chunk, sizeof chunk)) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            result = scry_fail_errno(err, errno, "cannot read %s", path);
            break;
        }
        scry_sha256_update(sha, chunk, (size_t)got);
        good = scry_crypto()->EVP_DigestUpdate(git, chunk, (size_t)got);
        out->bytes += (uint64_t)got;
    }
    close(fd);
    scry_sha256_final(sha, digest);
    scry_hex(digest, SCRY_SHA256_BYTES, out->sha256);
    good = good && scry_crypto()->EVP_DigestFinal_ex(git, digest, NULL);
    scry_hex(digest, 20, out->git_id);
    scry_crypto()->EVP_MD_CTX_free(git);
    scry_sha256_free(sha);
    if (result == 0 && !good)
        result = scry_fail(err, SCRY_EIO, "libcrypto does not provide SHA-1: cannot check %s", path);
    return result;
}
