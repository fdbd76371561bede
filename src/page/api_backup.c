/*
 * api_backup.c - backups at the place where the last one went
 */
#include "base/error.h"
#include "page/api.h"
#include "satchel/backup.h"

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

/* {"place", "backups"}; the place is null where there was none yet. */
sat_status page_get_backups(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    const sat__page *const page = context;
    AUTO_JSON json_t *list = json_array();
    char place[SAT_PATH_SIZE];

    (void)request;
    (void)id;
    const sat_status st = sat_backup_place(page->profile, place, err);
    if (st != SAT_OK && st != SAT_ERR_NOT_FOUND)
        return st;
    if (st == SAT_OK)
        TRY(sat_backup_list(page->profile, place, put_backup, list, err));
    return page_answer(response,
                       json_pack("{s:s?, s:O}", "place",
                                 st == SAT_OK ? place : NULL, "backups", list),
                       err);
}

/* {"do": "make", "place"} or {"do": "delete" | "verify", "version"}. */
sat_status page_post_backup(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    sat__page *const page = context;
    AUTO_JSON json_t *body = NULL;
    sat_backup_options options = SAT_BACKUP_INIT;
    char place[SAT_PATH_SIZE];
    const char *what, *to;
    uint64_t count;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "do", &what, err));
    const json_int_t version =
        json_integer_value(json_object_get(body, "version"));
    if (strcmp(what, "make") == 0) {
        TRY(page_text(body, "place", &to, err));
        TRY(sat_backup_make(page->profile, to, &options, NULL, err));
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
