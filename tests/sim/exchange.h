/*
 * exchange.h - one step of a pull, on either side
 *
 *      puller                         source
 *      staged() ── request: base, cursor ──> read()
 *      stage()  <── reply: page, knowledge ──
 *      apply()  once the last page is there
 */
#ifndef SAT_TESTS_SIM_EXCHANGE_H
#define SAT_TESTS_SIM_EXCHANGE_H

#include "device.h"

typedef struct message {
    int from, to;
    uint64_t number; /* in the order in which they were sent */
    bool is_request;
    bool is_last;    /* of its pull's pages */
    bool is_behind;  /* the puller has missed deletions that are forgotten */
    sat_buf base;    /* of a request */
    sat_buf body;    /* the cursor of a request, the page of a reply */
    sat_buf head;    /* with a last page: what a hub has shown the source */
    knowledge known; /* what the page's knowledge is, to the reference */
} message;

message *message_new(int from, int to, bool is_request);
message *message_copy(const message *m);
void message_free(message *m);

/* Where the puller stands: fills `request`, or, where everything is there
 * already, applies it; then *asks is false. */
bool exchange_ask(device *d, const sim_schema *schema, const device *source,
                  message *request, bool *asks);

/* Answers the `request` of `asker`; *answers is false where the disk failed
 * meanwhile. */
bool exchange_answer(device *d, const sim_schema *schema, const device *asker,
                     const message *request, uint32_t rows, message *reply,
                     bool *answers);

/* Takes a reply in; *more says that the puller should ask for the next page. */
bool exchange_take(device *d, const sim_schema *schema, const device *source,
                   const message *reply, bool *more);

#endif /* SAT_TESTS_SIM_EXCHANGE_H */
