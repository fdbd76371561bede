/*
 * frame.h - what stands in a frame: pages of a database, or pieces of files
 *
 *      pages:  1 │ vault │ count (2) │ number (4) × count │ page (4096) × count
 *      pieces: 2 │ piece │ piece │ …
 *      piece:  vault │ blob (32) │ content (32) │ key (32) │ header (25) │
 *              size (8) │ offset (8) │ length (4) │ bytes
 *      vault:  length (1) │ name
 *
 * Pages come in ascending order. The pieces of a file come in order too, though
 * pages may stand between them; one at offset 0 begins the file anew.
 */
#ifndef SAT_SRC_BACKUP_FRAME_H
#define SAT_SRC_BACKUP_FRAME_H

#include "backup/pack.h"
#include "crypto/page.h"
#include "satchel/vault.h"

#define SAT_FRAME_PAGES 252 /* at most; they fit with any name */

typedef struct sat__file_piece {
    char vault[SAT_VAULT_NAME_MAX + 1];
    sat__blob_name blob;
    uint8_t content[SAT_SHA256_SIZE]; /* of the whole file */
    sat__file_key key;
    uint8_t header[SAT_STREAM_HEADER_SIZE]; /* of the blob */
    uint64_t size;                          /* of the whole file */
    uint64_t offset;
    sat_bytes bytes;
} sat__file_piece;

/* Writes the head of a frame of pages to `out` and returns its length; the
 * pages follow. */
size_t sat__frame_put_pages(uint8_t *out, const char *vault,
                            const uint32_t *numbers, size_t count);

/* How many bytes of content a piece may have in what is left of a frame with
 * `used` bytes; 0 where it is too little for a piece. */
size_t sat__frame_room(size_t used, const char *vault);

/* Appends a piece to the frame at `out` and returns its new length. `used` is 0
 * where the frame begins. */
size_t sat__frame_put_piece(uint8_t *out, size_t used,
                            const sat__file_piece *piece);

/* What reads a frame. Views end with the call. */
typedef struct sat__frame_sink {
    /* `count` pages from page `first` on. */
    sat_status (*pages)(void *self, const char *vault, uint32_t first,
                        uint32_t count, uint8_t *pages, sat_error *err);
    sat_status (*piece)(void *self, const sat__file_piece *piece,
                        sat_error *err);
    void *self;
} sat__frame_sink;

/* SAT_ERR_CORRUPT where it is not what put_…() writes. Pages may be changed in
 * place. */
SAT_CHECK sat_status sat__frame_read(uint8_t *frame, size_t len,
                                     const sat__frame_sink *sink,
                                     sat_error *err);

#endif /* SAT_SRC_BACKUP_FRAME_H */
