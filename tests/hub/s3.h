/*
 * s3.h - a real S3 that a test starts for itself, and that ends with it
 *
 * OpenStack Swift with s3api: it checks signatures, lengths and Content-MD5.
 */
#ifndef SAT_TESTS_HUB_S3_H
#define SAT_TESTS_HUB_S3_H

#include "hub/blobs/blobs.h"

extern const hub_s3_keys s3_keys;

/* A fresh bucket; its address as hub_blobs_s3() takes it. */
void s3_bucket(char *address, size_t size);

/* It is away, and is there again with what it had. */
void s3_stop(void);
void s3_start(void);

#endif /* SAT_TESTS_HUB_S3_H */
