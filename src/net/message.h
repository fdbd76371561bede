/*
 * message.h - an HTTP request and its response
 *
 * Plain values, the same for a server, a client and a test. Whoever makes one
 * clears it; views that are got from it live until it changes.
 */
#ifndef SAT_SRC_NET_MESSAGE_H
#define SAT_SRC_NET_MESSAGE_H

#include "base/buf.h"

#define SAT_HEADERS_MAX 64
#define SAT_HEAD_SIZE_MAX ((size_t)16 * 1024)
#define SAT_TARGET_SIZE_MAX ((size_t)8 * 1024)

/* Fields by name, in any case. A name that comes again joins its values with
 * ", " as RFC 9110 has it. */
typedef struct sat__headers {
    sat_buf text; /* "name\0value\0" each */
    size_t count;
    struct {
        size_t name, value; /* where they begin in text */
    } at[SAT_HEADERS_MAX];
} sat__headers;

void sat__headers_clear(sat__headers *headers);

/* False where the field is one too many, or memory was refused. */
SAT_CHECK bool sat__headers_add(sat__headers *headers, sat_bytes name,
                                sat_bytes value);

/* For our own messages: whatever goes wrong is seen by headers_status(). */
void sat__headers_put(sat__headers *headers, const char *name,
                      const char *value);
SAT_CHECK sat_status sat__headers_status(const sat__headers *headers,
                                         sat_error *err);

/* The value of the field, or NULL. */
const char *sat__headers_get(const sat__headers *headers, const char *name);

/* Where the body of a request goes as it comes, instead of into memory. */
typedef struct sat__body_sink {
    void *self; /* NULL: there is none */
    bool (*take)(void *self, sat_bytes bytes);
    void (*close)(void *self);
} sat__body_sink;

/* What of a response follows its body in memory, and is never there. */
typedef struct sat__body_file {
    bool is_open;
    int fd; /* read from where it stands */
    uint64_t left;
} sat__body_file;

typedef struct sat__request {
    char method[12];
    sat_buf target; /* "/path?query" as it was sent */
    sat__headers headers;
    sat_buf body;
    sat__body_sink sink; /* set by who answers, before the body comes */
    uint8_t signer[32];  /* the Ed25519 key that signed it … */
    bool is_signed;      /* … once that has been verified */
    void *ticket;        /* of the server that took it, or NULL */
    const void *route;   /* what its handler found when it began, or NULL */
} sat__request;

typedef struct sat__response {
    unsigned status;
    sat__headers headers;
    sat_buf body;
    sat__body_file file;
    bool must_close; /* nothing more is read from this connection */
} sat__response;

void sat__request_clear(sat__request *request);
void sat__response_clear(sat__response *response);

DEFINE_AUTO(sat__headers, sat__headers_clear);
DEFINE_AUTO(sat__request, sat__request_clear);
DEFINE_AUTO(sat__response, sat__response_clear);

/* Fills in method and target; memory that was refused shows in the target. */
void sat__request_set(sat__request *request, const char *method,
                      const char *target);

/* The target before '?', and from '?' on, "?" where there is none (RFC 9421).
 */
sat_bytes sat__request_path(const sat__request *request);
sat_bytes sat__request_query(const sat__request *request);

/*
 * Reads parameter `name` of the query into `out`. Values of A-Z a-z 0-9 - _ . ~
 * are understood, nothing is escaped: SAT_ERR_NOT_FOUND when it is not there,
 * SAT_ERR_INVALID when it is another value or comes twice.
 */
SAT_CHECK sat_status sat__request_parameter(const sat__request *request,
                                            const char *name, char *out,
                                            size_t size, sat_error *err);

/* The message in bytes, appended to `out`. */
void sat__request_write(const sat__request *request, sat_buf *out);
void sat__response_write(const sat__response *response, sat_buf *out);

/* Turns `response` into a problem (RFC 9457) whose `detail` is a sentence. */
void sat__response_problem(sat__response *response, unsigned status,
                           const char *detail);

/* The reason phrase of a status, such as "Not Found". */
const char *sat__reason_phrase(unsigned status);

#endif /* SAT_SRC_NET_MESSAGE_H */
