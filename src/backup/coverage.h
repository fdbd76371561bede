/*
 * coverage.h - whether every page of every vault came
 */
#ifndef SAT_SRC_BACKUP_COVERAGE_H
#define SAT_SRC_BACKUP_COVERAGE_H

#include "backup/manifest.h"

typedef struct sat__coverage {
    const sat__manifest *manifest;
    uint8_t **seen; /* a bit for each page of each vault */
} sat__coverage;

SAT_CHECK sat_status sat__coverage_init(sat__coverage *coverage,
                                        const sat__manifest *manifest,
                                        sat_error *err);
void sat__coverage_clear(sat__coverage *coverage);
DEFINE_AUTO(sat__coverage, sat__coverage_clear);

/* Notes `count` pages from `first` on, as far as the backup has them. */
void sat__coverage_note(sat__coverage *coverage, const char *vault,
                        uint32_t first, uint32_t count);

/* SAT_ERR_CORRUPT where a page is missing. */
SAT_CHECK sat_status sat__coverage_check(const sat__coverage *coverage,
                                         sat_error *err);

#endif /* SAT_SRC_BACKUP_COVERAGE_H */
