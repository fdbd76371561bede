/*
 * pairing.h - how the old device and the new one become sure of each other
 *
 *      code:   sender ── exchange key, secret ──> receiver     by sight
 *      claim:  receiver ── exchange key, device keys, MAC ──> sender   by the
 * hub both:   key = HKDF(DH ‖ secret, label ‖ transcript) digits: receiver
 * shows six, made of the key; the person types them at the sender, one try
 *      release: sender ── sealed under the key ──> receiver
 *
 * Whoever photographed the code can claim in the receiver's place, but has no
 * way to know the digits that the true receiver shows: those are made with the
 * exchange key that the true receiver saw on the screen. Who sits between can
 * forge no claim without the secret. (X25519, RFC 7748; HKDF, RFC 5869; the
 * digits are a short authentication string compared by a person.)
 */
#ifndef SAT_SRC_TRANSFER_PAIRING_H
#define SAT_SRC_TRANSFER_PAIRING_H

#include "crypto/seal.h"
#include "satchel/profile.h"
#include "transfer/code.h"

#define SAT_TRANSFER_DIGITS_SIZE 7 /* with the end */
#define SAT_TRANSFER_CLAIM_MAX 512

/* Made by the sender when it shows a code. */
SAT_CHECK sat_status sat__transfer_code_new(const sat_env *env, const char *hub,
                                            sat__exchange_key *key,
                                            sat__transfer_code *out,
                                            sat_error *err);

/* Who receives: its own keys, which never leave it but for their public half.
 */
typedef struct sat__transfer_receiver {
    sat__principal principal; /* of the new device */
    char name[SAT_DEVICE_NAME_SIZE];
} sat__transfer_receiver;

/* What both sides hold once they have met. */
typedef struct sat__transfer_session {
    sat__seal_key key; /* seals what is released */
    uint8_t transcript[SAT_SHA256_SIZE];
    char digits[SAT_TRANSFER_DIGITS_SIZE];
} sat__transfer_session;

void sat__transfer_session_wipe(sat__transfer_session *session);
DEFINE_AUTO(sat__transfer_session, sat__transfer_session_wipe);

/*
 * The receiver's answer to a code, appended to `claim`, signed by its device
 * key, and the session that follows.
 */
SAT_CHECK sat_status sat__transfer_claim(const sat_env *env,
                                         const sat__transfer_code *code,
                                         const sat__identity *device,
                                         const char *name, sat_buf *claim,
                                         sat__transfer_session *session,
                                         sat_error *err);

/*
 * The sender's reading of it. SAT_ERR_AUTH where whoever claimed did not see
 * the code or does not hold the device's key.
 */
SAT_CHECK sat_status sat__transfer_accept(const sat__transfer_code *code,
                                          const sat__exchange_key *key,
                                          sat_bytes claim,
                                          sat__transfer_receiver *receiver,
                                          sat__transfer_session *session,
                                          sat_error *err);

/* Whether a person typed the digits; blanks and hyphens are passed over. In
 * constant time. */
bool sat__transfer_digits_match(const sat__transfer_session *session,
                                const char *typed);

/* What is released, sealed for the session, and back. */
SAT_CHECK sat_status sat__transfer_release(const sat_env *env,
                                           const sat__transfer_session *session,
                                           sat_bytes plain, sat_buf *out,
                                           sat_error *err);
SAT_CHECK sat_status sat__transfer_unseal(const sat__transfer_session *session,
                                          sat_bytes sealed, sat_buf *out,
                                          sat_error *err);

#endif /* SAT_SRC_TRANSFER_PAIRING_H */
