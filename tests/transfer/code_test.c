/*
 * code_test.c - a code survives being scanned and typed, and nothing else
 *
 * The pictures are read back by zbar, which is not ours.
 */
#include "transfer/code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <ctype.h>

#include "base/cbor.h"
#include "crypto/base32.h"
#include "crypto/labels.h"
#include "store/scan.h"
#include "transfer/qr.h"

static const sat__transfer_code sample = {
    .hub = "https://hub.example:7441",
    .token = "0123456789abcdefedcba9876543210",
    .exchange = "0123456789abcde0123456789abcdef",
    .secret = "fedcba987654321",
};

static const char *sample_text(sat_buf *out)
{
    assert_int_equal(sat__transfer_code_format(&sample, out, NULL), SAT_OK);
    return sat__buf_text(out);
}

static sat_status parse(const char *text, sat__transfer_code *out)
{
    return sat__transfer_code_parse(bytes_of(text, strlen(text)), out, NULL);
}

static void a_code_reads_back(void **state)
{
    (void)state;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(sat__transfer_code) again;
    assert_int_equal(parse(sample_text(&text), &again), SAT_OK);
    assert_memory_equal(&again, &sample, sizeof sample);
}

static void it_may_be_typed_carelessly(void **state)
{
    (void)state;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(sat_buf) typed = SAT_BUF_INIT;
    AUTO(sat__transfer_code) again;
    const char *at = sample_text(&text);
    sat__buf_put_text(&typed, "  \n");
    for (size_t i = 0; at[i] != 0; i++) {
        sat__buf_put_byte(&typed, (uint8_t)tolower(at[i]));
        if (i > 8 && i % 5 == 0)
            sat__buf_put_byte(&typed, i % 2 == 0 ? '-' : ' ');
    }
    sat__buf_put_text(&typed, "\r\n");
    assert_int_equal(parse(sat__buf_text(&typed), &again), SAT_OK);
    assert_memory_equal(&again, &sample, sizeof sample);
}

static void every_mistyped_character_is_noticed(void **state)
{
    (void)state;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(sat__transfer_code) out;
    (void)sample_text(&text);
    for (size_t i = strlen("SATCHEL:"); i < text.len; i++) {
        const uint8_t was = text.data[i];
        text.data[i] = was == '7' ? '8' : '7';
        assert_int_equal(parse(sat__buf_text(&text), &out), SAT_ERR_INVALID);
        text.data[i] = was;
    }
    for (size_t len = 0; len < text.len; len++)
        assert_int_equal(
            sat__transfer_code_parse(bytes_of(text.data, len), &out, NULL),
            SAT_ERR_INVALID);
}

static void a_newer_code_says_so(void **state)
{
    (void)state;
    AUTO(sat_buf) raw = SAT_BUF_INIT;
    AUTO(sat__transfer_code) out;
    uint8_t check[SAT_KEY_SIZE];
    char text[128] = "SATCHEL:";
    sat__cbor_put_array(&raw, 2);
    sat__cbor_put_uint(&raw, 2);
    sat__cbor_put_str(&raw, "what we do not know");
    sat__derive(buf_view(&raw), SAT_LABEL_TRANSFER_CHECK, check);
    sat__buf_put(&raw, check, 4);
    sat__base32_format(SAT_BASE32_CROCKFORD, buf_view(&raw),
                       text + strlen(text));
    assert_int_equal(parse(text, &out), SAT_ERR_VERSION);
}

static void the_picture_is_read_by_a_scanner(void **state)
{
    (void)state;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(sat_buf) png = SAT_BUF_INIT;
    AUTO(sat__qr) qr = {0};
    AUTO(sat_buf) seen = SAT_BUF_INIT;
    assert_int_equal(sat__qr_encode(sample_text(&text), &qr, NULL), SAT_OK);
    assert_int_equal(sat__qr_png(&qr, 6, &png, NULL), SAT_OK);

    assert_int_equal(sat__scan_image(buf_view(&png), &seen, NULL), SAT_OK);
    assert_string_equal(sat__buf_text(&seen), sat__buf_text(&text));
}

/* Two modules a character, one above the other; read as a terminal shows it. */
static void the_blocks_are_the_same_picture(void **state)
{
    (void)state;
    AUTO(sat_buf) blocks = SAT_BUF_INIT;
    AUTO(sat__qr) qr = {0};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    assert_int_equal(sat__qr_encode(sample_text(&text), &qr, NULL), SAT_OK);
    assert_int_equal(sat__qr_terminal(&qr, &blocks, NULL), SAT_OK);
    const char *at = sat__buf_text(&blocks);
    int y = -4;
    for (; *at != 0; y += 2) {
        assert_true(strncmp(at, "\033[40;97m", 8) == 0);
        at += 8;
        for (int x = -4; x < qr.width + 4; x++) {
            const bool above =
                strncmp(at, "\u2588", 3) == 0 || strncmp(at, "\u2580", 3) == 0;
            const bool below =
                strncmp(at, "\u2588", 3) == 0 || strncmp(at, "\u2584", 3) == 0;
            at += above || below ? 3 : 1;
            const bool inside = x >= 0 && x < qr.width;
            if (inside && y >= 0 && y < qr.width)
                assert_int_equal(!above, qr.modules[y * qr.width + x]);
            else
                assert_true(above);
            if (inside && y + 1 >= 0 && y + 1 < qr.width)
                assert_int_equal(!below, qr.modules[(y + 1) * qr.width + x]);
        }
        assert_true(strncmp(at, "\033[0m\n", 5) == 0);
        at += 5;
    }
    assert_true(y >= qr.width + 4);
}

static void a_text_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static char text[4000];
    AUTO(sat__qr) qr = {0};
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(sat__qr_encode(text, &qr, NULL), SAT_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_reads_back),
        cmocka_unit_test(it_may_be_typed_carelessly),
        cmocka_unit_test(every_mistyped_character_is_noticed),
        cmocka_unit_test(a_newer_code_says_so),
        cmocka_unit_test(the_picture_is_read_by_a_scanner),
        cmocka_unit_test(the_blocks_are_the_same_picture),
        cmocka_unit_test(a_text_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
