/*
 * pack.h - frames of data, in sealed objects of fixed size
 *
 *      frame:  method (1) │ length (4) │ stored (4) │ bytes
 *      pack:   frame │ frame │ … │ zeros
 *
 * A frame is at most SAT_FRAME_MAX bytes, compressed by itself. Frames fill a
 * pack until the next would not fit, and zeros the rest, so that all packs are
 * of one size but the last, whose size says no more than Padmé lets through. A
 * pack is a stream of crypto/stream.h under a random key of its own.
 */
#ifndef SAT_SRC_BACKUP_PACK_H
#define SAT_SRC_BACKUP_PACK_H

#include "backup/place.h"
#include "crypto/stream.h"

#define SAT_PACK_SIZE ((uint64_t)16 << 20) /* of what is sealed in it */
/* Sixteen that can not be compressed fill a pack. */
#define SAT_FRAME_MAX ((size_t)1048320)
#define SAT_FRAME_HEADER_SIZE 9

typedef enum sat__frame_method {
    SAT__FRAME_END = 0, /* nothing but zeros follows */
    SAT__FRAME_STORED = 1,
    SAT__FRAME_ZSTD = 2
} sat__frame_method;

#define SAT_CHAIN_SIZE 16

/* All that is needed to read a pack again. */
typedef struct sat__pack {
    sat__blob_name name;
    uint64_t size;    /* of the object */
    uint64_t ordinal; /* in its chain, from 0 */
    sat__file_key key;
} sat__pack;

/* The size to which a content of `len` bytes is padded (Padmé). */
uint64_t sat__padme(uint64_t len);

/* Where a pack belongs. */
typedef struct sat__pack_home {
    uint8_t chain[SAT_CHAIN_SIZE];
    uint8_t device[SAT_DEVICE_ID_SIZE]; /* that made it */
} sat__pack_home;

/* A pack that is being written; AUTO(sat__pack_writer) abandons it unless it
 * was ended. */
typedef struct sat__pack_writer {
    sat__place *place; /* NULL: none is begun */
    sat__pack pack;
    sat__stream stream;
    sat_buf chunk;  /* not sealed yet, less than a chunk */
    sat_buf sealed; /* on its way to the place */
    uint64_t filled;
} sat__pack_writer;

#define SAT_PACK_WRITER_INIT                                                   \
    {                                                                          \
        .place = NULL, .stream = SAT_STREAM_INIT, .chunk = SAT_BUF_INIT,       \
        .sealed = SAT_BUF_INIT                                                 \
    }

SAT_CHECK sat_status sat__pack_begin(sat__pack_writer *writer,
                                     sat__place *place, const sat_env *env,
                                     const sat__pack_home *home,
                                     uint64_t ordinal, sat_error *err);

/* Whether a frame of `stored` bytes fits in. */
bool sat__pack_has_room(const sat__pack_writer *writer, size_t stored);

SAT_CHECK sat_status sat__pack_put(sat__pack_writer *writer,
                                   sat__frame_method method, size_t len,
                                   sat_bytes stored, sat_error *err);

/* Ends it; `is_full` pads to the full size, else Padmé decides. */
SAT_CHECK sat_status sat__pack_end(sat__pack_writer *writer, bool is_full,
                                   sat__pack *out, sat_error *err);
void sat__pack_writer_clear(sat__pack_writer *writer);
DEFINE_AUTO(sat__pack_writer, sat__pack_writer_clear);

/* A pack that is being read. */
typedef struct sat__pack_reader {
    const sat__place *place;
    const sat__pack *pack;
    sat__stream stream;
    sat__sha256_state hash;
    uint64_t left;  /* sealed bytes */
    uint64_t index; /* of the next chunk */
    sat_buf sealed;
    sat_buf plain; /* read and not used yet, from `used` on */
    size_t used;
} sat__pack_reader;

#define SAT_PACK_READER_INIT                                                   \
    {                                                                          \
        .place = NULL, .stream = SAT_STREAM_INIT, .sealed = SAT_BUF_INIT,      \
        .plain = SAT_BUF_INIT                                                  \
    }

void sat__pack_reader_clear(sat__pack_reader *reader);
DEFINE_AUTO(sat__pack_reader, sat__pack_reader_clear);

/* SAT_ERR_CORRUPT where it is missing or of another size. */
SAT_CHECK sat_status sat__pack_open(sat__pack_reader *reader,
                                    const sat__place *place,
                                    const sat__pack *pack,
                                    const sat__pack_home *home, sat_error *err);

/*
 * The next frame, as it is stored: *len is what it expands to, at most
 * SAT_FRAME_MAX. At the end *method is SAT__FRAME_END, and the whole pack was
 * verified. Whatever is not as it was written fails with SAT_ERR_CORRUPT.
 */
SAT_CHECK sat_status sat__pack_next(sat__pack_reader *reader,
                                    sat__frame_method *method, size_t *len,
                                    sat_buf *stored, sat_error *err);

/* Expands a frame into `out`, which has room for SAT_FRAME_MAX bytes. */
SAT_CHECK sat_status sat__frame_expand(sat__frame_method method,
                                       sat_bytes stored, size_t len,
                                       uint8_t *out, sat_error *err);

#endif /* SAT_SRC_BACKUP_PACK_H */
