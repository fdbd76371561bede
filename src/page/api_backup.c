/*
 * api_backup.c - backups at the place where the last one went
 */
#include <stdio.h>

#include "base/error.h"
#include "page/api.h"
#include "satchel/backup.h"
#include "store/profile.h"

static sat_status put_backup(const sat_backup *b, void *context, sat_error *err)
{
    json_t *const value =
        json_pack("{s:I, s:o, s:I, s:I, s:I, s:s}", "version",
                  (json_int_t)b->version, "created", page_time(b->created),
                  "size", (json_int_t)b->size, "files", (json_int_t)b->files,
                  "missing", (json_int_t)b->missing, "device", b->device);

    if (json_array_append_new(context, value) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

static json_t *describe_schedule(const sat_profile *profile)
{
    sat_backup_schedule schedule;

    if (sat_backup_schedule_get(profile, &schedule, NULL) != SAT_OK)
        return json_null();
    return json_pack("{s:b, s:i, s:s}", "enabled", schedule.is_enabled,
                     "minute", (int)schedule.minute, "place", schedule.place);
}

/* {"place", "backups", "making", "schedule", "error"}; the place is null where
 * there was none yet, and "error" says why the list can not be had. */
sat_status page_get_backups(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    const sat__page *const page = context;
    AUTO_JSON json_t *list = json_array();
    char place[SAT_PATH_SIZE];
    sat_error why = {0};

    (void)request;
    (void)id;
    const sat_status st = sat_backup_place(page->profile, place, err);
    if (st != SAT_OK && st != SAT_ERR_NOT_FOUND)
        return st;
    const bool is_there =
        st != SAT_OK ||
        sat_backup_list(page->profile, place, put_backup, list, &why) == SAT_OK;
    return page_answer(response,
                       json_pack("{s:s?, s:O, s:o, s:o, s:s?}", "place",
                                 st == SAT_OK ? place : NULL, "backups", list,
                                 "making", page_saver_describe(page->saver),
                                 "schedule", describe_schedule(page->profile),
                                 "error", is_there ? NULL : why.message),
                       err);
}

static sat_status make(const sat__page *page, const json_t *body,
                       sat_error *err)
{
    sat_profile *twin = NULL;
    const char *to;

    TRY(page_text(body, "place", &to, err));
    TRY(sat__profile_twin(page->profile, &twin, err));
    return page_saver_make(page->saver, twin, to, err);
}

static sat_status set_schedule(const sat__page *page, const json_t *body,
                               sat_error *err)
{
    const json_int_t minute =
        json_integer_value(json_object_get(body, "minute"));
    sat_backup_schedule schedule = {0};
    const char *to;

    TRY(page_text(body, "place", &to, err));
    schedule.is_enabled = json_is_true(json_object_get(body, "enabled"));
    if (minute < 0 || minute >= 24 * 60 ||
        strlen(to) >= sizeof schedule.place ||
        (schedule.is_enabled && to[0] == 0))
        return sat__fail(err, SAT_ERR_INVALID,
                         "say where to, and a time of the day");
    schedule.minute = (unsigned)minute;
    (void)snprintf(schedule.place, sizeof schedule.place, "%s", to);
    return sat_backup_schedule_set(page->profile, &schedule, err);
}

/* {"do": "schedule", "enabled", "minute", "place"}; {"do": "make", "place"}
 * begins one; {"do": "delete" | "verify", "version"}. */
sat_status page_post_backup(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    sat__page *const page = context;
    AUTO_JSON json_t *body = NULL;
    char place[SAT_PATH_SIZE];
    const char *what;
    uint64_t count;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "do", &what, err));
    const json_int_t version =
        json_integer_value(json_object_get(body, "version"));
    if (strcmp(what, "make") == 0) {
        TRY(make(page, body, err));
    } else if (strcmp(what, "schedule") == 0) {
        TRY(set_schedule(page, body, err));
    } else if (version > 0) {
        TRY(sat_backup_place(page->profile, place, err));
        if (strcmp(what, "delete") == 0)
            TRY(sat_backup_delete(page->profile, place, (uint64_t)version,
                                  err));
        else
            TRY(sat_backup_verify(page->profile, place, (uint64_t)version, 0,
                                  NULL, NULL, &count, err));
    } else {
        return sat__fail(err, SAT_ERR_INVALID, "there is no such backup");
    }
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}
