/*
 * mover.h - a transfer that the page looks at while it goes on
 *
 * It runs on a thread of its own, since it waits for the other device and for a
 * person. What is to be shown is kept here; `changed` says that it is another.
 * Whoever closes the page's server stops it, and the next one goes on.
 *
 * Any thread may use it.
 */
#ifndef SAT_SRC_PAGE_MOVER_H
#define SAT_SRC_PAGE_MOVER_H

#include <jansson.h>
#include <stdbool.h>

#include "satchel/transfer.h"

typedef struct page_mover page_mover;

/* `path` is the profile's; `changed` is called on the mover's thread. */
SAT_CHECK sat_status page_mover_new(const char *path, const sat_env *env,
                                    void (*changed)(void *context),
                                    void *context, page_mover **out,
                                    sat_error *err);

/* Stops what runs, which can go on later, and nothing begins any more. */
void page_mover_close(page_mover *mover);
void page_mover_free(page_mover *mover);

/* Begins to send `profile`, which is the mover's from then on, or goes on.
 * SAT_ERR_BUSY while it runs. */
SAT_CHECK sat_status page_mover_send(page_mover *mover, sat_profile *profile,
                                     bool is_signing_off, sat_error *err);

/* Begins to receive, or goes on where `code` is NULL. */
SAT_CHECK sat_status page_mover_receive(page_mover *mover, const char *code,
                                        const char *password, const char *name,
                                        sat_error *err);

/* The digits that the person was asked for. */
SAT_CHECK sat_status page_mover_type(page_mover *mover, const char *digits,
                                     sat_error *err);

/* Ends the transfer for good; `profile` where it is the old device. */
SAT_CHECK sat_status page_mover_cancel(page_mover *mover, sat_profile *profile,
                                       sat_error *err);

/* What there is to be shown, as JSON; NULL without memory. */
json_t *page_mover_describe(page_mover *mover);

#endif /* SAT_SRC_PAGE_MOVER_H */
