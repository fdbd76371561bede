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

/* A backup that is to take the profile's place, and where the page is told. It
 * outlives the agent that was asked. */
typedef struct sat__agent_restore {
    bool is_wanted;
    char phrase[SAT_PHRASE_SIZE];
    char from[SAT_PATH_SIZE];
    uint64_t version;
    sat__page *page;   /* that asked, and has no profile any more; or NULL */
    char address[128]; /* at which peers were answered */
} sat__agent_restore;

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
    atomic_bool is_sync_asked;   /* by the page */
    sat__agent_restore *restore; /* likewise; guarded by lock */
    uv_async_t bell;             /* which rings then … */
    bool is_deaf;                /* … while this is false; guarded by lock */
    sqlite3 *watched;            /* the vault, so that its log stays */
    sqlite3 *account;            /* and the vault `account` */
    int watch;                   /* on the former, or -1 */
    int64_t versions[2];         /* of both, as they were looked at last */
    uint64_t hot_ms;             /* until when a commit may be on its way … */
    uint64_t quiet_ms;           /* … and how long it is waited for */
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

/* Wakes the loop; from any thread, until it ends. */
void sat__agent_ring(sat__agent *agent);

/* Ends the agent, once what is under way has ended. */
void sat__agent_stop(sat__agent *agent);

/* ---- visit.c ---- */

/* Tells the page, if it is open, how things are now. */
void sat__agent_publish(sat__agent *agent);

/* Makes an address of the page, which is started if it is not. */
SAT_CHECK sat_status sat__agent_invite(sat__agent *agent,
                                       char url[SAT_PAGE_URL_SIZE],
                                       char file[SAT_PATH_SIZE],
                                       sat_error *err);

/* Whether a backup is to take the profile's place. */
bool sat__agent_is_leaving(sat__agent *agent);

/* The page that asked for a backup stays; any other ends with its agent. */
void sat__agent_end_page(sat__agent *agent);

/* Where peers look for it; the next agent is there as well. */
void sat__agent_keep_address(sat__agent *agent);

/* What fails leaves the profile as it was, and is told. */
void sat__agent_restore_now(sat_profile *profile, sat__agent_restore *restore);

/* Whoever asked for the backup is sent to the page of the agent that has it. */
void sat__agent_send_on(sat__agent *agent);

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
