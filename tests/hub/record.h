/*
 * record.h - what was asked and answered, for the tests of docs/openapi.yaml
 *
 * Written to the file that SAT_EXCHANGES names, one line of JSON each: first
 * the table of routes, then exchanges, bodies in hexadecimal. Nothing is
 * written where it names none.
 */
#ifndef SAT_TESTS_HUB_RECORD_H
#define SAT_TESTS_HUB_RECORD_H

#include "net/message.h"

void record_exchange(const sat__request *request,
                     const sat__response *response);

#endif /* SAT_TESTS_HUB_RECORD_H */
