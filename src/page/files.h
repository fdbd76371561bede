/*
 * files.h - the files of the page, as the build puts them into the program
 */
#ifndef SAT_SRC_PAGE_FILES_H
#define SAT_SRC_PAGE_FILES_H

#include "base/buf.h"

typedef struct sat__page_file {
    const char *path; /* "/app.js" */
    sat_bytes content;
} sat__page_file;

/* Ends with a row without a path. */
extern const sat__page_file sat__page_files[];

#endif /* SAT_SRC_PAGE_FILES_H */
