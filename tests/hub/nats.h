/*
 * nats.h - a real nats-server that a test starts for itself
 */
#ifndef SAT_TESTS_HUB_NATS_H
#define SAT_TESTS_HUB_NATS_H

#include <stddef.h>

/* nats://127.0.0.1:PORT of the one server, which is started where it is not. */
const char *nats_url(void);

/* It is gone, and is there again at the same port. */
void nats_stop(void);
void nats_start(void);

/* It holds its breath: connections stay, nothing is read. */
void nats_hang(void);
void nats_go_on(void);

#endif /* SAT_TESTS_HUB_NATS_H */
