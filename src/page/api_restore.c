/*
 * api_restore.c - a backup in the place of what this device has
 *
 * Nobody may hold the profile while it is exchanged. So the page lets go of it
 * and goes on without one, saying how far it is, until whoever runs it has
 * begun anew, with another page.
 */
#include <sodium.h>
#include <stdio.h>

#include "base/error.h"
#include "page/api.h"
#include "satchel/account.h"
#include "satchel/backup.h"
#include "store/profile.h"

json_t *page_describe_rest(sat__page *page)
{
    SCOPED_LOCK(&page->lock);
    const page_rest *const rest = &page->rest;

    if (!rest->is_begun)
        return NULL;
    return json_pack("{s:b, s:I, s:I, s:s?, s:s?}", "over", rest->is_over,
                     "done", (json_int_t)rest->done, "total",
                     (json_int_t)rest->total, "error",
                     rest->error[0] != 0 ? rest->error : NULL, "next",
                     page->next[0] != 0 ? page->next : NULL);
}

void sat__page_resting(sat__page *page, uint64_t done, uint64_t total)
{
    bool is_news;
    {
        SCOPED_LOCK(&page->lock);
        const uint64_t hundredth = total / 100 + 1;
        is_news = done / hundredth != page->rest.done / hundredth;
        page->rest.done = done;
        page->rest.total = total;
    }
    if (is_news)
        sat__page_touch(page);
}

void sat__page_rested(sat__page *page, const char *error)
{
    {
        SCOPED_LOCK(&page->lock);
        page->rest.is_over = true;
        (void)snprintf(page->rest.error, sizeof page->rest.error, "%s",
                       error != NULL ? error : "");
    }
    sat__page_touch(page);
}

/* Where the list is from; a hub is restored from by its address. */
static sat_status find_source(const sat__page *page, char from[SAT_PATH_SIZE],
                              sat_error *err)
{
    sat_account account;

    TRY(sat_backup_place(page->profile, from, err));
    if (strcmp(from, "hub") != 0)
        return SAT_OK;
    TRY(sat_account_show(page->profile, &account, err));
    (void)snprintf(from, SAT_PATH_SIZE, "%s", account.url);
    return SAT_OK;
}

static bool is_running(json_t *described)
{
    const bool is = json_is_true(json_object_get(described, "running"));

    json_decref(described);
    return is;
}

static sat_status begin(sat__page *page, uint64_t version, const char *phrase,
                        sat_error *err)
{
    char from[SAT_PATH_SIZE];

    if (is_running(page_saver_describe(page->saver)) ||
        is_running(page_mover_describe(page->mover)))
        return sat__fail(err, SAT_ERR_BUSY,
                         "a backup or a transfer is under way");
    TRY(sat_profile_check_phrase(page->profile, phrase, err));
    TRY(find_source(page, from, err));
    page_saver_close(page->saver);
    page_mover_close(page->mover);
    sat_profile_close(TAKE(page->profile));
    {
        SCOPED_LOCK(&page->lock);
        page->rest.is_begun = true;
    }
    page->owner.restore(page->owner.context, from, version, phrase);
    return SAT_OK;
}

/* {"version", "phrase"} */
sat_status page_post_restore(void *context, sat__request *request,
                             const char *id, sat__response *response,
                             sat_error *err)
{
    sat__page *const page = context;
    AUTO_JSON json_t *body = NULL;
    const char *phrase;

    (void)id;
    TRY(page_body(request, &body, err));
    sodium_memzero(request->body.data, request->body.len);
    TRY(page_text(body, "phrase", &phrase, err));
    const json_int_t version =
        json_integer_value(json_object_get(body, "version"));
    const sat_status st =
        version > 0
            ? begin(page, (uint64_t)version, phrase, err)
            : sat__fail(err, SAT_ERR_INVALID, "there is no such backup");
    /* What was parsed is ours alone. */
    sodium_memzero((char *)phrase, strlen(phrase));
    TRY(st);
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}
