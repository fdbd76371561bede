/*
 * qr.c - by libqrencode; blocks for a terminal, PNG by libpng
 */
#include "transfer/qr.h"

#include <errno.h>
#include <png.h>
#include <qrencode.h>

#include "base/error.h"
#include "crypto/secret.h"

#define QUIET 4 /* modules around, that the standard asks for */

void sat__qr_clear(sat__qr *qr)
{
    if (qr->modules != NULL)
        sat__wipe(qr->modules, (size_t)qr->width * (size_t)qr->width);
    free(qr->modules);
    *qr = (sat__qr){0};
}

sat_status sat__qr_encode(const char *text, sat__qr *out, sat_error *err)
{
    *out = (sat__qr){0};
    QRcode *code =
        QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1 /* case */);
    if (code == NULL)
        return errno == ERANGE
                   ? sat__fail(err, SAT_ERR_LIMIT,
                               "a QR code holds no more than 2,953 bytes")
                   : sat__fail_os(err, errno, "making a QR code");

    const size_t count = (size_t)code->width * (size_t)code->width;
    out->modules = malloc(count);
    if (out->modules != NULL) {
        out->width = code->width;
        for (size_t i = 0; i < count; i++)
            out->modules[i] = code->data[i] & 1;
    }
    sat__wipe(code->data, count);
    QRcode_free(code);
    return out->modules != NULL
               ? SAT_OK
               : sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

/* The module at (x, y) counted from the corner of the quiet zone. */
static bool dark(const sat__qr *qr, int x, int y)
{
    x -= QUIET;
    y -= QUIET;
    return x >= 0 && y >= 0 && x < qr->width && y < qr->width &&
           qr->modules[y * qr->width + x] != 0;
}

sat_status sat__qr_terminal(const sat__qr *qr, sat_buf *out, sat_error *err)
{
    const int width = qr->width + 2 * QUIET;
    static const char *const blocks[2][2] = {
        {"\u2588", "\u2580"}, /* light above; light, dark below */
        {"\u2584", " "},      /* dark above */
    };

    for (int y = 0; y < width; y += 2) {
        sat__buf_put_text(out, "\033[40;97m"); /* white blocks on black */
        for (int x = 0; x < width; x++) {
            const bool below = y + 1 < width ? dark(qr, x, y + 1) : true;
            sat__buf_put_text(out, blocks[dark(qr, x, y)][below]);
        }
        sat__buf_put_text(out, "\033[0m\n");
    }
    return sat__buf_status(out, err);
}

static void append(png_structp png, png_bytep data, png_size_t len)
{
    sat__buf_put(png_get_io_ptr(png), data, len);
}

static void flush(png_structp png)
{
    (void)png;
}

/* One line of pixels: bit 0 is black. */
static void put_line(const sat__qr *qr, int y, int scale, uint8_t *line)
{
    const int pixels = (qr->width + 2 * QUIET) * scale;

    for (int x = 0; x < pixels; x++)
        if (!dark(qr, x / scale, y))
            line[x / 8] |= (uint8_t)(0x80 >> (x % 8));
}

static void write_png(png_structp png, png_infop info, const sat__qr *qr,
                      int scale, uint8_t *line, size_t line_size)
{
    const int modules = qr->width + 2 * QUIET;
    const png_uint_32 pixels = (png_uint_32)(modules * scale);

    png_set_IHDR(png, info, pixels, pixels, 1, PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < modules; y++) {
        memset(line, 0, line_size);
        put_line(qr, y, scale, line);
        for (int i = 0; i < scale; i++)
            png_write_row(png, line);
    }
    png_write_end(png, info);
}

sat_status sat__qr_png(const sat__qr *qr, int scale, sat_buf *out,
                       sat_error *err)
{
    const size_t line_size =
        ((size_t)(qr->width + 2 * QUIET) * (size_t)scale + 7) / 8;
    AUTO_FREE uint8_t *line = malloc(line_size);
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    volatile bool whole = false;

    if (line != NULL && info != NULL && setjmp(png_jmpbuf(png)) == 0) {
        png_set_write_fn(png, out, append, flush);
        write_png(png, info, qr, scale, line, line_size);
        whole = true;
    }
    png_destroy_write_struct(&png, &info);
    TRY(sat__buf_status(out, err));
    return whole ? SAT_OK
                 : sat__fail(err, SAT_ERR_NOMEM, "could not draw the QR code");
}
