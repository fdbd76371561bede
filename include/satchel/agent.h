/*
 * agent.h - one process that keeps a profile in step
 *
 * While it runs, an agent answers peers, syncs with those that were joined,
 * soon after a change and else every so often, and tries again, ever more
 * seldom, where one is away. There is one for a profile; other programs of the
 * same user ask it through a socket in the profile's folder `agent`
 * (docs/formats/agent.md).
 */
#ifndef SAT_AGENT_H
#define SAT_AGENT_H

#include "satchel/profile.h"

SAT_BEGIN_DECLS

typedef struct sat_agent_options {
    size_t size;        /* sizeof(sat_agent_options), set by INIT */
    const char *vault;  /* which one to keep in step */
    const char *listen; /* where to answer peers; NULL: nowhere */
    /* Called once all runs; `url` is what others join, or NULL. */
    void (*ready)(const char *url, void *context);
    void *context;
} sat_agent_options;

#define SAT_AGENT_INIT                                                         \
    {                                                                          \
        sizeof(sat_agent_options), "main", NULL, NULL, NULL                    \
    }

/*
 * Runs the agent of an unlocked profile until SIGINT, SIGTERM or a question
 * ends it; the signals are its own meanwhile. SAT_ERR_BUSY where one runs
 * already, SAT_ERR_DENIED where its folder belongs to another user.
 */
SAT_CHECK sat_status sat_agent_run(sat_profile *profile,
                                   const sat_agent_options *options,
                                   sat_error *err);

/* Gets the answer, a JSON object; lent for the call. */
typedef sat_status sat_agent_answer_fn(const char *answer, void *context,
                                       sat_error *err);

/*
 * Asks the agent of the profile at `path`, with a JSON object on one line, such
 * as {"ask":"status"}, and waits for its answer. SAT_ERR_NOT_FOUND where none
 * runs; what the agent refuses fails as it says.
 */
SAT_CHECK sat_status sat_agent_ask(const char *path, const char *question,
                                   sat_agent_answer_fn *each, void *context,
                                   sat_error *err);

SAT_END_DECLS

#endif /* SAT_AGENT_H */
