/*
 * blob_routes.h - what routes that hand out blobs have in common
 */
#ifndef SAT_SRC_HUB_BLOB_ROUTES_H
#define SAT_SRC_HUB_BLOB_ROUTES_H

#include <stdio.h>

#include "hub/hub.h"

/* What a blob is for. */
enum hub_blob_purpose {
    HUB_BLOB_VAULT = 1,
    HUB_BLOB_BACKUP = 2,
    HUB_BLOB_TRANSFER = 3
};

/* Reads "size" and "sha256", for a store that wants it "md5", and makes a key;
 * 413 beyond `size_max`. */
SAT_CHECK sat_status hub_blob_announce(hub_call *call, const uint8_t *vault,
                                       int64_t size_max, hub_blob *out,
                                       sat_error *err);

/* Within work: keeps what was announced, against the account's quota. */
SAT_CHECK sat_status hub_blob_store(hub_db *db, hub_call *call,
                                    const hub_blob *blob, const uint8_t *vault,
                                    int64_t purpose, bool *is_full,
                                    sat_error *err);

/* Answers {key, url, headers?, expires_at}, or {url, size, sha256, expires_at}.
 */
SAT_CHECK sat_status hub_blob_answer_upload(hub_call *call,
                                            const hub_blob *blob,
                                            sat_error *err);
SAT_CHECK sat_status hub_blob_answer_download(hub_call *call,
                                              const hub_blob *blob,
                                              sat_error *err);

/* Writes the field "url", and "headers" where an upload must come with some:
 * hub_blob_upload_parts() fields. */
SAT_CHECK sat_status hub_blob_put_url(hub_call *call, hub_out *out,
                                      const hub_blob *blob, bool is_upload,
                                      sat_error *err);

size_t hub_blob_upload_parts(const hub_call *call, const hub_blob *blob);

/* The field `name` of the body, as a key. */
SAT_CHECK sat_status hub_blob_read_key(const hub_call *call, const char *name,
                                       char out[HUB_BLOB_KEY_SIZE],
                                       sat_error *err);

/* A row of key, size, hash. */
SAT_CHECK sat_status hub_blob_row(const hub_rows *rows, hub_blob *out,
                                  sat_error *err);

/* 422 unless the store has it with its size. */
SAT_CHECK sat_status hub_blob_check(hub_call *call, const hub_blob *blob,
                                    sat_error *err);

/*
 * Within the work that deletes a row of blobs: the store is to forget it too.
 * It is removed again by the sweep, once no address that was given out can
 * bring it back; so a store that is away, or a hub that is killed, leaves
 * nothing behind.
 */
SAT_CHECK sat_status hub_blob_gone(hub_db *db, const hub_core *hub,
                                   const char *key, sat_error *err);

/* Within work: the blob goes, and its place in the account's quota is free. */
SAT_CHECK sat_status hub_blob_forget(hub_db *db, const hub_core *hub,
                                     const char *key, sat_error *err);

/* After that work: removes it now, where the store can be asked. */
void hub_blob_remove(const hub_core *hub, const char *key);

/* What is due; called by the clock. */
SAT_CHECK sat_status hub_blob_sweep(hub_core *hub, sat_error *err);

/* Whether the request's address was given out, and how large its body may be;
 * where that is an upload, it is written as it comes. */
SAT_CHECK sat_status hub_blob_begin(hub_call *call, sat__request *request,
                                    size_t *body_max, sat_error *err);

#endif /* SAT_SRC_HUB_BLOB_ROUTES_H */
