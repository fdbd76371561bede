/*
 * saver.h - a backup that the page looks at while it is made
 *
 * It runs on a thread of its own, so that the page answers meanwhile. Any
 * thread may use it.
 */
#ifndef SAT_SRC_PAGE_SAVER_H
#define SAT_SRC_PAGE_SAVER_H

#include <jansson.h>

#include "satchel/backup.h"

typedef struct page_saver page_saver;

/* `changed` is called on the saver's thread. */
SAT_CHECK sat_status page_saver_new(void (*changed)(void *context),
                                    void *context, page_saver **out,
                                    sat_error *err);

/* Stops what runs; the next backup goes on with it. */
void page_saver_close(page_saver *saver);
void page_saver_free(page_saver *saver);

/* Begins a backup of `profile`, which is the saver's from then on. SAT_ERR_BUSY
 * while one runs. */
SAT_CHECK sat_status page_saver_make(page_saver *saver, sat_profile *profile,
                                     const char *place, sat_error *err);

/* {"running", "made", "done", "total", "error"}; NULL without memory. */
json_t *page_saver_describe(page_saver *saver);

#endif /* SAT_SRC_PAGE_SAVER_H */
