/*
 * password.h - what the hub is to know of the account's password
 */
#ifndef SAT_SRC_ACCOUNT_PASSWORD_H
#define SAT_SRC_ACCOUNT_PASSWORD_H

#include "account/session.h"

/* The slots that other devices open the master key with, and the key that logs
 * in, of the password whose root this is. */
SAT_CHECK sat_status sat__password_slots(sat__session *session,
                                         const sat__root *root, sat_buf *slot,
                                         sat_buf *phrase_slot,
                                         uint8_t login_key[SAT_SIGN_KEY_SIZE],
                                         sat_error *err);

/* Tells the hub of a password that it has not heard of, if there is one, and
 * gives the vaults new keys where one was compromised and that is not done yet.
 * The chain must be there already. */
SAT_CHECK sat_status sat__password_tell(sat__session *session, sat_error *err);

#endif /* SAT_SRC_ACCOUNT_PASSWORD_H */
