/*
 * Whom a connection belongs to: the local user at its other end, and the account on which it
 * counts.
 *
 * Made by daemon/reception.c for who is let in. Owner: the connection, which embeds it;
 * client_finish().
 */
#ifndef SPARKBRIDGE_DAEMON_CLIENT_H
#define SPARKBRIDGE_DAEMON_CLIENT_H

#include "daemon/peer.h"
#include "daemon/quota.h"

struct client {
    struct peer peer;
    struct quota_user *account; /* owned share */
};

static inline void client_finish(struct client *client)
{
    quota_disconnect(client->account);
    client->account = NULL;
    peer_finish(&client->peer);
}

#endif
