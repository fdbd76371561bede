/*
 * remote.h - whose address a request comes from
 */
#ifndef SAT_SRC_HUB_REMOTE_H
#define SAT_SRC_HUB_REMOTE_H

#include "hub/hub.h"

/* The peer's address; where that is a proxy that the hub was told to trust,
 * what the proxy says at the end of X-Forwarded-For. */
void hub_remote_find(const hub_core *hub, const sat__request *request,
                     char out[SAT_REMOTE_SIZE]);

/* Whether it is this machine, and no proxy speaks for others. */
bool hub_remote_is_here(const hub_core *hub, const char *remote);

#endif /* SAT_SRC_HUB_REMOTE_H */
