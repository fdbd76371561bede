/*
 * live.h - word of changes to whoever is connected
 *
 * A word carries a vault and its sequence, and small pushes the items as well.
 * It may be lost: the cursor is the truth. Whoever does not take what is sent
 * is told once to pull, and gets sequences only until it has caught up.
 */
#ifndef SAT_SRC_HUB_LIVE_H
#define SAT_SRC_HUB_LIVE_H

#include "hub/push.h"

extern const sat__socket_handler hub_live_sockets;

SAT_CHECK sat_status hub_live_new(hub_core *hub, hub_live **out,
                                  sat_error *err);
void hub_live_free(hub_live *live);

/* A push was stored. */
void hub_live_push(hub_live *live, const push *p);

/* The chain of an account, or of a vault, has grown; the other is NULL. */
void hub_live_chain(hub_live *live, const uint8_t *account,
                    const uint8_t *vault);

/* A media file of the vault has come whole. */
void hub_live_file(hub_live *live, const uint8_t vault[32]);

/* The devices of the account are to make a backup, within so long. */
void hub_live_backup(hub_live *live, const uint8_t account[32],
                     int64_t within_ms);

/* Whether a device is connected here. */
typedef struct hub_live_mark {
    uint8_t device[32];
    bool is_connected;
} hub_live_mark;

/* Finds that out for devices of the account; not on a loop, for which it
 * waits. */
void hub_live_look(hub_live *live, const uint8_t account[32],
                   hub_live_mark *marks, size_t count);

/* How far a transfer is: for its account, and for whoever claimed it by the
 * token of that hash. */
void hub_live_transfer(hub_live *live, const uint8_t account[32],
                       const uint8_t token_hash[32], const char *state);

/* Sessions of the account may have ended: those that have are closed. */
void hub_live_check(hub_live *live, const uint8_t account[32]);

/* From now on it hears what other nodes say. The server is there, and the bus
 * is deaf again before the server stops. */
void hub_live_listen(hub_live *live);

/* Called every two seconds: looks for sessions that have ended elsewhere, where
 * there are other nodes, since word of that may be lost. */
void hub_live_watch(hub_live *live);

/* Called each second: ends those that have not said who they are. */
void hub_live_tick(hub_live *live);

/* How many are connected. */
size_t hub_live_count(const hub_live *live);

#endif /* SAT_SRC_HUB_LIVE_H */
