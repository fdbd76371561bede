/*
 * agent.h - the running agent, from the inside
 *
 * One loop, on the thread that runs it: the socket of questions, the watch on
 * the vault, the settings, the clock of the rounds, the signals. A round runs
 * on a worker, and peers are answered by a server with a thread of its own;
 * each has a twin of the profile.
 */
#ifndef SAT_SRC_AGENT_AGENT_H
#define SAT_SRC_AGENT_AGENT_H

#include <jansson.h>
#include <uv.h>

#include "agent/backup.h"
#include "agent/hub.h"
#include "agent/rounds.h"
#include "base/sqlite.h"
#include "page/page.h"
#include "satchel/agent.h"
#include "satchel/settings.h"

typedef struct agent_client agent_client;

typedef struct sat__agent {
    sat_profile *profile; /* of the loop */
    sat_profile *twin;    /* of the rounds */
    sat_profile *server_twin;
    char vault[65];
    uint64_t started_ms;
    sat_peer_server *server; /* NULL where peers are not answered */
    sat_settings *settings;
    sat__page *page; /* NULL until somebody asks for it */
    pthread_mutex_t lock;
    char *described; /* what status says, for the page; guarded by lock */
    atomic_bool is_sync_asked; /* by the page */
    uv_async_t bell;           /* which rings then … */
    bool is_deaf;              /* … while this is false; guarded by lock */
    sqlite3 *watched;          /* the vault, so that its log stays */
    int watch;                 /* on it, or -1 */
    int held; /* the lock on the profile's folder `agent`, or -1 */
    uv_loop_t loop;
    uv_pipe_t listener;
    uv_signal_t interrupt, terminate;
    uv_timer_t clock; /* until the next turn */
    uv_timer_t quiet; /* until a burst of writes is over */
    uv_timer_t settings_clock;
    uv_timer_t backup_clock;
    uv_poll_t on_vault, on_settings;
    uv_work_t work;
    sat__round round;       /* the worker's while one runs */
    sat__partner *partners; /* as the last round left them */
    size_t partner_count;
    sat__hub_line hub;
    atomic_bool is_hub_told; /* it has something new to say */
    sat__backup_line backup;
    uint64_t every_ms;
    bool is_running;    /* a round is */
    bool is_look_next;  /* after it, look for what apps wrote */
    bool is_force_next; /* after it, everybody's turn */
    bool is_stopping;
    atomic_bool stop;
    agent_client *clients;
} sat__agent;

/* One who asks. */
struct agent_client {
    sat__agent *agent;
    agent_client *next;
    uv_pipe_t pipe;
    uv_write_t write;
    sat_buf line, answer;
    int rounds_left; /* of those that it waits for; 0: it waits for none */
    bool is_closing;
};

/* ---- agent.c ---- */

/* Begins a round as soon as none runs. */
void sat__agent_sync(sat__agent *agent, bool is_forced);

/* Tells the page, if it is open, how things are now. */
void sat__agent_publish(sat__agent *agent);

/* Makes an address of the page, which is started if it is not. */
SAT_CHECK sat_status sat__agent_invite(sat__agent *agent,
                                       char url[SAT_PAGE_URL_SIZE],
                                       char file[SAT_PATH_SIZE],
                                       sat_error *err);

/* Ends the agent, once what is under way has ended. */
void sat__agent_stop(sat__agent *agent);

/* ---- questions.c ---- */

/* Listens for questions, at `fd`, which it takes. */
SAT_CHECK sat_status sat__agent_listen(sat__agent *agent, int fd,
                                       sat_error *err);

/* What status says; NULL where memory is refused. */
json_t *sat__agent_describe(sat__agent *agent);

/* A round is over: answers those who waited for it. */
void sat__agent_tell(sat__agent *agent);

/* Hangs up on everybody. */
void sat__agent_hang_up(sat__agent *agent);

#endif /* SAT_SRC_AGENT_AGENT_H */
