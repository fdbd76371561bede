/*
 * log.h - what a hub says of itself, a line each, to stderr
 *
 *      2026-12-01T10:00:00.000Z request id=… method=GET route=/api/vaults …
 *      {"time":"2026-12-01T10:00:00.000Z","event":"request","id":"…",…}
 *
 * A route stands for the path, so that no id and no token is in it. Any thread
 * may use it.
 */
#ifndef SAT_SRC_HUB_LOG_H
#define SAT_SRC_HUB_LOG_H

#include <stdbool.h>
#include <stdint.h>

#define HUB_REQUEST_ID_SIZE 65

/* One that was answered. */
typedef struct hub_log_entry {
    char id[HUB_REQUEST_ID_SIZE]; /* the answer has it as X-Request-Id */
    const char *method, *route, *remote;
    unsigned status;
    uint64_t us;
} hub_log_entry;

/* How lines are written from now on. */
void hub_log_begin(bool is_json);

void hub_log_event(const char *event, const char *detail);
void hub_log_request(const hub_log_entry *entry);

#endif /* SAT_SRC_HUB_LOG_H */
