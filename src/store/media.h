/*
 * media.h - one media file, sealed into a blob and back
 */
#ifndef SAT_SRC_STORE_MEDIA_H
#define SAT_SRC_STORE_MEDIA_H

#include "crypto/keys.h"
#include "store/blob.h"

/* All that is needed to read a file again; kept in its row. */
typedef struct sat__media {
    sat__file_key key;
    sat__blob_name blob;
    uint8_t content[SAT_SHA256_SIZE]; /* hash of what the person put in */
    uint64_t size;                    /* of the content */
} sat__media;

void sat__media_wipe(sat__media *media);
DEFINE_AUTO(sat__media, sat__media_wipe);

/* Seals what `source` yields under a new key, into a new blob of `folder`. */
SAT_CHECK sat_status sat__media_seal(const sat_env *env, int source,
                                     const char *folder, sat__media *out,
                                     sat_error *err);

/*
 * Writes the content to `sink`, or nowhere if that is negative. It fails with
 * SAT_ERR_CORRUPT at the first chunk that is damaged, and at the end if the
 * blob is another one; what was written until then is authentic but incomplete.
 */
SAT_CHECK sat_status sat__media_unseal(const char *folder,
                                       const sat__media *media, int sink,
                                       sat_error *err);

#endif /* SAT_SRC_STORE_MEDIA_H */
