/*
 * enrol.h - a device that another device of the person lets in
 *
 *      old device: sat__account_enrol()        a link of the account's chain,
 *                                              and one of each vault's
 *      new device: sat__account_login_device() a session by its own key
 */
#ifndef SAT_SRC_ACCOUNT_ENROL_H
#define SAT_SRC_ACCOUNT_ENROL_H

#include "account/session.h"

/* Adds the device to the account, not as an administrator, and lets it into
 * every vault. What was done before is not done again. */
SAT_CHECK sat_status sat__account_enrol(sat__session *session,
                                        const sat__principal *device,
                                        const char *name, sat_error *err);

/* SAT_ERR_AUTH where nobody let this device in. */
SAT_CHECK sat_status sat__account_login_device(sat__session *session,
                                               sat_error *err);

#endif /* SAT_SRC_ACCOUNT_ENROL_H */
