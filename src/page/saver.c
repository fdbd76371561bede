/*
 * saver.c - the thread of a backup, and how far it is
 */
#include "page/saver.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/error.h"
#include "base/scope.h"
#include "store/profile.h"

#define STEPS 100 /* of what is told while it goes on */

struct page_saver {
    void (*changed)(void *context);
    void *context;
    pthread_mutex_t turn; /* of who begins or ends the thread */
    pthread_t thread;     /* guarded by turn, as are the next four */
    bool is_begun, is_closed;
    sat_profile *profile;
    char place[SAT_PATH_SIZE];
    atomic_bool stop;
    pthread_mutex_t lock;
    /* guarded by lock: */
    bool is_running, is_made;
    uint64_t done, total, told;
    sat_error error;
};

/* ---- on the saver's thread ---- */

static int note(uint64_t done, uint64_t total, void *context)
{
    page_saver *const s = context;
    bool is_news;

    {
        SCOPED_LOCK(&s->lock);
        const uint64_t step = total > 0 ? done * STEPS / total : 0;
        is_news = step != s->told;
        s->done = done;
        s->total = total;
        s->told = step;
    }
    if (is_news)
        s->changed(s->context);
    return !atomic_load(&s->stop);
}

static void *make(void *context)
{
    page_saver *const s = context;
    sat_backup_options options = SAT_BACKUP_INIT;
    sat_error err = {0};

    options.progress = note;
    options.context = s;
    const sat_status st =
        sat_backup_make(s->profile, s->place, &options, NULL, &err);
    {
        SCOPED_LOCK(&s->lock);
        s->is_running = false;
        s->is_made = st == SAT_OK;
        if (st != SAT_OK && st != SAT_ERR_STOPPED)
            s->error = err;
    }
    s->changed(s->context);
    return NULL;
}

/* ---- on the page's ---- */

static void end(page_saver *s)
{
    atomic_store(&s->stop, true);
    if (s->is_begun)
        (void)pthread_join(s->thread, NULL);
    s->is_begun = false;
    sat_profile_close(s->profile);
    s->profile = NULL;
}

static bool take_turn(page_saver *s)
{
    SCOPED_LOCK(&s->lock);
    if (s->is_running || s->is_closed)
        return false;
    s->is_running = true;
    s->is_made = false;
    s->done = s->total = s->told = 0;
    s->error = (sat_error){0};
    return true;
}

static void give_turn(page_saver *s)
{
    SCOPED_LOCK(&s->lock);
    s->is_running = false;
}

sat_status page_saver_make(page_saver *saver, sat_profile *profile,
                           const char *place, sat_error *err)
{
    AUTO_PTR(sat_profile) ours = profile;
    sigset_t all, before;

    SCOPED_LOCK(&saver->turn);
    if (strlen(place) >= sizeof saver->place)
        return sat__fail(err, SAT_ERR_LIMIT, "the place's path is too long");
    if (!take_turn(saver))
        return sat__fail(err, SAT_ERR_BUSY, "a backup is under way");
    end(saver);
    saver->profile = TAKE(ours);
    (void)snprintf(saver->place, sizeof saver->place, "%s", place);
    atomic_store(&saver->stop, false);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = pthread_create(&saver->thread, NULL, make, saver);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    saver->is_begun = code == 0;
    if (code == 0)
        return SAT_OK;
    give_turn(saver);
    return sat__fail_os(err, code, "no thread can be started");
}

json_t *page_saver_describe(page_saver *saver)
{
    SCOPED_LOCK(&saver->lock);
    const char *const error =
        saver->error.status != SAT_OK ? saver->error.message : NULL;

    return json_pack("{s:b, s:b, s:I, s:I, s:s?}", "running", saver->is_running,
                     "made", saver->is_made, "done", (json_int_t)saver->done,
                     "total", (json_int_t)saver->total, "error", error);
}

/* ---- beginning and end ---- */

sat_status page_saver_new(void (*changed)(void *context), void *context,
                          page_saver **out, sat_error *err)
{
    page_saver *const s = calloc(1, sizeof *s);

    if (s == NULL || pthread_mutex_init(&s->lock, NULL) != 0 ||
        pthread_mutex_init(&s->turn, NULL) != 0) {
        free(s);
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    }
    s->changed = changed;
    s->context = context;
    *out = s;
    return SAT_OK;
}

void page_saver_close(page_saver *saver)
{
    SCOPED_LOCK(&saver->turn);
    saver->is_closed = true;
    end(saver);
}

void page_saver_free(page_saver *saver)
{
    if (saver == NULL)
        return;
    page_saver_close(saver);
    (void)pthread_mutex_destroy(&saver->turn);
    (void)pthread_mutex_destroy(&saver->lock);
    free(saver);
}
