/*
 * host_work.h - answers that take long, made one after the other on a thread
 *
 * Merging may take a while, and a replica is for one thread at a time. So what
 * concerns it waits in line here, while the server's own thread goes on to take
 * requests, to refuse strangers and to say that it is well.
 */
#ifndef SAT_SRC_PEER_HOST_WORK_H
#define SAT_SRC_PEER_HOST_WORK_H

#include "net/message.h"

/* Makes the answer to one request; on the thread. */
typedef void sat__host_answer_fn(void *context, sat__request *request,
                                 sat__response *response);

typedef struct sat__host_work sat__host_work;

SAT_CHECK sat_status sat__host_work_new(sat__host_answer_fn *answer,
                                        void *context, sat__host_work **out,
                                        sat_error *err);

/* Finishes what is in line. */
void sat__host_work_free(sat__host_work *work);

/* Puts a request of the server's in line. False where there is no memory or no
 * thread for it; then nothing happens. */
bool sat__host_work_add(sat__host_work *work, sat__request *request,
                        sat__response *response);

#endif /* SAT_SRC_PEER_HOST_WORK_H */
