/*
 * people.h - accounts, as logging in sees them
 */
#ifndef SAT_SRC_HUB_PEOPLE_H
#define SAT_SRC_HUB_PEOPLE_H

#include "hub/hub.h"

#define HUB_EMAIL_SIZE 255
#define HUB_NAME_MAX 100

/* The body's "email", in lower case. */
SAT_CHECK sat_status hub_email_read(hub_call *call, char out[HUB_EMAIL_SIZE],
                                    sat_error *err);

#endif /* SAT_SRC_HUB_PEOPLE_H */
