#include "milvus/net.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/secret.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Limit for each address of a host, so that one which does not answer leaves time for the next. */
enum { CONNECT_MS = 5000 };

struct scry_net {
    int fd;
    SSL *ssl;               /* NULL without TLS */
    SSL_CTX *ctx;
    BIO_METHOD *bio;
    bool tls_wants_write;   /* a TLS read that has to write first (key update) */
    char where[300];        /* "host:port" */
};

/* Wait for `events` until the deadline; false when it passed. */
static bool wait_for(int fd, short events, double deadline_ms)
{
    for (;;) {
        double left = deadline_ms - scry_now_ms();
        if (left <= 0)
            return false;
        struct pollfd p = { fd, events, 0 };
        int r = poll(&p, 1, left > 1e6 ? 1000000 : (int)left + 1);
        if (r > 0)
            return true;
        if (r < 0 && errno != EINTR)
            return false;
    }
}

/* ---- TCP ---- */

/* A connected non-blocking socket, or -1 with errno set. */
static int connect_one(const struct addrinfo *a, double deadline_ms)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int failed = 0, on = 1;
    if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
        failed = errno;
        if (failed == EINPROGRESS) {
            socklen_t size = sizeof failed;
            if (!wait_for(fd, POLLOUT, deadline_ms))
                failed = ETIMEDOUT;
            else
                getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size);
        }
    }
    if (failed) {
        close(fd);
        errno = failed;
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static int connect_any(const scry_net_options *o, const char *where, double deadline_ms, scry_error *err)
{
    char port[16];
    snprintf(port, sizeof port, "%d", o->port);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
    int r = getaddrinfo(o->host, port, &hints, &list);
    if (r)
        return scry_fail(err, r == EAI_AGAIN ? SCRY_EREMOTE : SCRY_ENOTFOUND,
                         "cannot find the Milvus server %s: %s; check the name in --store", where, gai_strerror(r));
    int fd = -1;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        double until = scry_now_ms() + CONNECT_MS;
        fd = connect_one(a, until < deadline_ms ? until : deadline_ms);
    }
    int why = errno;
    freeaddrinfo(list);
    if (fd < 0)
        return scry_fail(err, SCRY_EREMOTE, "cannot connect to the Milvus server %s: %s; is it running, "
                         "and is this its gRPC port?", where, strerror(why));
    return fd;
}

/* ---- TLS ---- */

/* OpenSSL's own socket BIO uses write(), which raises SIGPIPE when the peer has closed the connection.
 * A library must not change the process's signal handling, hence a BIO that uses send(). */
static int bio_write(BIO *b, const char *bytes, int size)
{
    const scry_net *n = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t w = send(n->fd, bytes, (size_t)size, MSG_NOSIGNAL);
    if (w < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(b);
    return (int)w;
}

static int bio_read(BIO *b, char *out, int size)
{
    const scry_net *n = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t r = recv(n->fd, out, (size_t)size, 0);
    if (r < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(b);
    return (int)r;
}

static long bio_ctrl(BIO *b, int command, long number, void *pointer)
{
    return command == BIO_CTRL_FLUSH;
}

/* Text of the oldest error in OpenSSL's queue, which is the cause; clears the queue. */
static const char *tls_reason(SSL *ssl, char *out, size_t size)
{
    long verify = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    unsigned long e = ERR_get_error();
    int alert = ERR_GET_REASON(e);
    if (alert == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED || alert == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE ||
        alert == SSL_R_TLSV1_ALERT_UNKNOWN_CA)
        snprintf(out, size, "it wants another client certificate (SCRY_MILVUS_CERT and SCRY_MILVUS_KEY name files): %s",
                 ERR_reason_error_string(e));
    else if (verify != X509_V_OK)
        snprintf(out, size, "its certificate is not accepted: %s (SCRY_MILVUS_CA names a file of certificate authorities)",
                 X509_verify_cert_error_string(verify));
    else if (e)
        ERR_error_string_n(e, out, size);
    else
        snprintf(out, size, "the connection was closed; does the server use TLS? (milvus:// connects without it)");
    ERR_clear_error();
    return out;
}

/* OpenSSL would ask for the password of an encrypted key on the terminal. */
static int no_password(char *out, int size, int writes, void *arg)
{
    return -1;
}

static int set_client_certificate(scry_net *n, const scry_net_options *o, scry_error *err)
{
    const char *key = o->key_file ? o->key_file : o->cert_file;
    if (!o->cert_file)
        return o->key_file ? scry_fail(err, SCRY_EINVALID, "the key %s is there without a certificate: set SCRY_MILVUS_CERT",
                                       o->key_file) : 0;
    int r = scry_check_secret(key, "key", err);
    if (r < 0)
        return r;
    SSL_set_default_passwd_cb(n->ssl, no_password);
    const char *unread = SSL_use_certificate_chain_file(n->ssl, o->cert_file) != 1 ? o->cert_file
                         : SSL_use_PrivateKey_file(n->ssl, key, SSL_FILETYPE_PEM) != 1 ? key : NULL;
    ERR_clear_error();
    return unread ? scry_fail(err, SCRY_EINVALID, "cannot use %s as the client's %s: it must be a PEM file, %s", unread,
                              unread == o->cert_file ? "certificate" : "key",
                              unread == key ? "with the key of that certificate, which has no password"
                                            : "the client's own certificate first") : 0;
}

static int tls_prepare(scry_net *n, const scry_net_options *o, scry_error *err)
{
    static const unsigned char h2[] = { 2, 'h', '2' };
    n->ctx = SSL_CTX_new(TLS_client_method());
    n->bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "scry");
    BIO *b = NULL;
    if (!n->ctx || !n->bio || !(n->ssl = SSL_new(n->ctx)) || !(b = BIO_new(n->bio)))
        return scry_fail(err, SCRY_ENOMEM, "cannot start TLS: out of memory");
    SSL_set_min_proto_version(n->ssl, TLS1_2_VERSION);
    SSL_set_options(n->ssl, SSL_OP_NO_RENEGOTIATION);   /* as HTTP/2 wants it */
    int trusted = o->ca_file ? SSL_CTX_load_verify_locations(n->ctx, o->ca_file, NULL)
                             : SSL_CTX_set_default_verify_paths(n->ctx);
    if (!trusted) {
        BIO_free(b);
        ERR_clear_error();
        return scry_fail(err, SCRY_EINVALID, "cannot read the certificate authorities in %s", o->ca_file ? o->ca_file : "the system");
    }
    BIO_meth_set_write(n->bio, bio_write);
    BIO_meth_set_read(n->bio, bio_read);
    BIO_meth_set_ctrl(n->bio, bio_ctrl);
    BIO_set_data(b, n);
    BIO_set_init(b, 1);
    SSL_set_bio(n->ssl, b, b);
    SSL_set_verify(n->ssl, SSL_VERIFY_PEER, NULL);
    unsigned char address[16];
    bool is_address = inet_pton(AF_INET, o->host, address) == 1 || inet_pton(AF_INET6, o->host, address) == 1;
    if (is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(n->ssl), o->host) != 1
                   : SSL_set1_host(n->ssl, o->host) != 1 || SSL_set_tlsext_host_name(n->ssl, o->host) != 1)
        return scry_fail(err, SCRY_EINVALID, "%s is not a host name that TLS can verify", o->host);
    SSL_set_alpn_protos(n->ssl, h2, sizeof h2);
    SSL_set_mode(n->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return set_client_certificate(n, o, err);
}

static int tls_handshake(scry_net *n, double deadline_ms, scry_error *err)
{
    char reason[256];
    for (;;) {
        int r = SSL_connect(n->ssl);
        if (r == 1)
            break;
        int e = SSL_get_error(n->ssl, r);
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
            return scry_fail(err, SSL_get_verify_result(n->ssl) == X509_V_OK ? SCRY_EREMOTE : SCRY_EINVALID,
                             "no TLS with the Milvus server %s: %s", n->where,
                             tls_reason(n->ssl, reason, sizeof reason));
        if (!wait_for(n->fd, e == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline_ms))
            return scry_fail(err, SCRY_EREMOTE, "no TLS with the Milvus server %s: it does not answer", n->where);
    }
    const unsigned char *chosen = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(n->ssl, &chosen, &size);
    if (size != 2 || memcmp(chosen, "h2", 2) != 0)
        return scry_fail(err, SCRY_EINVALID, "%s uses TLS but not HTTP/2 (ALPN h2): is this Milvus's gRPC port?",
                         n->where);
    return 0;
}

/* The result of a TLS call that transferred no bytes: 0 if it would block, else the connection has failed. */
static ssize_t tls_nothing(scry_net *n, int r, scry_error *err)
{
    char reason[256];
    char byte;
    int e = SSL_get_error(n->ssl, r);
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
        n->tls_wants_write = e == SSL_ERROR_WANT_WRITE;
        return 0;
    }
    if (e == SSL_ERROR_ZERO_RETURN)
        return scry_fail(err, SCRY_EREMOTE, "the Milvus server %s closed the connection", n->where);
    /* A server that does not like the client's certificate says so after the handshake of TLS 1.3 and closes: what could not be
     * written has its reason in what can be read. */
    if (e == SSL_ERROR_SYSCALL)
        (void)SSL_read(n->ssl, &byte, 1);
    return scry_fail(err, SCRY_EREMOTE, "the connection to the Milvus server %s failed: %s", n->where,
                     tls_reason(n->ssl, reason, sizeof reason));
}

/* ---- the connection ---- */

int scry_net_open(scry_net **out, const scry_net_options *o, double deadline_ms, scry_error *err)
{
    scry_net *n = scry_alloc(sizeof *n);
    snprintf(n->where, sizeof n->where, "%s:%d", o->host, o->port);
    n->fd = connect_any(o, n->where, deadline_ms, err);
    int result = n->fd < 0 ? n->fd : 0;
    if (result == 0 && o->tls) {
        result = tls_prepare(n, o, err);
        if (result == 0)
            result = tls_handshake(n, deadline_ms, err);
    }
    if (result < 0)
        scry_net_free(n);
    else
        *out = n;
    return result;
}

void scry_net_free(scry_net *n)
{
    if (!n)
        return;
    SSL_free(n->ssl);
    SSL_CTX_free(n->ctx);
    BIO_meth_free(n->bio);
    if (n->fd >= 0)
        close(n->fd);
    free(n);
}

ssize_t scry_net_read(scry_net *n, void *out, size_t size, scry_error *err)
{
    if (n->ssl) {
        size_t got;
        int r = SSL_read_ex(n->ssl, out, size, &got);
        return r == 1 ? (ssize_t)got : tls_nothing(n, r, err);
    }
    ssize_t r = recv(n->fd, out, size, 0);
    if (r > 0)
        return r;
    if (r < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (r == 0)
        return scry_fail(err, SCRY_EREMOTE, "the Milvus server %s closed the connection", n->where);
    return scry_fail(err, SCRY_EREMOTE, "the connection to the Milvus server %s failed: %s", n->where, strerror(errno));
}

ssize_t scry_net_write(scry_net *n, const void *bytes, size_t size, scry_error *err)
{
    if (n->ssl) {
        size_t put;
        int r = SSL_write_ex(n->ssl, bytes, size, &put);
        return r == 1 ? (ssize_t)put : tls_nothing(n, r, err);
    }
    ssize_t r = send(n->fd, bytes, size, MSG_NOSIGNAL);
    if (r >= 0)
        return r;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    return scry_fail(err, SCRY_EREMOTE, "the connection to the Milvus server %s failed: %s", n->where, strerror(errno));
}

void scry_net_wait(scry_net *n, bool want_write, double deadline_ms)
{
    if (n->ssl && SSL_pending(n->ssl) > 0)
        return;
    short events = POLLIN;
    if (want_write || n->tls_wants_write)
        events |= POLLOUT;
    n->tls_wants_write = false;
    wait_for(n->fd, events, deadline_ms);
}
