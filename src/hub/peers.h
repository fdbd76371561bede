/*
 * peers.h - who is connected to this node, for live.c and words.c
 */
#ifndef SAT_SRC_HUB_PEERS_H
#define SAT_SRC_HUB_PEERS_H

#include "hub/live.h"

#define HUB_LOOPS_MAX 64

/* It is its loop's: no other thread looks at it. */
typedef struct peer {
    struct peer *next, **slot;
    sat__socket *socket;
    hub_session session;
    uint64_t opened_ms;
    bool is_ready; /* it has said who it is */
    bool is_guest; /* it is no session, but who claimed a transfer: account and
                      device are the token's hash */
    bool is_json;  /* how it speaks */
    bool is_behind;
} peer;

struct hub_live {
    hub_core *hub;
    uint8_t key[32];            /* of words between nodes */
    peer *peers[HUB_LOOPS_MAX]; /* each is its loop's */
    size_t count;               /* atomic */
};

void hub_peer_send_error(peer *to, const char *code, const char *message);

#endif /* SAT_SRC_HUB_PEERS_H */
