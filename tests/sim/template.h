/*
 * template.h - a prepared database, of which every device gets a copy
 *
 * To make a schema, fill it and begin to track it takes longer than a whole
 * run. So it is done once for many seeds, and the disk's image is copied.
 */
#ifndef SAT_TESTS_SIM_TEMPLATE_H
#define SAT_TESTS_SIM_TEMPLATE_H

#include "device.h"

typedef struct sim_template {
    bool is_made;
    sim_schema schema;
    sat_buf plain;     /* the database file */
    sat_buf encrypted; /* the same under a key */
    sat_buf known;     /* its knowledge */
    row_set rows;      /* what its tables hold; all imported */
    int64_t ordinals[ROWS_MAX];
} sim_template;

/* Makes it from `seed`; false, with the reason in `why`, where that fails. */
bool template_make(sim_template *t, uint64_t seed, char *why);
void template_clear(sim_template *t);

/* Lays a copy on the device's disk. */
void template_copy(const sim_template *t, const device *d);

#endif /* SAT_TESTS_SIM_TEMPLATE_H */
