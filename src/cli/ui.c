/*
 * ui.c - satchel ui
 *
 * The address has a token in it, and what stands on a command line is seen by
 * everybody on the machine. So a browser is started with a file that only this
 * user can read, which sends it there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/password.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "net/body.h"
#include "page/page.h"
#include "satchel/agent.h"
#include "store/fs.h"

#define DEFAULT_ADDRESS "127.0.0.1:7440"

DEFINE_AUTO_PTR(sat__page, sat__page_stop);

typedef struct visit {
    const cli_run *cli;
    const char *profile;
    sat__page *welcome; /* whoever looks at it is sent on; or NULL */
} visit;

static void open_browser(const char *file)
{
    char *argv[] = {"xdg-open", (char *)file, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY,
                                           0);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY,
                                           0);
    /* Where there is no browser the address, which was printed, does. */
    if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) == 0)
        (void)waitpid(pid, NULL, 0);
    (void)posix_spawn_file_actions_destroy(&actions);
}

static sat_status print_address(const cli_run *cli, const char *url,
                                sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;

    if (!cli->json) {
        (void)printf("%s\n", url);
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_put_text(&json, "url", url);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

static sat_status take_address(const char *answer, void *context,
                               sat_error *err)
{
    const visit *const self = context;
    AUTO_JSON json_t *value = NULL;
    const char *url, *file;

    TRY(sat__body_read(SAT_BODY_JSON, bytes_of(answer, strlen(answer)), &value,
                       err));
    if (json_unpack(value, "{s:s, s:s}", "url", &url, "file", &file) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the agent answers something else");
    if (self->welcome != NULL) {
        sat__page_send_on(self->welcome, url);
        return SAT_OK;
    }
    TRY(print_address(self->cli, url, err));
    if (!cli_flag(self->cli, "no-open"))
        open_browser(file);
    return SAT_OK;
}

static sat_status visit_page(const visit *self, sat_error *err)
{
    return sat_agent_ask(self->profile, "{\"ask\":\"ui\"}", take_address,
                         (void *)self, err);
}

/* The agent runs in this process then, so another thread asks it. */
static void *visit_own(void *context)
{
    sat_error err = {0};
    const visit *const self = context;

    if (visit_page(self, &err) != SAT_OK)
        cli_complain(self->cli, &err);
    return NULL;
}

typedef struct own_agent {
    visit visit;
    pthread_t visitor;
    bool is_visiting;
} own_agent;

static void on_ready(const char *url, void *context)
{
    own_agent *const self = context;

    (void)url;
    self->is_visiting =
        pthread_create(&self->visitor, NULL, visit_own, &self->visit) == 0;
}

/* An agent of this process, until it is told to stop. */
static sat_status run_agent(cli_run *cli, sat_profile *profile,
                            sat__page *welcome, sat_error *err)
{
    const char *const listen = cli_value(cli, "listen");
    sat_agent_options options = SAT_AGENT_INIT;
    own_agent self = {.visit = {cli, sat_profile_path(profile), welcome}};

    options.vault = cli->vault;
    options.listen = listen != NULL ? listen : DEFAULT_ADDRESS;
    options.ready = on_ready;
    options.context = &self;
    const sat_status ended = sat_agent_run(profile, &options, err);
    if (self.is_visiting)
        (void)pthread_join(self.visitor, NULL);
    return ended;
}

/* ---- on a device that has no profile yet ---- */

/* The file that a browser is started with is for this user's eyes only. */
static sat_status show_welcome(const cli_run *cli, sat__page *page,
                               const char *folder, sat_error *err)
{
    char url[SAT_PAGE_URL_SIZE], file[SAT_PATH_SIZE];

    TRY(sat__page_invite(page, folder, url, file, err));
    TRY(print_address(cli, url, err));
    if (!cli_flag(cli, "no-open"))
        open_browser(file);
    return SAT_OK;
}

static sat_status await_arrival(sat__page *page, cli_secret *password,
                                sat_error *err)
{
    const struct timespec moment = {0, 100000000L};

    cli_watch_signals();
    while (!sat__page_has_arrived(page, password->text)) {
        if (cli_is_stopping())
            return sat__fail(err, SAT_ERR_STOPPED, "nothing was received");
        (void)nanosleep(&moment, NULL);
    }
    return SAT_OK;
}

static sat_status welcome(cli_run *cli, const char *path, const char *folder,
                          sat_error *err)
{
    AUTO(cli_secret) password = {{0}};
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat__page) page = NULL;

    TRY(sat__page_welcome(path, cli->env, &page, err));
    TRY(show_welcome(cli, page, folder, err));
    TRY(await_arrival(page, &password, err));
    TRY(cli_session_open(cli, &session, err));
    TRY(sat_profile_unlock(session.profile, password.text, err));
    return run_agent(cli, session.profile, page, err);
}

static sat_status welcome_in_folder(cli_run *cli, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    char folder[] = "/tmp/satchel-ui.XXXXXX";

    TRY(cli_profile_path(cli, path, err));
    if (mkdtemp(folder) == NULL)
        return sat__fail_os(err, errno, "cannot make a folder in /tmp");
    const sat_status st = welcome(cli, path, folder, err);
    (void)!sat__fs_remove_tree(folder, NULL);
    return st;
}

sat_status cli_ui(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};

    sat_status st = cli_session_open(cli, &session, err);
    if (st == SAT_ERR_NOT_FOUND)
        return welcome_in_folder(cli, err);
    TRY(st);
    const visit running = {cli, sat_profile_path(session.profile), NULL};
    st = visit_page(&running, err);
    if (st != SAT_ERR_NOT_FOUND)
        return st;
    cli_session_close(&session);
    TRY(cli_session_unlock(cli, &session, err));
    return run_agent(cli, session.profile, NULL, err);
}
