/*
 * mfa_report.h - the authenticator's status, for who runs the hub
 */
#ifndef SAT_SRC_ACCOUNT_MFA_REPORT_H
#define SAT_SRC_ACCOUNT_MFA_REPORT_H

#include "account/session.h"

/* Tells the hub where it differs from what this device told last. */
SAT_CHECK sat_status sat__mfa_report(sat__session *session, sat_error *err);

#endif /* SAT_SRC_ACCOUNT_MFA_REPORT_H */
