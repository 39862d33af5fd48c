/* TLS as a filter without sockets, on OpenSSL with a BIO of ours. */
#include "daemon/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/read_file.h"

/* The most a connection keeps for ciphertext between writes: a full stage of frames. */
enum { ENCRYPTED_KEEP_BYTES = 128 * 1024 };

/* A file that a context is made of, as it was then. */
struct file_state {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

enum { FILE_CA, FILE_CERT, FILE_KEY, FILE_COUNT };

struct tls_context {
    unsigned refs;
    struct file_state files[FILE_COUNT]; /* zero for those that are not used */
    SSL_CTX *ssl_ctx;
    BIO_METHOD *bio_method;
};

struct tls {
    SSL *ssl;
    const uint8_t *in; /* borrowed ciphertext that OpenSSL has not read yet */
    size_t in_len;
    uint8_t *out; /* owned, kept for the next write */
    size_t out_len, out_cap;
    struct tls_ticket *ticket; /* weak: touched only while the owner hands bytes over */
    enum tls_fault fault;
    char fault_text[256];
};

/* ---- the BIO -------------------------------------------------------------------------------- */

static int on_bio_read(BIO *bio, char *to, size_t size, size_t *ret_read)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (tls->in_len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    size_t n = size < tls->in_len ? size : tls->in_len;
    memcpy(to, tls->in, n);
    tls->in += n;
    tls->in_len -= n;
    *ret_read = n;
    return 1;
}

static int on_bio_write(BIO *bio, const char *bytes, size_t len, size_t *ret_written)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (tls->out_len + len > tls->out_cap) {
        size_t cap = tls->out_cap == 0 ? 4096 : tls->out_cap;
        while (cap < tls->out_len + len)
            cap *= 2;
        tls->out = xrealloc(tls->out, cap);
        tls->out_cap = cap;
    }
    memcpy(tls->out + tls->out_len, bytes, len);
    tls->out_len += len;
    *ret_written = len;
    return 1;
}

static long on_bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int on_bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

/* ---- contexts ------------------------------------------------------------------------------- */

/* The sentence for a PEM file that OpenSSL does not take. */
static bool file_fault(const struct tls_file *file, const char *wanted, struct err *err)
{
    unsigned long code = ERR_peek_error(); /* what came first; the rest follows from it */
    if (ERR_GET_LIB(code) == ERR_LIB_SYS)
        err_set(err, EX_NOINPUT, "%s: cannot be read: %s", file->source,
                strerror(ERR_GET_REASON(code)));
    else if (ERR_GET_LIB(code) == ERR_LIB_X509 &&
             ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH)
        err_set(err, EX_NOINPUT, "%s: holds another key than that of the client certificate",
                file->source);
    else if (ERR_GET_LIB(code) == ERR_LIB_SSL) /* it was read and is too weak, or the like */
        err_set(err, EX_NOINPUT, "%s: cannot be used: %s", file->source,
                ERR_reason_error_string(code));
    else
        err_set(err, EX_NOINPUT, "%s: it must hold %s, in PEM form", file->source, wanted);
    ERR_clear_error();
    return false;
}

static bool context_trust(SSL_CTX *ssl_ctx, const struct tls_file *ca, struct err *err)
{
    if (ca->path == NULL) {
        if (SSL_CTX_set_default_verify_paths(ssl_ctx) != 1)
            return err_set(err, EX_OSERR, "cannot read the system's certificate store");
        return true;
    }
    return SSL_CTX_load_verify_file(ssl_ctx, ca->path) == 1 ||
           file_fault(ca, "the certificates to trust", err);
}

/* A daemon has nobody to ask for the password of a key. */
static int on_password(char *buf, int size, int writing, void *user_data)
{
    return -1;
}

static bool check_key(const struct tls_file *key, struct err *err)
{
    struct stat status;
    struct err fault;
    if (stat(key->path, &status) < 0 || check_private(key->path, &status, "a private key", &fault))
        return true; /* one that is missing is found by who opens it */
    return err_set(err, fault.exit_code, "%s%s", key->source, fault.message + strlen(key->path));
}

static bool context_identify(SSL_CTX *ssl_ctx, const struct tls_files *files, struct err *err)
{
    if (files->cert.path == NULL)
        return true;
    const struct tls_file *key = files->key.path != NULL ? &files->key : &files->cert;
    SSL_CTX_set_default_passwd_cb(ssl_ctx, on_password);
    if (SSL_CTX_use_certificate_chain_file(ssl_ctx, files->cert.path) != 1)
        return file_fault(&files->cert, "our certificate and its chain", err);
    if (SSL_CTX_use_PrivateKey_file(ssl_ctx, key->path, SSL_FILETYPE_PEM) != 1)
        return file_fault(key, "the certificate's private key without a password", err);
    return check_key(key, err);
}

/* A new ticket: the newest is the one to use. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls *tls = SSL_get_app_data(ssl);
    tls_ticket_finish(tls->ticket);
    tls->ticket->session = session;
    return 1; /* taken over */
}

static SSL_CTX *create_ssl_ctx(const struct tls_files *files, struct err *err)
{
    static const unsigned char alpn[] = {2, 'h', '2'};
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_client_method());
    if (ssl_ctx == NULL) {
        err_set(err, EX_OSERR, "OpenSSL cannot be set up");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_alpn_protos(ssl_ctx, alpn, sizeof alpn);
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl_ctx, on_new_session);
    if (context_trust(ssl_ctx, &files->ca, err) && context_identify(ssl_ctx, files, err))
        return ssl_ctx;
    SSL_CTX_free(ssl_ctx);
    return NULL;
}

static void note_file(struct file_state *state, const char *path)
{
    struct stat status;
    if (path != NULL && stat(path, &status) == 0)
        *state = (struct file_state){status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

/* The file of it; of its directory OpenSSL reads a certificate when it needs it. */
static const char *system_store(void)
{
    const char *named = getenv(X509_get_default_cert_file_env());
    return named != NULL ? named : X509_get_default_cert_file();
}

struct tls_context *tls_context_create(const struct tls_files *files, struct err *err)
{
    /* Before they are read: a file that changes meanwhile is read anew at the next reload. */
    struct file_state states[FILE_COUNT] = {0};
    note_file(&states[FILE_CA], files->ca.path != NULL ? files->ca.path : system_store());
    note_file(&states[FILE_CERT], files->cert.path);
    note_file(&states[FILE_KEY], files->key.path);
    SSL_CTX *ssl_ctx = create_ssl_ctx(files, err);
    if (ssl_ctx == NULL)
        return NULL;

    struct tls_context *context = xcalloc(1, sizeof *context);
    context->refs = 1;
    context->ssl_ctx = ssl_ctx;
    memcpy(context->files, states, sizeof states);
    context->bio_method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "loop buffers");
    BIO_meth_set_read_ex(context->bio_method, on_bio_read);
    BIO_meth_set_write_ex(context->bio_method, on_bio_write);
    BIO_meth_set_ctrl(context->bio_method, on_bio_ctrl);
    BIO_meth_set_create(context->bio_method, on_bio_create);
    return context;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    context->refs++;
    return context;
}

void tls_context_unref(struct tls_context *context)
{
    if (context == NULL || --context->refs > 0)
        return;
    SSL_CTX_free(context->ssl_ctx);
    BIO_meth_free(context->bio_method);
    free(context);
}

bool tls_context_equal(const struct tls_context *a, const struct tls_context *b)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        const struct file_state *left = &a->files[i], *right = &b->files[i];
        if (left->device != right->device || left->inode != right->inode ||
            left->size != right->size || left->changed.tv_sec != right->changed.tv_sec ||
            left->changed.tv_nsec != right->changed.tv_nsec)
            return false;
    }
    return true;
}

void tls_ticket_finish(struct tls_ticket *ticket)
{
    SSL_SESSION_free(ticket->session); /* accepts NULL */
    ticket->session = NULL;
}

/* ---- connections ---------------------------------------------------------------------------- */

static bool is_ip_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

struct tls *tls_create(struct tls_context *context, const char *host, struct tls_ticket *ticket)
{
    struct tls *tls = xcalloc(1, sizeof *tls);
    tls->ticket = ticket;
    tls->ssl = SSL_new(context->ssl_ctx);
    BIO *bio = BIO_new(context->bio_method);
    if (tls->ssl == NULL || bio == NULL)
        abort(); /* out of memory: nothing else makes these fail */
    BIO_set_data(bio, tls);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_app_data(tls->ssl, tls);
    SSL_set_connect_state(tls->ssl);
    if (ticket->session != NULL)
        SSL_set_session(tls->ssl, ticket->session);
    if (is_ip_address(host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), host);
    } else {
        SSL_set_tlsext_host_name(tls->ssl, host);
        SSL_set_hostflags(tls->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set1_host(tls->ssl, host);
    }
    return tls;
}

void tls_destroy(struct tls *tls)
{
    if (tls == NULL)
        return;
    /* An end without close_notify does not spoil the ticket (RFC 5246, 7.2.1), as OpenSSL thinks.
     */
    SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    /* The record that came last may hold the credential, where an answer repeated it. OpenSSL wipes
     * its buffer once, in this way; from the beginning, it would do so record by record. */
    SSL_set_options(tls->ssl, SSL_OP_CLEANSE_PLAINTEXT);
    SSL_free(tls->ssl);
    free(tls->out);
    free(tls);
}

void tls_feed(struct tls *tls, const uint8_t *bytes, size_t len)
{
    tls->in = bytes;
    tls->in_len = len;
}

static void set_fault(struct tls *tls, enum tls_fault fault, const char *text)
{
    tls->fault = fault;
    tls_ticket_finish(tls->ticket); /* the next one begins without what may be to blame */
    snprintf(tls->fault_text, sizeof tls->fault_text, "%s", text);
}

/* Why a certificate is not accepted. */
static enum tls_fault kind_of(long verify)
{
    switch (verify) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return TLS_FAULT_WRONG_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return TLS_FAULT_EXPIRED;
    default: return TLS_FAULT_UNTRUSTED;
    }
}

/* Reads OpenSSL's error queue into a kind and a phrase. */
static void note_fault(struct tls *tls)
{
    long verify = SSL_get_verify_result(tls->ssl);
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    if (verify != X509_V_OK)
        set_fault(tls, kind_of(verify), X509_verify_cert_error_string(verify));
    else if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER ||
             ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST)
        set_fault(tls, TLS_FAULT_NOT_TLS, "the peer does not speak TLS");
    else if (ERR_GET_REASON(code) == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL)
        set_fault(tls, TLS_FAULT_NO_H2, "the peer offers no HTTP/2");
    else if (ERR_GET_REASON(code) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED)
        set_fault(tls, TLS_FAULT_OTHER,
                  "the peer wants a certificate of ours: name one by --client-cert");
    else
        set_fault(tls, TLS_FAULT_OTHER, reason != NULL ? reason : "TLS failed");
    ERR_clear_error();
}

static bool negotiated_h2(struct tls *tls)
{
    const unsigned char *protocol;
    unsigned len;
    SSL_get0_alpn_selected(tls->ssl, &protocol, &len);
    return len == 2 && memcmp(protocol, "h2", 2) == 0;
}

int tls_handshake(struct tls *tls)
{
    ERR_clear_error(); /* the queue is the thread's, and another connection may have left some */
    int rv = SSL_do_handshake(tls->ssl);
    if (rv == 1) {
        if (negotiated_h2(tls))
            return 1;
        set_fault(tls, TLS_FAULT_NO_H2, "the peer speaks TLS but chose no HTTP/2 by ALPN");
        return -1;
    }
    int error = SSL_get_error(tls->ssl, rv);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return 0;
    note_fault(tls);
    return -1;
}

ssize_t tls_read(struct tls *tls, uint8_t *to, size_t size)
{
    size_t len = 0, n;
    if (tls->fault != TLS_FAULT_NONE)
        return -1; /* it stood behind bytes that were handed on */
    ERR_clear_error();
    while (len < size && SSL_read_ex(tls->ssl, to + len, size - len, &n) == 1)
        len += n; /* of one record */
    int error = len < size ? SSL_get_error(tls->ssl, 0) : SSL_ERROR_NONE;
    bool is_end = error == SSL_ERROR_ZERO_RETURN; /* that is told again */
    bool is_fault = error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ &&
                    error != SSL_ERROR_WANT_WRITE && !is_end;
    if (is_fault) /* OpenSSL says only once what it was */
        note_fault(tls);
    if (len > 0)
        return (ssize_t)len;
    if (is_fault)
        return -1;
    return is_end ? -2 : 0;
}

bool tls_write(struct tls *tls, const uint8_t *bytes, size_t len)
{
    size_t written;
    ERR_clear_error();
    /* The BIO takes everything, so that one call writes all of it. */
    if (len == 0 || SSL_write_ex(tls->ssl, bytes, len, &written) == 1)
        return true;
    note_fault(tls);
    return false;
}

void tls_shutdown(struct tls *tls)
{
    ERR_clear_error();
    if (SSL_is_init_finished(tls->ssl) && tls->fault == TLS_FAULT_NONE)
        SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

const uint8_t *tls_pending(const struct tls *tls, size_t *ret_len)
{
    *ret_len = tls->out_len;
    return tls->out;
}

void tls_sent(struct tls *tls)
{
    tls->out_len = 0;
    if (tls->out_cap > ENCRYPTED_KEEP_BYTES) {
        free(tls->out);
        tls->out = NULL;
        tls->out_cap = 0;
    }
}

enum tls_fault tls_fault(const struct tls *tls)
{
    return tls->fault;
}

const char *tls_fault_text(const struct tls *tls)
{
    return tls->fault_text;
}
