/*
 * frame.c - what stands in a frame
 */
#include "backup/frame.h"

#include "base/bytes.h"
#include "base/error.h"
#include "store/secrets.h"

#define KIND_PAGES 1
#define KIND_PIECES 2

/* A piece without the vault's name and its bytes. */
#define PIECE_HEAD                                                             \
    ((size_t)3 * SAT_SHA256_SIZE + SAT_STREAM_HEADER_SIZE + 8 + 8 + 4)

#define PAGES_HEAD_MAX ((size_t)2 + SAT_VAULT_NAME_MAX + 2)
_Static_assert(PAGES_HEAD_MAX + SAT_FRAME_PAGES * (4 + SAT_PAGE_SIZE) <=
                   SAT_FRAME_MAX,
               "a frame of pages is a frame");

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static uint8_t *put_number(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
    return at + bytes;
}

static uint8_t *put_vault(uint8_t *at, const char *vault)
{
    const size_t len = strlen(vault);
    *at++ = (uint8_t)len;
    return put(at, vault, len);
}

size_t sat__frame_put_pages(uint8_t *out, const char *vault,
                            const uint32_t *numbers, size_t count)
{
    uint8_t *at = out;
    *at++ = KIND_PAGES;
    at = put_vault(at, vault);
    at = put_number(at, count, 2);
    for (size_t i = 0; i < count; i++)
        at = put_number(at, numbers[i], 4);
    return (size_t)(at - out);
}

size_t sat__frame_room(size_t used, const char *vault)
{
    const size_t head = (used == 0 ? 1 : used) + 1 + strlen(vault) + PIECE_HEAD;
    return head < SAT_FRAME_MAX ? SAT_FRAME_MAX - head : 0;
}

size_t sat__frame_put_piece(uint8_t *out, size_t used,
                            const sat__file_piece *piece)
{
    uint8_t blob[SAT_SHA256_SIZE] = {0};
    uint8_t *at = out + used;
    if (sat__hex_parse(piece->blob.text, blob, sizeof blob, NULL) != SAT_OK)
        return used; /* a name that was parsed always is one */
    if (used == 0)
        *at++ = KIND_PIECES;
    at = put_vault(at, piece->vault);
    at = put(at, blob, sizeof blob);
    at = put(at, piece->content, sizeof piece->content);
    at = put(at, piece->key.bytes, sizeof piece->key.bytes);
    at = put(at, piece->header, sizeof piece->header);
    at = put_number(at, piece->size, 8);
    at = put_number(at, piece->offset, 8);
    at = put_number(at, piece->bytes.len, 4);
    if (piece->bytes.len > 0)
        at = put(at, piece->bytes.data, piece->bytes.len);
    return (size_t)(at - out);
}

/* What is left of a frame. */
typedef struct rest {
    uint8_t *at;
    size_t len;
} rest;

static sat_status take(rest *in, size_t len, uint8_t **out, sat_error *err)
{
    if (len > in->len)
        return sat__fail(err, SAT_ERR_CORRUPT, "a frame ends too early");
    *out = in->at;
    in->at += len;
    in->len -= len;
    return SAT_OK;
}

static sat_status take_number(rest *in, int bytes, uint64_t *out,
                              sat_error *err)
{
    uint8_t *at;
    TRY(take(in, (size_t)bytes, &at, err));
    *out = 0;
    for (int i = 0; i < bytes; i++)
        *out = *out << 8 | at[i];
    return SAT_OK;
}

static sat_status take_copy(rest *in, void *out, size_t len, sat_error *err)
{
    uint8_t *at;
    TRY(take(in, len, &at, err));
    memcpy(out, at, len);
    return SAT_OK;
}

static sat_status take_vault(rest *in, char out[SAT_VAULT_NAME_MAX + 1],
                             sat_error *err)
{
    uint64_t len;
    TRY(take_number(in, 1, &len, err));
    if (len > SAT_VAULT_NAME_MAX)
        return sat__fail(err, SAT_ERR_CORRUPT, "a name of %u bytes",
                         (unsigned)len);
    TRY(take_copy(in, out, (size_t)len, err));
    out[len] = 0;
    if (strlen(out) != len)
        return sat__fail(err, SAT_ERR_CORRUPT, "a name with a zero in it");
    return sat__vault_name_check(out, err);
}

/* How many of the numbers, from the first on, count up by one. */
static uint32_t run_of(const uint8_t *numbers, uint64_t count, uint32_t *first)
{
    uint32_t run = 0;
    for (; run < count; run++) {
        const uint8_t *const at = numbers + 4 * (size_t)run;
        const uint32_t number = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
                                (uint32_t)at[2] << 8 | at[3];
        if (run == 0)
            *first = number;
        else if (number != *first + run)
            break;
    }
    return run;
}

static sat_status read_pages(rest *in, const sat__frame_sink *sink,
                             sat_error *err)
{
    char vault[SAT_VAULT_NAME_MAX + 1];
    uint64_t count;
    uint32_t after = 1; /* the lowest number that may come */
    uint8_t *numbers;
    uint8_t *pages;
    TRY(take_vault(in, vault, err));
    TRY(take_number(in, 2, &count, err));
    TRY(take(in, 4 * (size_t)count, &numbers, err));
    TRY(take(in, SAT_PAGE_SIZE * (size_t)count, &pages, err));
    if (in->len > 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "a frame goes on");
    while (count > 0) {
        uint32_t first = 0;
        const uint32_t run = run_of(numbers, count, &first);
        if (first < after || first > UINT32_MAX - run)
            return sat__fail(err, SAT_ERR_CORRUPT, "pages out of order");
        TRY(sink->pages(sink->self, vault, first, run, pages, err));
        after = first + run;
        numbers += 4 * (size_t)run;
        pages += SAT_PAGE_SIZE * (size_t)run;
        count -= run;
    }
    return SAT_OK;
}

static sat_status read_piece(rest *in, sat__file_piece *out, sat_error *err)
{
    uint8_t blob[SAT_SHA256_SIZE];
    uint64_t len;
    uint8_t *bytes;
    TRY(take_vault(in, out->vault, err));
    TRY(take_copy(in, blob, sizeof blob, err));
    sat__hex_format(blob, sizeof blob, out->blob.text);
    TRY(take_copy(in, out->content, sizeof out->content, err));
    TRY(take_copy(in, out->key.bytes, sizeof out->key.bytes, err));
    TRY(take_copy(in, out->header, sizeof out->header, err));
    TRY(take_number(in, 8, &out->size, err));
    TRY(take_number(in, 8, &out->offset, err));
    TRY(take_number(in, 4, &len, err));
    TRY(take(in, (size_t)len, &bytes, err));
    if (out->size > INT64_MAX / 2 || out->offset > out->size ||
        len > out->size - out->offset || (len == 0 && out->size > 0))
        return sat__fail(err, SAT_ERR_CORRUPT, "a piece beyond its file");
    out->bytes = bytes_of(bytes, (size_t)len);
    return SAT_OK;
}

static sat_status read_pieces(rest *in, const sat__frame_sink *sink,
                              sat_error *err)
{
    while (in->len > 0) {
        sat__file_piece piece;
        sat_status st = read_piece(in, &piece, err);
        if (st == SAT_OK)
            st = sink->piece(sink->self, &piece, err);
        sat__file_key_wipe(&piece.key);
        TRY(st);
    }
    return SAT_OK;
}

sat_status sat__frame_read(uint8_t *frame, size_t len,
                           const sat__frame_sink *sink, sat_error *err)
{
    rest in = {frame, len};
    uint64_t kind;
    TRY(take_number(&in, 1, &kind, err));
    if (kind == KIND_PAGES)
        return read_pages(&in, sink, err);
    if (kind == KIND_PIECES)
        return read_pieces(&in, sink, err);
    return sat__fail(err, SAT_ERR_CORRUPT, "a frame of an unknown kind");
}
