/*
 * seal.c - compressing, padding and sealing an item, and back
 */
#include "items/seal.h"

#include <zstd.h>

#include "base/error.h"
#include "crypto/labels.h"

#define HEAD 5
#define PAD_MIN 256
#define LEVEL 1

enum { HOW_PLAIN = 0, HOW_ZSTD = 1 };

struct sat__item_press {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
    sat_buf plain; /* of the item at hand; wiped with the press */
};

sat_status sat__item_press_new(sat__item_press **out, sat_error *err)
{
    AUTO_PTR(sat__item_press) press = calloc(1, sizeof *press);
    if (press != NULL) {
        press->pack = ZSTD_createCCtx();
        press->unpack = ZSTD_createDCtx();
    }
    if (press == NULL || press->pack == NULL || press->unpack == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    *out = TAKE(press);
    return SAT_OK;
}

void sat__item_press_free(sat__item_press *press)
{
    if (press == NULL)
        return;
    (void)ZSTD_freeCCtx(press->pack);
    (void)ZSTD_freeDCtx(press->unpack);
    sat__buf_clear(&press->plain);
    free(press);
}

/* The last bits of the length become zero: as many as its exponent has no
 * digits for. */
size_t sat__padded(size_t len)
{
    if (len <= PAD_MIN)
        return PAD_MIN;
    const unsigned exponent = 63u - (unsigned)__builtin_clzll(len);
    const unsigned digits = 64u - (unsigned)__builtin_clzll(exponent);
    const size_t mask = ((size_t)1 << (exponent - digits)) - 1;
    return (len + mask) & ~mask;
}

static void put_head(sat_buf *plain, uint8_t how, size_t len)
{
    plain->data[0] = how;
    for (int i = 0; i < 4; i++)
        plain->data[1 + i] = (uint8_t)(len >> (24 - 8 * i));
}

/* The content behind its head, compressed where that pays. */
static sat_status pack(sat__item_press *press, bool is_compressed,
                       sat_bytes content, sat_error *err)
{
    sat_buf *const plain = &press->plain;
    const size_t bound = ZSTD_compressBound(content.len);
    plain->len = 0;
    if (!sat__buf_reserve(plain, HEAD + sat__padded(bound)))
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    plain->len = HEAD;
    if (is_compressed && HEAD + content.len > PAD_MIN) {
        const size_t packed =
            ZSTD_compressCCtx(press->pack, plain->data + HEAD, bound,
                              content.data, content.len, LEVEL);
        if (!ZSTD_isError(packed) && packed < content.len) {
            plain->len = HEAD + packed;
            put_head(plain, HOW_ZSTD, packed);
            return SAT_OK;
        }
    }
    sat__buf_put(plain, content.data, content.len);
    put_head(plain, HOW_PLAIN, content.len);
    return SAT_OK;
}

static sat_status pad(sat_buf *plain, sat_error *err)
{
    const size_t more = sat__padded(plain->len) - plain->len;
    if (!sat__buf_reserve(plain, more))
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    memset(plain->data + plain->len, 0, more);
    plain->len += more;
    return SAT_OK;
}

static sat__seal_context context_of(const sat__item_keys *keys,
                                    const sat__item_place *place)
{
    return (sat__seal_context){
        .purpose = SAT_PURPOSE_ITEM,
        .vault = bytes_of(keys->vault, sizeof keys->vault),
        .object = bytes_of(place->id, SAT_ITEM_ID_SIZE),
        .epoch = bytes_of(place->epoch, SAT_EPOCH_ID_SIZE),
        .version = place->version,
        .device = bytes_of(place->device, SAT_DEVICE_ID_SIZE)};
}

static sat_status epoch_of(const sat__item_keys *keys,
                           const sat__item_place *place,
                           const sat__item_epoch **out, sat_error *err)
{
    *out = sat__item_keys_find(keys, place->epoch);
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_DENIED,
                         "an item of an epoch to which this device has no key");
    return SAT_OK;
}

sat_status sat__item_seal(const sat_env *env, sat__item_press *press,
                          const sat__item_keys *keys,
                          const sat__item_place *place, sat_bytes content,
                          sat_buf *out, sat_error *err)
{
    const sat__seal_context context = context_of(keys, place);
    const sat__item_epoch *epoch;
    if (content.len > SAT_ITEM_CONTENT_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "a row of %zu bytes is too large for the hub",
                         content.len);
    TRY(epoch_of(keys, place, &epoch, err));
    TRY(pack(press, keys->is_compressed, content, err));
    TRY(pad(&press->plain, err));
    return sat__seal(env, &epoch->item_key, &context, buf_view(&press->plain),
                     out, err);
}

static sat_status no_item(sat_error *err)
{
    return sat__fail(err, SAT_ERR_CORRUPT,
                     "what was sealed as an item is none");
}

static sat_status unpack(sat__item_press *press, sat_bytes packed, sat_buf *out,
                         sat_error *err)
{
    const unsigned long long size =
        ZSTD_getFrameContentSize(packed.data, packed.len);
    if (size > SAT_ITEM_CONTENT_MAX) /* unknown, too */
        return no_item(err);
    if (!sat__buf_reserve(out, (size_t)size + 1))
        return sat__buf_status(out, err);
    const size_t got =
        ZSTD_decompressDCtx(press->unpack, out->data + out->len, (size_t)size,
                            packed.data, packed.len);
    if (ZSTD_isError(got) || got != size)
        return no_item(err);
    out->len += got;
    return SAT_OK;
}

static sat_status open_plain(sat__item_press *press, sat_buf *out,
                             sat_error *err)
{
    const sat_buf *const plain = &press->plain;
    size_t len = 0;
    uint8_t rest = 0;
    if (plain->len < PAD_MIN)
        return no_item(err);
    for (int i = 0; i < 4; i++)
        len = len << 8 | plain->data[1 + i];
    if (len > plain->len - HEAD || sat__padded(HEAD + len) != plain->len)
        return no_item(err);
    for (size_t i = HEAD + len; i < plain->len; i++)
        rest |= plain->data[i];
    if (rest != 0 || plain->data[0] > HOW_ZSTD)
        return no_item(err);
    const sat_bytes content = bytes_of(plain->data + HEAD, len);
    if (plain->data[0] == HOW_ZSTD)
        return unpack(press, content, out, err);
    sat__buf_put(out, content.data, content.len);
    return sat__buf_status(out, err);
}

sat_status sat__item_unseal(sat__item_press *press, const sat__item_keys *keys,
                            const sat__item_place *place, sat_bytes sealed,
                            sat_buf *out, sat_error *err)
{
    const sat__seal_context context = context_of(keys, place);
    const sat__item_epoch *epoch;
    TRY(epoch_of(keys, place, &epoch, err));
    press->plain.len = 0;
    TRY(sat__unseal(&epoch->item_key, &context, sealed, &press->plain, err));
    return open_plain(press, out, err);
}
