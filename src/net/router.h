/*
 * router.h - which function answers a request
 *
 *      {"POST", "/devices/{id}/revoke", revoke_device, 4096}
 *
 * A path is made of segments of A-Z a-z 0-9 - _ . ~, none of them "." or "..".
 * Nothing is unescaped, so nothing can be hidden in an escape.
 */
#ifndef SAT_SRC_NET_ROUTER_H
#define SAT_SRC_NET_ROUTER_H

#include "net/message.h"

#define SAT_ROUTE_ID_SIZE 65

typedef struct sat__route {
    const char *method;
    const char *pattern; /* "{id}" is one segment of any text */
    sat_status (*handle)(void *context, sat__request *request, const char *id,
                         sat__response *response, sat_error *err);
    size_t body_max;
    unsigned flags; /* of whoever made the table */
} sat__route;

/*
 * The route of `request`, and what stands for {id}; or NULL, and `response` is
 * the problem: 400 for a strange path, 404 for one that is not there, 405 for a
 * method that the path does not have, 501 for one that nothing has.
 */
const sat__route *sat__route_find(const sat__route *routes, size_t count,
                                  const sat__request *request,
                                  char id[SAT_ROUTE_ID_SIZE],
                                  sat__response *response);

/* Once more what stands for {id}, where the route was found before. */
void sat__route_id(const sat__route *route, const sat__request *request,
                   char id[SAT_ROUTE_ID_SIZE]);

#endif /* SAT_SRC_NET_ROUTER_H */
