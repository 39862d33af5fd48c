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

struct tls_file {
    const char *path;   /* NULL: there is none */
    const char *source; /* for messages: who names it, and the path, "--ca-file /path" */
};

/* PEM files. */
struct tls_files {
    struct tls_file ca;   /* whom to trust; none: the system's store */
    struct tls_file cert; /* of ours, with its chain; none: none is shown */
    struct tls_file key;  /* none: it stands in the file of `cert` */
};

/* What a server gave us to shorten the next handshake with it (RFC 8446, 2.2). A zeroed one is
 * empty. Owner: the struct that embeds it, which outlives the last event of its connections. */
struct tls_ticket {
    struct ssl_session_st *session; /* owned */
};

/* What went wrong, as far as a remedy depends on it. */
enum tls_fault {
    TLS_FAULT_NONE,
    TLS_FAULT_UNTRUSTED,  /* nobody who is trusted vouches for the certificate */
    TLS_FAULT_WRONG_NAME, /* it is another host's */
    TLS_FAULT_EXPIRED,    /* ... or not valid yet */
    TLS_FAULT_NOT_TLS,    /* the peer does not speak TLS */
    TLS_FAULT_NO_H2,      /* TLS, but no HTTP/2 */
    TLS_FAULT_OTHER,
};

/* Client contexts: TLS 1.2 or later, always verified. Fails with EX_NOINPUT where a file cannot be
 * used, and with EX_NOPERM where others can read the key. */
struct tls_context *tls_context_create(const struct tls_files *files, struct err *err);
struct tls_context *tls_context_ref(struct tls_context *context);
void tls_context_unref(struct tls_context *context); /* accepts NULL */

/* Are both made of the same files with the same contents (by identity, size and time)? */
bool tls_context_equal(const struct tls_context *a, const struct tls_context *b);

/* A connection to `host`, a DNS name (also sent as SNI) or an IP address. Uses the ticket, which is
 * of the same host and context, and renews it. */
struct tls *tls_create(struct tls_context *context, const char *host, struct tls_ticket *ticket);
void tls_destroy(struct tls *tls);

void tls_ticket_finish(struct tls_ticket *ticket);

/* Hands over ciphertext that arrived; borrowed until tls_handshake() or tls_read() has asked for
 * more, which must happen before the call returns to the loop. */
void tls_feed(struct tls *tls, const uint8_t *bytes, size_t len);

/* Goes on with the handshake: 1 when it is complete, 0 when it needs more bytes, -1 on a fault. */
int tls_handshake(struct tls *tls);

/* Decrypts as many records as there are and fit: the number of bytes, 0 when it needs more, -1 on a
 * fault, -2 at the peer's orderly end. */
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
