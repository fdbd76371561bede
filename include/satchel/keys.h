/*
 * keys.h - what people see of keys: device ids and fingerprints
 *
 * A device's id is derived from its public key, so nobody can take another's.
 * Programs show it in hexadecimal; people compare its fingerprint.
 */
#ifndef SAT_KEYS_H
#define SAT_KEYS_H

#include "satchel/base.h"

SAT_BEGIN_DECLS

#define SAT_DEVICE_ID_SIZE 32

/* Room for a fingerprint: six groups of five characters, and the end. */
#define SAT_FINGERPRINT_SIZE 36

/* Writes what two people compare, such as "0K3V8-…": 150 bits of the id. */
void sat_device_fingerprint(const uint8_t id[SAT_DEVICE_ID_SIZE],
                            char out[SAT_FINGERPRINT_SIZE]);

SAT_END_DECLS

#endif /* SAT_KEYS_H */
