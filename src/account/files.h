/*
 * files.h - blobs of a vault's media files, by way of the hub
 *
 * A blob goes in parts of 4 MiB, each under an address that the hub gives out.
 * Only what is missing goes, either way, and a cut costs the part under way.
 * docs/formats/hub-protocol.md.
 */
#ifndef SAT_SRC_ACCOUNT_FILES_H
#define SAT_SRC_ACCOUNT_FILES_H

#include "account/follow.h"

/*
 * Takes the blobs that rows need and this device lacks, and gives those that
 * the hub lacks; once a day it names those that no row needs, for the hub to
 * delete. `name` is the local vault's. After a pull and a push.
 */
SAT_CHECK sat_status sat__files_sync(sat__follow *follow, const char *name,
                                     sat_error *err);

#endif /* SAT_SRC_ACCOUNT_FILES_H */
