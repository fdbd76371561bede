/*
 * base32.c - five bits a character, most significant first
 */
#include "crypto/base32.h"

#include "base/error.h"

static const char *const alphabets[] = {
    [SAT_BASE32_CROCKFORD] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
    [SAT_BASE32_RFC4648] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
};

void sat__base32_format(sat__base32 alphabet, sat_bytes bytes, char *out)
{
    const char *const digits = alphabets[alphabet];
    unsigned held = 0; /* bits that are not written yet */
    unsigned bits = 0; /* how many of them */

    for (size_t i = 0; i < bytes.len; i++) {
        held = (held << 8 | bytes.data[i]) & 0xfff;
        bits += 8;
        for (; bits >= 5; bits -= 5)
            *out++ = digits[held >> (bits - 5) & 31];
    }
    if (bits > 0)
        *out++ = digits[held << (5 - bits) & 31];
    *out = 0;
}

/*
 * What a character stands for, or -1. Every digit is looked at, whichever it
 * is: what is spelled may be a secret.
 */
static int value_of(sat__base32 alphabet, int c)
{
    const char *const digits = alphabets[alphabet];
    int value = -1;

    if (c >= 'a' && c <= 'z')
        c += 'A' - 'a';
    if (alphabet == SAT_BASE32_CROCKFORD) {
        c = c == 'O' ? '0' : c;
        c = c == 'I' || c == 'L' ? '1' : c;
        c = c == 'U' ? 'V' : c;
    }
    for (int i = 0; i < 32; i++)
        value = digits[i] == c ? i : value;
    return value;
}

static size_t length_without_padding(sat_bytes text)
{
    size_t len = text.len;

    while (len > 0 && text.data[len - 1] == '=')
        len--;
    return len;
}

sat_status sat__base32_parse(sat__base32 alphabet, sat_bytes text, sat_buf *out,
                             sat_error *err)
{
    const size_t len = length_without_padding(text);
    const size_t start = out->len;
    unsigned held = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < len; i++) {
        const uint8_t c = text.data[i];
        if (c == ' ' || c == '-')
            continue;
        const int value = value_of(alphabet, c);
        if (value < 0) {
            out->len = start;
            return sat__fail(err, SAT_ERR_INVALID,
                             "character %zu is none of base32", i + 1);
        }
        held = (held << 5 | (unsigned)value) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            sat__buf_put_byte(out, (uint8_t)(held >> bits));
        }
    }
    if (bits >= 5 || (held & ((1U << bits) - 1)) != 0) {
        out->len = start;
        return sat__fail(err, SAT_ERR_INVALID,
                         "the last character is missing "
                         "or wrong");
    }
    return sat__buf_status(out, err);
}
