/*
 * manifest_form.h - what a manifest's writer and its reader agree on
 */
#ifndef SAT_SRC_BACKUP_MANIFEST_FORM_H
#define SAT_SRC_BACKUP_MANIFEST_FORM_H

#include "backup/manifest.h"
#include "crypto/labels.h"

#define MANIFEST_TITLE "satchel backup"
#define MANIFEST_FORMAT 1
#define MANIFEST_SIGNED_FIELDS 10
#define MANIFEST_SEALED_FIELDS 12

static inline void manifest_checksum(sat_bytes open, sat_bytes sealed,
                                     uint8_t out[SAT_SHA256_SIZE])
{
    sat__sha256_state hash;
    sat__sha256_init(&hash);
    sat__sha256_update(&hash, open);
    sat__sha256_update(&hash, sealed);
    sat__sha256_final(&hash, out);
}

static inline sat__seal_context manifest_context(
    const sat__manifest *manifest, const uint8_t open[SAT_SHA256_SIZE])
{
    return (sat__seal_context){.purpose = SAT_PURPOSE_BACKUP_MANIFEST,
                               .object = bytes_of(open, SAT_SHA256_SIZE),
                               .version = manifest->number,
                               .device =
                                   bytes_of(manifest->keys.device.sign,
                                            sizeof manifest->keys.device.sign)};
}

#endif /* SAT_SRC_BACKUP_MANIFEST_FORM_H */
