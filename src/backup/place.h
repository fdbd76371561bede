/*
 * place.h - where backups are kept
 *
 * A place keeps immutable objects, each named by the SHA-256 of its bytes: the
 * sealed packs of data, and the manifests that make backups of them. It can
 * read none of them. One object is written, and one read, at a time, as a
 * stream; an object is there when it was committed, whole and on the disk, or
 * not at all.
 *
 * It stays on the thread that opened it.
 */
#ifndef SAT_SRC_BACKUP_PLACE_H
#define SAT_SRC_BACKUP_PLACE_H

#include "crypto/root.h"
#include "store/blob.h"

typedef enum sat__place_kind {
    SAT__PLACE_PACK = 1,
    SAT__PLACE_MANIFEST = 2
} sat__place_kind;

/* One object as it is listed. */
typedef struct sat__place_object {
    sat__blob_name name;
    uint64_t size;
    uint64_t written; /* milliseconds since 1970 */
} sat__place_object;

/* Returns SAT_OK to go on; anything else ends the listing with that. */
typedef sat_status sat__place_fn(const sat__place_object *object, void *context,
                                 sat_error *err);

typedef struct sat__place_calls {
    /* `each` must not write or remove. */
    sat_status (*list)(void *self, sat__place_kind kind, sat__place_fn *each,
                       void *context, sat_error *err);

    sat_status (*begin)(void *self, sat__place_kind kind, sat_error *err);
    sat_status (*write)(void *self, sat_bytes bytes, sat_error *err);
    sat_status (*commit)(void *self, sat__blob_name *out, sat_error *err);
    void (*abandon)(void *self); /* what was begun, if anything */

    /* SAT_ERR_NOT_FOUND where there is no such object. */
    sat_status (*open)(void *self, sat__place_kind kind,
                       const sat__blob_name *name, uint64_t *size,
                       sat_error *err);
    /* Reads exactly `len` bytes more; SAT_ERR_CORRUPT where it ends before. */
    sat_status (*read)(void *self, uint8_t *out, size_t len, sat_error *err);

    /* An object that is not there is fine. */
    sat_status (*remove)(void *self, sat__place_kind kind,
                         const sat__blob_name *name, sat_error *err);

    /* SAT_ERR_CORRUPT where more is wrong with it than any object shows. */
    sat_status (*check)(void *self, sat_error *err);
    void (*close)(void *self);
} sat__place_calls;

typedef struct sat__place {
    const sat__place_calls *calls; /* NULL: it is closed */
    void *self;
    char id[33];    /* tells places apart, for this device */
    uint64_t limit; /* bytes of a backup there, 0 for none */
    unsigned keep;  /* backups that stay there; 0: as the caller likes */
} sat__place;

static inline void place_close(sat__place *place)
{
    if (place->calls != NULL)
        place->calls->close(place->self);
    place->calls = NULL;
}
DEFINE_AUTO(sat__place, place_close);

/* What a place is opened for. */
typedef enum sat__place_use {
    SAT__PLACE_READ, /* there must be one; nothing is changed */
    SAT__PLACE_WRITE /* made where it is not there; ours alone, or busy */
} sat__place_use;

/* Who opens a place. A hub wants one of the two. */
typedef struct sat__place_access {
    const sat_env *env;
    sat_profile *profile;    /* whose account "hub" means, or NULL */
    const sat__root *phrase; /* what opens an account at an address, or NULL */
} sat__place_access;

#define SAT_PLACE_HUB "hub"

/* Whether `where` is a hub: SAT_PLACE_HUB, or http://… or https://… */
bool sat__place_is_hub(const char *where);

/*
 * The place `where`: a hub, a folder if that is one or ends in a slash, else a
 * file, which holds everything. SAT_ERR_NOT_FOUND where there is none to read,
 * SAT_ERR_BUSY where another process writes to it.
 */
SAT_CHECK sat_status sat__place_open(const char *where,
                                     const sat__place_access *access,
                                     sat__place_use use, sat__place *out,
                                     sat_error *err);

/* At the account's hub; of a phrase, at the one whose address is `where`. */
SAT_CHECK sat_status sat__place_open_hub(const char *where,
                                         const sat__place_access *access,
                                         sat__place *out, sat_error *err);

/* For the places: reads as their read() does, from a file. */
SAT_CHECK sat_status sat__place_read_file(int fd, uint8_t *out, size_t len,
                                          sat_error *err);

SAT_CHECK sat_status sat__place_open_folder(const char *path,
                                            const sat_env *env,
                                            sat__place_use use, sat__place *out,
                                            sat_error *err);
SAT_CHECK sat_status sat__place_open_file(const char *path, const sat_env *env,
                                          sat__place_use use, sat__place *out,
                                          sat_error *err);

#endif /* SAT_SRC_BACKUP_PLACE_H */
