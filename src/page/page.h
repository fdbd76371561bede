/*
 * page.h - the agent's page: a server on loopback for one person's browser
 *
 * Who may use it is decided once: sat__page_invite() makes a token, which
 * stands in a file that only this user can read and is good for one exchange
 * within two minutes. The page that got it through the fragment of its address,
 * which no server sees, exchanges it for a bearer token of its own, in memory,
 * and sends that with every request. The Host must be this server and the
 * Origin too, and what the browser may do is said by a Content-Security-Policy
 * that knows nothing but this server.
 *
 * Any thread may use it.
 */
#ifndef SAT_SRC_PAGE_PAGE_H
#define SAT_SRC_PAGE_PAGE_H

#include <stdbool.h>

#include "satchel/peer.h"

/* What the page asks of whoever runs it; called on the page's thread. */
typedef struct sat__page_owner {
    void *context;
    void (*sync)(void *context); /* begins to; its end is touched */
    /* How the owner does, as a JSON object for free(); NULL without memory. */
    char *(*describe)(void *context);
    /* Lets go of the profile, restores it and begins anew; `phrase` is lent for
     * the call. The page has let go of it before. */
    void (*restore)(void *context, const char *from, uint64_t version,
                    const char *phrase);
} sat__page_owner;

typedef struct sat__page sat__page;

/* `profile` is the page's from then on; `vault` is the one it shows first. */
SAT_CHECK sat_status sat__page_start(sat_profile *profile, const char *vault,
                                     const sat__page_owner *owner,
                                     sat__page **out, sat_error *err);
void sat__page_stop(sat__page *page);

/* Room for an address with a token. */
#define SAT_PAGE_URL_SIZE 160

#define SAT_PAGE_PASSWORD_SIZE 1024

/*
 * The page of a device that has no profile yet: all it can do is to receive
 * everything from another device, at `path`.
 */
SAT_CHECK sat_status sat__page_welcome(const char *path, const sat_env *env,
                                       sat__page **out, sat_error *err);

/* Whether everything has arrived; then `out` is the password that was chosen.
 */
bool sat__page_has_arrived(sat__page *page, char out[SAT_PAGE_PASSWORD_SIZE]);

/* How far the restoring is, of what the page asked for; and that it is over,
 * with `error`, or NULL where it is done. */
void sat__page_resting(sat__page *page, uint64_t done, uint64_t total);
void sat__page_rested(sat__page *page, const char *error);

/* Sends whoever looks to another address. */
void sat__page_send_on(sat__page *page, const char *url);

/*
 * Makes a token, and writes a file into `folder` that sends whoever opens it to
 * the page: a browser is started with that file, since what stands on a command
 * line is seen by everybody.
 */
SAT_CHECK sat_status sat__page_invite(sat__page *page, const char *folder,
                                      char url[SAT_PAGE_URL_SIZE],
                                      char file[SAT_PATH_SIZE], sat_error *err);

/* Something changed; whoever looks is told to look again. */
void sat__page_touch(sat__page *page);

#endif /* SAT_SRC_PAGE_PAGE_H */
