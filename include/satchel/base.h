/*
 * base.h - status codes, errors and the conventions every header shares
 *
 * Every call that can fail returns a sat_status. Calls whose failure deserves
 * an explanation take a `sat_error *err` as their last parameter; pass NULL to
 * ignore it. Outputs come just before it and are written only on success.
 */
#ifndef SAT_BASE_H
#define SAT_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SAT_CHECK __attribute__((warn_unused_result))
#define SAT_VISIBILITY(action) _Pragma(#action)
#else
#define SAT_CHECK
#define SAT_VISIBILITY(action)
#endif

#if defined(__cplusplus)
#define SAT_BEGIN_DECLS                                                        \
    SAT_VISIBILITY(GCC visibility push(default)) extern "C"                    \
    {
#define SAT_END_DECLS                                                          \
    }                                                                          \
    SAT_VISIBILITY(GCC visibility pop)
#else
#define SAT_BEGIN_DECLS SAT_VISIBILITY(GCC visibility push(default))
#define SAT_END_DECLS SAT_VISIBILITY(GCC visibility pop)
#endif

SAT_BEGIN_DECLS

/*
 * What went wrong, in terms a caller can act upon. Values are part of the ABI:
 * new ones are appended, old ones keep their number.
 */
typedef enum sat_status {
    SAT_OK = 0,
    SAT_ERR_NOMEM = 1,     /* the system refused memory */
    SAT_ERR_INVALID = 2,   /* an argument breaks the documented contract */
    SAT_ERR_IO = 3,        /* the operating system refused; see os_error */
    SAT_ERR_CORRUPT = 4,   /* the data is not what a correct writer makes */
    SAT_ERR_AUTH = 5,      /* a key, password or signature does not match */
    SAT_ERR_NOT_FOUND = 6, /* the named thing does not exist */
    SAT_ERR_CONFLICT = 7,  /* somebody else changed it first; merge, retry */
    SAT_ERR_SKEW = 8,      /* a peer's clock is too far ahead of ours */
    SAT_ERR_VERSION = 9,   /* made by, or for, a newer version of satchel */
    SAT_ERR_LOCKED = 10,   /* a password or phrase is needed first */
    SAT_ERR_DENIED = 11,   /* the other side does not authorise this device */
    SAT_ERR_OFFLINE = 12,  /* the other side can not be reached, or hung up */
    SAT_ERR_FULL = 13,     /* no space left on the disk, or over a quota */
    SAT_ERR_LIMIT = 14,    /* larger, deeper or longer than is accepted */
    SAT_ERR_BUSY = 15,     /* another process holds it; try again later */
    SAT_ERR_STOPPED = 16,  /* the caller asked to stop; go on later */
    SAT_ERR_UNSUPPORTED = 17, /* this can not be done, and the message why */
    SAT_STATUS_WIDTH_ = 0x7fffffff /* pins the enum to 32 bits */
} sat_status;

/*
 * Why it went wrong, in terms a person can read. Lives wherever the caller puts
 * it, owns no memory, and carries no key, password or user content.
 */
typedef struct sat_error {
    sat_status status; /* equals the value the failing call returned */
    int32_t os_error;  /* errno or its equivalent, 0 when not involved */
    char message[248]; /* one line of UTF-8, always terminated */
} sat_error;

/* The constant's name, such as "SAT_ERR_SKEW", for logs and bug reports. */
const char *sat_status_name(sat_status status);

SAT_END_DECLS

#endif /* SAT_BASE_H */
