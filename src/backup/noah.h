/*
 * noah.h - the interchange format of backups under a mnemonic phrase
 *
 *      base64( 1 │ salt (16) │ IV (12) │ ciphertext │ tag (16) )
 *      base64(                 IV (12) │ ciphertext │ tag (16) )     older
 *
 * AES-256-GCM under PBKDF2-HMAC-SHA256 of the words: 600,000 iterations, or in
 * the older format 10,000 with the first 16 bytes of the words' SHA-256 as
 * salt.
 */
#ifndef SAT_SRC_BACKUP_NOAH_H
#define SAT_SRC_BACKUP_NOAH_H

#include "base/sqlite.h"
#include "crypto/phrase.h"
#include "satchel/backup.h"

#define SAT_NOAH_SIZE_MAX ((size_t)512 << 20)

/* Appends the text to `out`. */
SAT_CHECK sat_status sat__noah_seal(const sat_env *env,
                                    const sat__phrase *phrase, sat_noah format,
                                    sat_bytes plain, sat_buf *out,
                                    sat_error *err);

/* Appends what is inside to `out`; either format. */
SAT_CHECK sat_status sat__noah_unseal(const sat__phrase *phrase, sat_bytes text,
                                      sat_buf *out, sat_error *err);

/*
 * The zip inside: vaults/NAME.sqlite, and beside it vaults/NAME.files/BLOB for
 * each media file of its table satchel_file, sealed as it is on the device.
 */
SAT_CHECK sat_status sat__noah_pack(sat_profile *profile, sat_buf *out,
                                    sat_error *err);
SAT_CHECK sat_status sat__noah_unpack(sat_profile *profile, sat_bytes zip,
                                      sat_noah_report *out, sat_error *err);

#endif /* SAT_SRC_BACKUP_NOAH_H */
