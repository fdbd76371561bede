/*
 * qr.h - a QR code, for a terminal and as a picture (ISO/IEC 18004)
 */
#ifndef SAT_SRC_TRANSFER_QR_H
#define SAT_SRC_TRANSFER_QR_H

#include "base/buf.h"

/* Light and dark modules of a square, row by row, without the quiet zone. */
typedef struct sat__qr {
    int width;
    uint8_t *modules; /* width * width; 1 is dark */
} sat__qr;

void sat__qr_clear(sat__qr *qr);
DEFINE_AUTO(sat__qr, sat__qr_clear);

/* Encodes `text`, in the densest way its characters allow; SAT_ERR_LIMIT where
 * it is longer than a code may be. */
SAT_CHECK sat_status sat__qr_encode(const char *text, sat__qr *out,
                                    sat_error *err);

/*
 * Appends it as lines of half blocks in UTF-8, quiet zone included, dark on
 * light by ANSI colours, so that it scans on a dark terminal too.
 */
SAT_CHECK sat_status sat__qr_terminal(const sat__qr *qr, sat_buf *out,
                                      sat_error *err);

/* Appends it as a PNG of one bit a pixel, `scale` pixels a module. */
SAT_CHECK sat_status sat__qr_png(const sat__qr *qr, int scale, sat_buf *out,
                                 sat_error *err);

#endif /* SAT_SRC_TRANSFER_QR_H */
