/*
 * TLS as a filter without sockets: ciphertext in and out, plaintext out and in.
 *
 * OpenSSL reads from and writes to a BIO of ours, so that a record is decrypted straight from the
 * loop's read buffer and encrypted straight into the buffer that is written. The client role
 * always verifies the chain and the host name and asks for "h2" by ALPN.
 *
 * Owner: the context is reference counted, by the bridge and its pools; a struct tls to its
 * transport. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_TLS_H
#define SPARKBRIDGE_DAEMON_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct tls_context;
struct tls;

/* What went wrong, as far as a remedy depends on it. */
enum tls_fault {
    TLS_FAULT_NONE,
    TLS_FAULT_UNTRUSTED, /* chain, expiry or host name: the certificate is not accepted */
    TLS_FAULT_NOT_TLS,   /* the peer does not speak TLS */
    TLS_FAULT_NO_H2,     /* TLS, but no HTTP/2 */
    TLS_FAULT_OTHER,
};

/* Client contexts: TLS 1.2 or later, verification by `ca_file`, or by the system's store where it
 * is NULL. Fails with EX_NOINPUT where the file cannot be used. */
struct tls_context *tls_context_create(const char *ca_file, struct err *err);
struct tls_context *tls_context_ref(struct tls_context *context);
void tls_context_unref(struct tls_context *context); /* accepts NULL */

/* Do both trust the same file with the same contents (by identity, size and time)? */
bool tls_context_equal(const struct tls_context *a, const struct tls_context *b);

/* A connection to `host`, a DNS name (also sent as SNI) or an IP address. */
struct tls *tls_create(struct tls_context *context, const char *host);
void tls_destroy(struct tls *tls);

/* Hands over ciphertext that arrived; borrowed until tls_handshake() or tls_read() has asked for
 * more, which must happen before the call returns to the loop. */
void tls_feed(struct tls *tls, const uint8_t *bytes, size_t len);

/* Goes on with the handshake: 1 when it is complete, 0 when it needs more bytes, -1 on a fault. */
int tls_handshake(struct tls *tls);

/* Decrypts: the number of bytes, 0 when it needs more, -1 on a fault, -2 at the peer's orderly
 * end. */
ssize_t tls_read(struct tls *tls, uint8_t *to, size_t size);

/* Encrypts all of `bytes`; false on a fault. */
bool tls_write(struct tls *tls, const uint8_t *bytes, size_t len);

/* Writes the close_notify alert. */
void tls_shutdown(struct tls *tls);

/* Ciphertext that wants to be sent, borrowed until the next call; tls_sent() empties it. */
const uint8_t *tls_pending(const struct tls *tls, size_t *ret_len);
void tls_sent(struct tls *tls);

/* After a fault: its kind and a phrase for a person, borrowed from `tls`. */
enum tls_fault tls_fault(const struct tls *tls);
const char *tls_fault_text(const struct tls *tls);

#endif
