/*
 * stream_test.c - chunks can not be moved, repeated, dropped or taken elsewhere
 */
#include "crypto/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "test_env.h"

static const sat__seal_context place = {.purpose = "file", .version = 1};

/* A stream of `size` bytes, sealed whole; its chunks lie one after another. */
typedef struct sealed_stream {
    sat__file_key key;
    uint8_t header[SAT_STREAM_HEADER_SIZE];
    sat_buf plain;
    sat_buf chunks;
} sealed_stream;

static void sealed_stream_clear(sealed_stream *stream)
{
    sat__buf_clear(&stream->plain);
    sat__buf_clear(&stream->chunks);
}

DEFINE_AUTO(sealed_stream, sealed_stream_clear);

static sealed_stream sealed_of(size_t size)
{
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    sealed_stream out = {.plain = SAT_BUF_INIT, .chunks = SAT_BUF_INIT};

    sat__file_key_generate(test_env(), &out.key);
    for (size_t i = 0; i < size; i++)
        sat__buf_put_byte(&out.plain, (uint8_t)(i * 7 >> 3));
    assert_int_equal(sat__stream_begin(test_env(), &out.key, &place, out.header,
                                       &stream, NULL),
                     SAT_OK);
    size_t at = 0;
    do {
        const size_t left = size - at;
        const size_t len = left < SAT_STREAM_CHUNK ? left : SAT_STREAM_CHUNK;
        assert_int_equal(sat__stream_seal(&stream,
                                          bytes_of(out.plain.data + at, len),
                                          at + len == size, &out.chunks, NULL),
                         SAT_OK);
        at += len;
    } while (at < size);
    return out;
}

static size_t count_of(const sealed_stream *stream)
{
    return (stream->chunks.len + SAT_STREAM_SEALED_CHUNK - 1) /
           SAT_STREAM_SEALED_CHUNK;
}

static sat_bytes chunk_of(const sealed_stream *stream, size_t index)
{
    const size_t at = index * SAT_STREAM_SEALED_CHUNK;
    const size_t left = stream->chunks.len - at;
    return bytes_of(stream->chunks.data + at, left < SAT_STREAM_SEALED_CHUNK
                                                  ? left
                                                  : SAT_STREAM_SEALED_CHUNK);
}

static void open_stream(const sealed_stream *sealed, sat__stream *out)
{
    assert_int_equal(
        sat__stream_open(&sealed->key, &place, sealed->header, out, NULL),
        SAT_OK);
}

static void every_length_comes_back_in_its_stated_size(void **state)
{
    static const size_t sizes[] = {
        0, 1, 15, 16, 65535, 65536, 65537, 131071, 131072, 131073, 200000,
    };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        AUTO(sealed_stream) sealed = sealed_of(sizes[i]);
        AUTO(sat__stream) stream = SAT_STREAM_INIT;
        AUTO(sat_buf) opened = SAT_BUF_INIT;
        const size_t count = count_of(&sealed);
        assert_int_equal(SAT_STREAM_HEADER_SIZE + sealed.chunks.len,
                         sat__stream_size(sizes[i]));
        open_stream(&sealed, &stream);
        for (size_t index = 0; index < count; index++)
            assert_int_equal(
                sat__stream_unseal(&stream, index, index + 1 == count,
                                   chunk_of(&sealed, index), &opened, NULL),
                SAT_OK);
        assert_true(bytes_equal(buf_view(&opened), buf_view(&sealed.plain)));
    }
}

static void chunks_are_read_in_any_order(void **state)
{
    (void)state;
    AUTO(sealed_stream) sealed = sealed_of(3 * SAT_STREAM_CHUNK + 5);
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    open_stream(&sealed, &stream);
    for (size_t index = 4; index-- > 0;) {
        AUTO(sat_buf) opened = SAT_BUF_INIT;
        assert_int_equal(sat__stream_unseal(&stream, index, index == 3,
                                            chunk_of(&sealed, index), &opened,
                                            NULL),
                         SAT_OK);
        assert_memory_equal(opened.data,
                            sealed.plain.data + index * SAT_STREAM_CHUNK,
                            opened.len);
    }
}

static void a_chunk_opens_only_in_its_place(void **state)
{
    (void)state;
    AUTO(sealed_stream) sealed = sealed_of(3 * SAT_STREAM_CHUNK);
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    AUTO(sat_buf) opened = SAT_BUF_INIT;
    open_stream(&sealed, &stream);
    for (size_t is = 0; is < 3; is++)
        for (size_t as = 0; as < 4; as++)
            for (int last = 0; last < 2; last++) {
                const bool is_its_place = is == as && last == (is == 2);
                assert_int_equal(sat__stream_unseal(&stream, as, last,
                                                    chunk_of(&sealed, is),
                                                    &opened, NULL),
                                 is_its_place ? SAT_OK : SAT_ERR_AUTH);
            }
}

/* What ends after chunk 1 had a chunk 2: its last chunk does not say "last". */
static void a_stream_that_is_cut_off_is_noticed(void **state)
{
    (void)state;
    AUTO(sealed_stream) sealed = sealed_of(2 * SAT_STREAM_CHUNK + 100);
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    AUTO(sat_buf) opened = SAT_BUF_INIT;
    sat_error err;
    open_stream(&sealed, &stream);
    assert_int_equal(sat__stream_unseal(&stream, 1, true, chunk_of(&sealed, 1),
                                        &opened, &err),
                     SAT_ERR_AUTH);
    assert_string_equal(err.message, "chunk 1 does not authenticate");
    const sat_bytes last = chunk_of(&sealed, 2);
    assert_int_equal(sat__stream_unseal(&stream, 2, true,
                                        bytes_of(last.data, last.len - 1),
                                        &opened, NULL),
                     SAT_ERR_AUTH);
    assert_int_equal(opened.len, 0);
}

static void a_chunk_opens_only_in_its_stream(void **state)
{
    (void)state;
    AUTO(sealed_stream) one = sealed_of(10);
    AUTO(sealed_stream) two = sealed_of(10);
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    AUTO(sat_buf) opened = SAT_BUF_INIT;
    const sat__seal_context other = {.purpose = "file", .version = 2};

    open_stream(&two, &stream);
    assert_int_equal(
        sat__stream_unseal(&stream, 0, true, chunk_of(&one, 0), &opened, NULL),
        SAT_ERR_AUTH);

    /* Under one key, the header's nonce tells them apart. */
    assert_int_equal(
        sat__stream_open(&one.key, &place, two.header, &stream, NULL), SAT_OK);
    assert_int_equal(
        sat__stream_unseal(&stream, 0, true, chunk_of(&one, 0), &opened, NULL),
        SAT_ERR_AUTH);

    assert_int_equal(
        sat__stream_open(&one.key, &other, one.header, &stream, NULL), SAT_OK);
    assert_int_equal(
        sat__stream_unseal(&stream, 0, true, chunk_of(&one, 0), &opened, NULL),
        SAT_ERR_AUTH);
}

static void content_is_cut_in_one_way_only(void **state)
{
    (void)state;
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    AUTO(sat_buf) out = SAT_BUF_INIT;
    AUTO(sealed_stream) whole = sealed_of(SAT_STREAM_CHUNK);
    uint8_t header[SAT_STREAM_HEADER_SIZE];
    const sat_bytes chunk = buf_view(&whole.plain);
    const sat_bytes none = bytes_of(chunk.data, 0);

    assert_int_equal(sat__stream_begin(test_env(), &whole.key, &place, header,
                                       &stream, NULL),
                     SAT_OK);
    assert_int_equal(sat__stream_seal(&stream,
                                      bytes_of(chunk.data, chunk.len - 1),
                                      false, &out, NULL),
                     SAT_ERR_INVALID);
    assert_int_equal(sat__stream_seal(&stream, none, false, &out, NULL),
                     SAT_ERR_INVALID);
    assert_int_equal(sat__stream_seal(&stream, chunk, false, &out, NULL),
                     SAT_OK);
    assert_int_equal(sat__stream_seal(&stream, none, true, &out, NULL),
                     SAT_ERR_INVALID);
    assert_int_equal(sat__stream_seal(&stream, chunk, true, &out, NULL),
                     SAT_OK);
    assert_int_equal(sat__stream_seal(&stream, chunk, true, &out, NULL),
                     SAT_ERR_INVALID);
    assert_int_equal(out.len, 2 * SAT_STREAM_SEALED_CHUNK);
}

static void another_suite_is_refused(void **state)
{
    (void)state;
    AUTO(sealed_stream) sealed = sealed_of(1);
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    sat_error err;
    sealed.header[0] = 2;
    assert_int_equal(
        sat__stream_open(&sealed.key, &place, sealed.header, &stream, &err),
        SAT_ERR_VERSION);
    assert_string_equal(err.message,
                        "sealed by cipher suite 2, which is not known here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_comes_back_in_its_stated_size),
        cmocka_unit_test(chunks_are_read_in_any_order),
        cmocka_unit_test(a_chunk_opens_only_in_its_place),
        cmocka_unit_test(a_stream_that_is_cut_off_is_noticed),
        cmocka_unit_test(a_chunk_opens_only_in_its_stream),
        cmocka_unit_test(content_is_cut_in_one_way_only),
        cmocka_unit_test(another_suite_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
