/*
 * mover.c - the thread of a transfer, and what it says
 */
#include "page/mover.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/error.h"
#include "base/scope.h"
#include "store/profile.h"
#include "transfer/qr.h"

#define PASSWORD_SIZE 1024
#define DIGITS_SIZE 32

struct page_mover {
    const sat_env *env;
    char path[SAT_PATH_SIZE];
    void (*changed)(void *context);
    void *context;
    pthread_mutex_t turn; /* of who begins or ends the thread */
    pthread_t thread;     /* guarded by turn, as are the next two */
    bool is_begun;
    bool is_closed; /* no other begins */
    atomic_bool stop, is_cancelled;
    sat_profile *profile; /* what is sent; NULL where this receives */
    bool is_signing_off;
    char code[SAT_TRANSFER_CODE_SIZE]; /* to receive by; "" goes on */
    char password[PASSWORD_SIZE], name[SAT_DEVICE_NAME_SIZE];
    pthread_mutex_t lock;
    /* guarded by lock: */
    bool is_running, wants_digits, has_digits;
    sat_transfer_state state;
    char shown[SAT_TRANSFER_CODE_SIZE]; /* the old device's code */
    char digits[DIGITS_SIZE]; /* the new device shows them, the old is told */
    char device_name[SAT_DEVICE_NAME_SIZE];
    uint64_t expires_at;
    sat_error error;
};

static void copy_text(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text != NULL ? text : "");
}

/* ---- on the mover's thread ---- */

static sat_status note(void *context, const sat_transfer_news *news,
                       sat_error *err)
{
    page_mover *const m = context;

    (void)err;
    {
        SCOPED_LOCK(&m->lock);
        m->state = news->state;
        m->expires_at = news->expires_at;
        copy_text(m->shown, sizeof m->shown, news->code);
        copy_text(m->device_name, sizeof m->device_name, news->device_name);
        if (m->profile == NULL)
            copy_text(m->digits, sizeof m->digits, news->digits);
    }
    m->changed(m->context);
    return SAT_OK;
}

static int is_stopping(void *context)
{
    page_mover *const m = context;

    return atomic_load(&m->stop);
}

static bool take_digits(page_mover *m, char out[DIGITS_SIZE])
{
    SCOPED_LOCK(&m->lock);
    m->wants_digits = !m->has_digits;
    if (m->has_digits)
        memcpy(out, m->digits, DIGITS_SIZE);
    return m->has_digits;
}

static sat_status ask_digits(void *context, const char *device_name,
                             char out[DIGITS_SIZE], sat_error *err)
{
    const struct timespec moment = {0, 50000000L};
    page_mover *const m = context;

    (void)device_name;
    for (bool is_told = false; !take_digits(m, out);) {
        if (!is_told)
            m->changed(m->context);
        is_told = true;
        if (atomic_load(&m->stop))
            return sat__fail(err, SAT_ERR_STOPPED, "the transfer was stopped");
        (void)nanosleep(&moment, NULL);
    }
    return SAT_OK;
}

static sat_status run(page_mover *m, sat_error *err)
{
    sat_transfer_options options = SAT_TRANSFER_INIT;
    sat_backup received;

    options.context = m;
    options.news = note;
    options.digits = ask_digits;
    options.stop = is_stopping;
    options.is_signing_off = m->is_signing_off;
    options.password = m->password;
    options.device_name = m->name[0] != 0 ? m->name : NULL;
    sat_status st = m->profile != NULL
                        ? sat_transfer_send(m->profile, &options, err)
                        : sat_transfer_receive(m->path, m->env,
                                               m->code[0] != 0 ? m->code : NULL,
                                               &options, &received, err);
    if (st == SAT_ERR_STOPPED && atomic_load(&m->is_cancelled)) {
        st = m->profile != NULL ? sat_transfer_cancel(m->profile, err)
                                : sat_transfer_drop(m->path, err);
        SCOPED_LOCK(&m->lock);
        m->state = SAT_TRANSFER_LOCAL_ONLY;
    }
    return st == SAT_ERR_NOT_FOUND && atomic_load(&m->is_cancelled) ? SAT_OK
                                                                    : st;
}

static void *thread(void *context)
{
    page_mover *const m = context;
    sat_error err = {0};
    const sat_status st = run(m, &err);

    {
        SCOPED_LOCK(&m->lock);
        m->is_running = m->wants_digits = false;
        if (st != SAT_OK && st != SAT_ERR_STOPPED)
            m->error = err;
        sodium_memzero(m->shown, sizeof m->shown);
        sodium_memzero(m->digits, sizeof m->digits);
    }
    m->changed(m->context);
    return NULL;
}

/* ---- on the page's ---- */

static void end(page_mover *m)
{
    atomic_store(&m->stop, true);
    if (m->is_begun)
        (void)pthread_join(m->thread, NULL);
    m->is_begun = false;
    sat_profile_close(m->profile);
    m->profile = NULL;
    sodium_memzero(m->password, sizeof m->password);
    sodium_memzero(m->code, sizeof m->code);
}

static bool is_running(page_mover *m)
{
    SCOPED_LOCK(&m->lock);
    return m->is_running;
}

static sat_status require_rest(page_mover *m, sat_error *err)
{
    if (m->is_closed || is_running(m))
        return sat__fail(err, SAT_ERR_BUSY, "a transfer is under way");
    end(m);
    atomic_store(&m->stop, false);
    atomic_store(&m->is_cancelled, false);
    return SAT_OK;
}

static sat_status start(page_mover *m, sat_error *err)
{
    sigset_t all, before;

    {
        SCOPED_LOCK(&m->lock);
        m->is_running = true;
        m->wants_digits = m->has_digits = false;
        m->state = SAT_TRANSFER_LOCAL_ONLY;
        m->error = (sat_error){0};
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = pthread_create(&m->thread, NULL, thread, m);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    m->is_begun = code == 0;
    if (code == 0)
        return SAT_OK;
    SCOPED_LOCK(&m->lock);
    m->is_running = false;
    return sat__fail_os(err, code, "no thread can be started");
}

sat_status page_mover_send(page_mover *mover, sat_profile *profile,
                           bool is_signing_off, sat_error *err)
{
    AUTO_PTR(sat_profile) ours = profile;

    SCOPED_LOCK(&mover->turn);
    TRY(require_rest(mover, err));
    mover->profile = TAKE(ours);
    mover->is_signing_off = is_signing_off;
    return start(mover, err);
}

sat_status page_mover_receive(page_mover *mover, const char *code,
                              const char *password, const char *name,
                              sat_error *err)
{
    SCOPED_LOCK(&mover->turn);
    TRY(require_rest(mover, err));
    if (strlen(password) >= sizeof mover->password ||
        (code != NULL && strlen(code) >= sizeof mover->code))
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the code or password is too long");
    copy_text(mover->code, sizeof mover->code, code);
    copy_text(mover->password, sizeof mover->password, password);
    copy_text(mover->name, sizeof mover->name, name);
    return start(mover, err);
}

sat_status page_mover_type(page_mover *mover, const char *digits,
                           sat_error *err)
{
    SCOPED_LOCK(&mover->lock);
    if (!mover->wants_digits)
        return sat__fail(err, SAT_ERR_CONFLICT, "nobody waits for digits");
    copy_text(mover->digits, sizeof mover->digits, digits);
    mover->has_digits = true;
    mover->wants_digits = false;
    return SAT_OK;
}

sat_status page_mover_cancel(page_mover *mover, sat_profile *profile,
                             sat_error *err)
{
    if (is_running(mover)) {
        atomic_store(&mover->is_cancelled, true);
        atomic_store(&mover->stop, true);
        return SAT_OK;
    }
    return profile != NULL ? sat_transfer_cancel(profile, err)
                           : sat_transfer_drop(mover->path, err);
}

/* ---- what is shown ---- */

/* {"width", "modules": "0110…"}, or null. */
static json_t *describe_qr(const char *code)
{
    AUTO(sat__qr) qr = {0};

    if (code[0] == 0 || sat__qr_encode(code, &qr, NULL) != SAT_OK)
        return json_null();
    const size_t count = (size_t)qr.width * (size_t)qr.width;
    AUTO_FREE char *text = malloc(count + 1);
    if (text == NULL)
        return json_null();
    for (size_t i = 0; i < count; i++)
        text[i] = qr.modules[i] ? '1' : '0';
    text[count] = 0;
    return json_pack("{s:i, s:s}", "width", qr.width, "modules", text);
}

static const char *or_null(const char *text)
{
    return text[0] != 0 ? text : NULL;
}

static json_t *describe_running(page_mover *m)
{
    SCOPED_LOCK(&m->lock);
    const bool is_sender = m->profile != NULL;

    return json_pack("{s:b, s:s, s:s, s:s?, s:o, s:s?, s:b, s:s?, s:I, s:n}",
                     "running", 1, "role", is_sender ? "send" : "receive",
                     "state", sat_transfer_state_name(m->state), "code",
                     or_null(m->shown), "qr", describe_qr(m->shown), "digits",
                     is_sender ? NULL : or_null(m->digits), "wants_digits",
                     m->wants_digits, "device_name", or_null(m->device_name),
                     "expires_at", (json_int_t)m->expires_at, "error");
}

/* What the last one ended with, or what is on the disk to go on with. */
static json_t *describe_rest(page_mover *m)
{
    sat_transfer there = {0};
    const sat_status st = sat_transfer_look(m->path, m->env, &there, NULL);

    SCOPED_LOCK(&m->lock);
    const bool is_over = st != SAT_OK || there.role == SAT_TRANSFER_NOBODY;
    const sat_transfer_state state = !is_over ? there.state
                                     : m->state == SAT_TRANSFER_DONE
                                         ? SAT_TRANSFER_DONE
                                         : SAT_TRANSFER_LOCAL_ONLY;
    return json_pack("{s:b, s:s?, s:s, s:I, s:s?}", "running", 0, "role",
                     is_over                             ? NULL
                     : there.role == SAT_TRANSFER_SENDER ? "send"
                                                         : "receive",
                     "state", sat_transfer_state_name(state), "expires_at",
                     (json_int_t)there.expires_at, "error",
                     m->error.status != SAT_OK ? m->error.message : NULL);
}

json_t *page_mover_describe(page_mover *mover)
{
    return is_running(mover) ? describe_running(mover) : describe_rest(mover);
}

/* ---- beginning and end ---- */

sat_status page_mover_new(const char *path, const sat_env *env,
                          void (*changed)(void *context), void *context,
                          page_mover **out, sat_error *err)
{
    page_mover *const m = calloc(1, sizeof *m);

    if (m == NULL || pthread_mutex_init(&m->lock, NULL) != 0 ||
        pthread_mutex_init(&m->turn, NULL) != 0) {
        free(m);
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    }
    m->env = env;
    m->changed = changed;
    m->context = context;
    copy_text(m->path, sizeof m->path, path);
    *out = m;
    return SAT_OK;
}

void page_mover_close(page_mover *mover)
{
    SCOPED_LOCK(&mover->turn);
    mover->is_closed = true;
    end(mover);
}

void page_mover_free(page_mover *mover)
{
    if (mover == NULL)
        return;
    page_mover_close(mover);
    (void)pthread_mutex_destroy(&mover->turn);
    (void)pthread_mutex_destroy(&mover->lock);
    sodium_memzero(mover, sizeof *mover);
    free(mover);
}
