/*
 * scan.h - what a QR code in an image says
 *
 * The image comes from a stranger, and the code that reads it is large. So it
 * is read by a program of its own, satchel-scan, which gets the image through a
 * pipe and gives the bytes back through another, and can open nothing.
 */
#ifndef SAT_SRC_STORE_SCAN_H
#define SAT_SRC_STORE_SCAN_H

#include "base/buf.h"
#include "base/error.h"

#define SAT_SCAN_IMAGE_MAX ((size_t)32 << 20) /* bytes of a file */
#define SAT_SCAN_DATA_MAX 8192                /* a QR code holds 2953 */

/*
 * Appends the bytes that the QR code in `image`, a PNG file, holds; they may be
 * binary. SAT_ERR_NOT_FOUND where there is none, SAT_ERR_CONFLICT where there
 * are several that differ, SAT_ERR_CORRUPT where it is no image,
 * SAT_ERR_UNSUPPORTED where satchel-scan is not installed.
 */
SAT_CHECK sat_status sat__scan_image(sat_bytes image, sat_buf *out,
                                     sat_error *err);

/* The same from the file at `path`. */
SAT_CHECK sat_status sat__scan_file(const char *path, sat_buf *out,
                                    sat_error *err);

#endif /* SAT_SRC_STORE_SCAN_H */
