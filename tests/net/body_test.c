/*
 * body_test.c - bodies are read within bounds, and written alike
 *
 * The numbers are rows of the list of abuses that a server must withstand.
 */
#include "net/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <zstd.h>

static sat_status read_text(sat__body_type type, const void *data, size_t len)
{
    AUTO_JSON json_t *value = NULL;

    return sat__body_read(type, bytes_of(data, len), &value, NULL);
}

static void json_and_cbor_say_the_same(void **state)
{
    static const char text[] =
        "{\"a\":[1,-2,null,true],\"bb\":{\"c\":1.5},\"key\":\"\xc3\xa9\"}";
    AUTO_JSON json_t *value = NULL;
    AUTO_JSON json_t *again = NULL;
    AUTO(sat__headers) headers = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT;

    (void)state;
    assert_int_equal(sat__body_read(SAT_BODY_JSON, bytes_of(text, strlen(text)),
                                    &value, NULL),
                     SAT_OK);
    assert_int_equal(
        sat__body_write(SAT_BODY_CBOR, value, &headers, &body, NULL), SAT_OK);
    assert_int_equal(sat__body_type_of(&headers), SAT_BODY_CBOR);
    assert_int_equal(
        sat__body_read(SAT_BODY_CBOR, buf_view(&body), &again, NULL), SAT_OK);
    assert_true(json_equal(value, again));
}

static void row_13_strange_json_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[1,]",
        "{\"a\":1,\"a\":2}",
        "NaN",
        "1e999",
        "\"\\ud800\"",
        "\"a\\u0000b\"",
        "\"\xff\"",
        "[1] [2]",
        "{\"a\":1} trail",
        "99999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(read_text(SAT_BODY_JSON, bad[i], strlen(bad[i])),
                         SAT_ERR_CORRUPT);
}

static void row_13_depth_is_bounded(void **state)
{
    AUTO(sat_buf) deep = SAT_BUF_INIT;

    (void)state;
    for (int i = 0; i < 100000; i++)
        sat__buf_put_byte(&deep, '[');
    assert_int_equal(read_text(SAT_BODY_JSON, deep.data, deep.len),
                     SAT_ERR_LIMIT);
    memset(deep.data, 0x81, deep.len);
    assert_int_equal(read_text(SAT_BODY_CBOR, deep.data, deep.len),
                     SAT_ERR_LIMIT);
}

static void row_13_strange_cbor_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\xa2\x61\x61\x01\x61\x61\x02", 7}, /* a key twice */
        {"\x61\x00", 2},                     /* NUL in text */
        {"\x61\xff", 2},                     /* not UTF-8 */
        {"\x63\xed\xa0\x80", 4},             /* a surrogate */
        {"\xfb\x7f\xf8\0\0\0\0\0\0", 9},     /* NaN, which JSON has not */
        {"\x18\x01", 2},                     /* not the shortest form */
        {"\x01\x01", 2},                     /* two values */
        {"\x9f\xff", 2},                     /* indefinite length */
        {"\x41\x61", 2},                     /* bytes, which JSON has not */
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(read_text(SAT_BODY_CBOR, bad[i].bytes, bad[i].len),
                         SAT_ERR_CORRUPT);
}

static void what_is_compressed_comes_back(void **state)
{
    AUTO(sat__headers) headers = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT;

    (void)state;
    for (int i = 0; i < 100000; i++)
        sat__buf_put_text(&body, "0123456789");
    assert_int_equal(sat__body_compress(&headers, &body, NULL), SAT_OK);
    assert_true(body.len < 10000);
    assert_int_equal(sat__body_expand(&headers, &body, 1000000, NULL), SAT_OK);
    assert_int_equal(body.len, 1000000);
    assert_memory_equal(body.data + 999990, "0123456789", 10);
}

static void row_23_a_bomb_does_not_go_off(void **state)
{
    AUTO(sat__headers) headers = {.count = 0};
    AUTO(sat_buf) bomb = SAT_BUF_INIT;
    const size_t size = (size_t)64 << 20;
    AUTO_FREE uint8_t *zeros = calloc(1, size);

    (void)state;
    assert_true(sat__buf_reserve(&bomb, ZSTD_compressBound(size)));
    bomb.len =
        ZSTD_compress(bomb.data, ZSTD_compressBound(size), zeros, size, 1);
    sat__headers_put(&headers, "Content-Encoding", "zstd");
    assert_true(bomb.len < 10000);
    assert_int_equal(sat__body_expand(&headers, &bomb, 1 << 20, NULL),
                     SAT_ERR_LIMIT);
}

static void row_23_other_encodings_are_refused(void **state)
{
    AUTO(sat__headers) gzip = {.count = 0};
    AUTO(sat__headers) zstd = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT;

    (void)state;
    sat__buf_put_text(&body, "not compressed at all");
    sat__headers_put(&gzip, "Content-Encoding", "gzip");
    sat__headers_put(&zstd, "Content-Encoding", "zstd");
    assert_int_equal(sat__body_expand(&gzip, &body, 1000, NULL),
                     SAT_ERR_UNSUPPORTED);
    assert_int_equal(sat__body_expand(&zstd, &body, 1000, NULL),
                     SAT_ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_and_cbor_say_the_same),
        cmocka_unit_test(row_13_strange_json_is_refused),
        cmocka_unit_test(row_13_depth_is_bounded),
        cmocka_unit_test(row_13_strange_cbor_is_refused),
        cmocka_unit_test(what_is_compressed_comes_back),
        cmocka_unit_test(row_23_a_bomb_does_not_go_off),
        cmocka_unit_test(row_23_other_encodings_are_refused),
    };
    return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
