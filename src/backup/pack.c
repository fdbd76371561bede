/*
 * pack.c - frames of data, in sealed objects of fixed size
 */
#include "backup/pack.h"

#include <zstd.h>

#include "base/error.h"
#include "crypto/labels.h"

static sat__seal_context context_of(const sat__pack_home *home,
                                    uint64_t ordinal)
{
    return (sat__seal_context){
        .purpose = SAT_PURPOSE_BACKUP_PACK,
        .object = bytes_of(home->chain, sizeof home->chain),
        .version = ordinal,
        .device = bytes_of(home->device, sizeof home->device)};
}

uint64_t sat__padme(uint64_t len)
{
    unsigned exponent = 0;
    unsigned bits = 0;
    if (len < 2)
        return len;
    for (uint64_t left = len; left > 1; left >>= 1)
        exponent++;
    for (unsigned left = exponent; left > 0; left >>= 1)
        bits++;
    const uint64_t mask = ((uint64_t)1 << (exponent - bits)) - 1;
    return (len + mask) & ~mask;
}

void sat__pack_writer_clear(sat__pack_writer *writer)
{
    if (writer->place != NULL)
        writer->place->calls->abandon(writer->place->self);
    sat__stream_clear(&writer->stream);
    sat__buf_clear(&writer->chunk);
    sat__buf_clear(&writer->sealed);
    sat__file_key_wipe(&writer->pack.key);
    writer->place = NULL;
}

sat_status sat__pack_begin(sat__pack_writer *writer, sat__place *place,
                           const sat_env *env, const sat__pack_home *home,
                           uint64_t ordinal, sat_error *err)
{
    const sat__seal_context context = context_of(home, ordinal);
    uint8_t header[SAT_STREAM_HEADER_SIZE];
    writer->pack.ordinal = ordinal;
    writer->pack.size = sizeof header;
    writer->filled = 0;
    writer->chunk.len = 0;
    sat__file_key_generate(env, &writer->pack.key);
    TRY(sat__stream_begin(env, &writer->pack.key, &context, header,
                          &writer->stream, err));
    TRY(place->calls->begin(place->self, SAT__PLACE_PACK, err));
    writer->place = place;
    return place->calls->write(place->self, bytes_of(header, sizeof header),
                               err);
}

bool sat__pack_has_room(const sat__pack_writer *writer, size_t stored)
{
    return writer->filled + SAT_FRAME_HEADER_SIZE + stored <= SAT_PACK_SIZE;
}

static sat_status seal_chunk(sat__pack_writer *writer, sat_bytes plain,
                             bool is_last, sat_error *err)
{
    writer->sealed.len = 0;
    TRY(sat__stream_seal(&writer->stream, plain, is_last, &writer->sealed,
                         err));
    writer->pack.size += writer->sealed.len;
    return writer->place->calls->write(writer->place->self,
                                       buf_view(&writer->sealed), err);
}

/* What is held back is a whole chunk at most: it may be the last. */
static sat_status put_plain(sat__pack_writer *writer, sat_bytes bytes,
                            sat_error *err)
{
    sat_buf *const chunk = &writer->chunk;
    writer->filled += bytes.len;
    while (bytes.len > 0) {
        if (chunk->len == SAT_STREAM_CHUNK) {
            TRY(seal_chunk(writer, buf_view(chunk), false, err));
            chunk->len = 0;
        }
        const size_t room = SAT_STREAM_CHUNK - chunk->len;
        const size_t len = bytes.len < room ? bytes.len : room;
        sat__buf_put(chunk, bytes.data, len);
        TRY(sat__buf_status(chunk, err));
        bytes.data += len;
        bytes.len -= len;
    }
    return SAT_OK;
}

static void put_u32(uint8_t *out, size_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        out[i] = (uint8_t)value;
}

static size_t get_u32(const uint8_t *in)
{
    return (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 |
           in[3];
}

sat_status sat__pack_put(sat__pack_writer *writer, sat__frame_method method,
                         size_t len, sat_bytes stored, sat_error *err)
{
    uint8_t header[SAT_FRAME_HEADER_SIZE] = {(uint8_t)method};
    put_u32(header + 1, len);
    put_u32(header + 5, stored.len);
    TRY(put_plain(writer, bytes_of(header, sizeof header), err));
    return put_plain(writer, stored, err);
}

static sat_status put_zeros(sat__pack_writer *writer, uint64_t end,
                            sat_error *err)
{
    static const uint8_t zeros[4096];
    while (writer->filled < end) {
        const uint64_t left = end - writer->filled;
        TRY(put_plain(
            writer,
            bytes_of(zeros, left < sizeof zeros ? (size_t)left : sizeof zeros),
            err));
    }
    return SAT_OK;
}

sat_status sat__pack_end(sat__pack_writer *writer, bool is_full, sat__pack *out,
                         sat_error *err)
{
    const sat__place *const place = writer->place;
    TRY(put_zeros(writer, is_full ? SAT_PACK_SIZE : sat__padme(writer->filled),
                  err));
    TRY(seal_chunk(writer, buf_view(&writer->chunk), true, err));
    TRY(place->calls->commit(place->self, &writer->pack.name, err));
    writer->place = NULL;
    *out = writer->pack;
    return SAT_OK;
}

void sat__pack_reader_clear(sat__pack_reader *reader)
{
    sat__stream_clear(&reader->stream);
    sat__buf_clear(&reader->sealed);
    sat__buf_clear(&reader->plain);
}

static sat_status read_sealed(sat__pack_reader *reader, uint8_t *out,
                              size_t len, sat_error *err)
{
    TRY(reader->place->calls->read(reader->place->self, out, len, err));
    sat__sha256_update(&reader->hash, bytes_of(out, len));
    reader->left -= len;
    return SAT_OK;
}

sat_status sat__pack_open(sat__pack_reader *reader, const sat__place *place,
                          const sat__pack *pack, const sat__pack_home *home,
                          sat_error *err)
{
    const sat__seal_context context = context_of(home, pack->ordinal);
    uint8_t header[SAT_STREAM_HEADER_SIZE];
    uint64_t size;
    const sat_status st = place->calls->open(place->self, SAT__PLACE_PACK,
                                             &pack->name, &size, err);
    if (st == SAT_ERR_NOT_FOUND)
        return sat__fail(err, SAT_ERR_CORRUPT, "object %.16s… is missing",
                         pack->name.text);
    TRY(st);
    if (size != pack->size || size < sizeof header)
        return sat__fail(err, SAT_ERR_CORRUPT, "object %.16s… has another size",
                         pack->name.text);
    reader->place = place;
    reader->pack = pack;
    reader->left = size;
    reader->index = 0;
    reader->used = 0;
    reader->plain.len = 0;
    sat__sha256_init(&reader->hash);
    TRY(read_sealed(reader, header, sizeof header, err));
    return sat__stream_open(&pack->key, &context, header, &reader->stream, err);
}

static sat_status damaged(const sat__pack_reader *reader, sat_error *err)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "object %.16s… is damaged",
                     reader->pack->name.text);
}

static sat_status read_chunk(sat__pack_reader *reader, sat_error *err)
{
    const bool is_last = reader->left <= SAT_STREAM_SEALED_CHUNK;
    const size_t len = is_last ? (size_t)reader->left : SAT_STREAM_SEALED_CHUNK;
    if (len == 0)
        return damaged(reader, err);
    reader->sealed.len = 0;
    if (!sat__buf_reserve(&reader->sealed, len))
        return sat__buf_status(&reader->sealed, err);
    TRY(read_sealed(reader, reader->sealed.data, len, err));
    if (reader->used == reader->plain.len)
        reader->used = reader->plain.len = 0;
    const sat_status st = sat__stream_unseal(
        &reader->stream, reader->index++, is_last,
        bytes_of(reader->sealed.data, len), &reader->plain, err);
    return st == SAT_ERR_AUTH ? damaged(reader, err) : st;
}

/* Appends the next `len` bytes to `out`. */
static sat_status take_plain(sat__pack_reader *reader, size_t len, sat_buf *out,
                             sat_error *err)
{
    while (len > 0) {
        if (reader->used == reader->plain.len)
            TRY(read_chunk(reader, err));
        const size_t there = reader->plain.len - reader->used;
        const size_t part = len < there ? len : there;
        sat__buf_put(out, reader->plain.data + reader->used, part);
        TRY(sat__buf_status(out, err));
        reader->used += part;
        len -= part;
    }
    return SAT_OK;
}

/* Nothing but zeros may follow, and all of it was the object of that name. */
static sat_status end(sat__pack_reader *reader, sat_error *err)
{
    uint8_t digest[SAT_SHA256_SIZE];
    char name[2 * SAT_SHA256_SIZE + 1];
    do {
        for (; reader->used < reader->plain.len; reader->used++)
            if (reader->plain.data[reader->used] != 0)
                return damaged(reader, err);
        if (reader->left > 0)
            TRY(read_chunk(reader, err));
    } while (reader->used < reader->plain.len);
    sat__sha256_final(&reader->hash, digest);
    sat__hex_format(digest, sizeof digest, name);
    return strcmp(name, reader->pack->name.text) == 0 ? SAT_OK
                                                      : damaged(reader, err);
}

static bool is_at_end(const sat__pack_reader *reader)
{
    return reader->left == 0 && reader->used == reader->plain.len;
}

sat_status sat__pack_next(sat__pack_reader *reader, sat__frame_method *method,
                          size_t *len, sat_buf *stored, sat_error *err)
{
    stored->len = 0;
    *method = SAT__FRAME_END;
    if (!is_at_end(reader)) {
        TRY(take_plain(reader, 1, stored, err));
        *method = (sat__frame_method)stored->data[0];
    }
    if (*method == SAT__FRAME_END)
        return end(reader, err);
    TRY(take_plain(reader, SAT_FRAME_HEADER_SIZE - 1, stored, err));
    const size_t bytes = get_u32(stored->data + 5);
    *len = get_u32(stored->data + 1);
    if (*method > SAT__FRAME_ZSTD || *len > SAT_FRAME_MAX || *len == 0 ||
        bytes > *len)
        return damaged(reader, err);
    stored->len = 0;
    return take_plain(reader, bytes, stored, err);
}

sat_status sat__frame_expand(sat__frame_method method, sat_bytes stored,
                             size_t len, uint8_t *out, sat_error *err)
{
    size_t got = stored.len;
    if (method == SAT__FRAME_ZSTD)
        got = ZSTD_decompress(out, SAT_FRAME_MAX, stored.data, stored.len);
    else if (stored.len <= SAT_FRAME_MAX)
        memcpy(out, stored.data, stored.len);
    if (ZSTD_isError(got) || got != len)
        return sat__fail(err, SAT_ERR_CORRUPT, "a frame does not expand");
    return SAT_OK;
}
