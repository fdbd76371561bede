/*
 * nodes.h - one hub of two satchel-hub processes, over a PostgreSQL, an S3 and
 * a NATS that are real
 *
 * People ask either node through a town of its own; both have the same origin,
 * as behind a proxy.
 */
#ifndef SAT_TESTS_HUB_NODES_H
#define SAT_TESTS_HUB_NODES_H

#include "town.h"

#define NODES 2

typedef struct nodes {
    char folder[300], database[400], bucket[200];
    struct {
        pid_t pid;
        char listen[40]; /* "127.0.0.1:0" until it has said where */
        town town;
    } at[NODES];
} nodes;

void nodes_open(nodes *n);
void nodes_close(nodes *n);
DEFINE_AUTO(nodes, nodes_close);

/* Ends one by this signal, and begins it again where it was. */
void nodes_end(nodes *n, size_t i, int how);
void nodes_begin(nodes *n, size_t i);

/* Another connection to a node; closed by the caller. */
void nodes_connect(const nodes *n, size_t i, town *out);

/* The same person, at another node. */
citizen at_town(const citizen *c, town *t);

/* Another device of the account, in its chain and logged in there. */
void citizen_add_device(citizen *owner, town *at, citizen *out);

/* And for ever out of it. */
void citizen_revoke(citizen *owner, const citizen *device);

/* Says who it is, and hears AUTH_SUCCESS; `c` says where. */
sat__live *live_connect(const citizen *c);

#endif /* SAT_TESTS_HUB_NODES_H */
