/*
 * api_account.c - settings, one-time codes, the audit
 */
#include "base/error.h"
#include "page/api.h"
#include "satchel/audit.h"
#include "satchel/mfa.h"
#include "store/profile.h"
#include "store/scan.h"

#define AUDIT_NEWEST 300

DEFINE_AUTO_PTR(sat_settings, sat_settings_close);
DEFINE_AUTO_PTR(sat_mfa, sat_mfa_close);

static sat_status append(json_t *list, json_t *value, sat_error *err)
{
    if (json_array_append_new(list, value) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

/* ---- settings ---- */

static sat_status put_setting(const sat_setting *setting, void *context,
                              sat_error *err)
{
    return append(context,
                  json_pack("{s:s, s:s, s:b}", "path", setting->path, "json",
                            setting->json, "local",
                            setting->origin == SAT_SETTING_LOCAL),
                  err);
}

sat_status page_get_settings(void *context, sat__request *request,
                             const char *id, sat__response *response,
                             sat_error *err)
{
    const sat__page *const page = context;
    AUTO_PTR(sat_settings) settings = NULL;
    AUTO_JSON json_t *list = json_array();

    (void)request;
    (void)id;
    TRY(sat_settings_open(page->profile, &settings, err));
    TRY(sat_settings_list(settings, "", put_setting, list, err));
    return page_answer(response, TAKE(list), err);
}

/* {"path", "json"} sets, and without "json" unsets. */
sat_status page_post_settings(void *context, sat__request *request,
                              const char *id, sat__response *response,
                              sat_error *err)
{
    sat__page *const page = context;
    AUTO_PTR(sat_settings) settings = NULL;
    AUTO_JSON json_t *body = NULL;
    const char *path;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "path", &path, err));
    const char *const json = json_string_value(json_object_get(body, "json"));
    TRY(sat_settings_open(page->profile, &settings, err));
    if (json != NULL)
        TRY(sat_settings_set(settings, path, json,
                             json_is_true(json_object_get(body, "local")),
                             err));
    else
        TRY(sat_settings_unset(settings, path, err));
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}

/* ---- one-time codes ---- */

typedef struct listing {
    sat_mfa *mfa;
    json_t *list;
} listing;

static sat_status put_mfa(const sat_mfa_entry *e, void *context, sat_error *err)
{
    const listing *const to = context;
    char code[SAT_MFA_CODE_SIZE] = "";
    uint64_t left_ms = 0;

    if (strcmp(e->status, "disabled") != 0)
        TRY(sat_mfa_code(to->mfa, e->id, code, &left_ms, err));
    return append(
        to->list,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:i, s:o, s:s, "
                  "s:I, s:i}",
                  "id", e->id, "name", e->name, "issuer", e->issuer, "account",
                  e->account, "status", e->status, "disabled_until",
                  page_time(e->disabled_until_ms), "verified_at",
                  page_time(e->verified_ms), "last_used",
                  page_time(e->last_used_ms), "backup_codes",
                  (int)e->backup_codes, "devices", page_tree(e->devices),
                  "code", code, "left_ms", (json_int_t)left_ms, "period",
                  (int)e->period),
        err);
}

sat_status page_get_mfa(void *context, sat__request *request, const char *id,
                        sat__response *response, sat_error *err)
{
    const sat__page *const page = context;
    AUTO_PTR(sat_mfa) mfa = NULL;
    AUTO_JSON json_t *list = json_array();

    (void)request;
    (void)id;
    TRY(sat_mfa_open(page->profile, &mfa, err));
    listing to = {mfa, list};
    TRY(sat_mfa_list(mfa, put_mfa, &to, err));
    return page_answer(response, TAKE(list), err);
}

/* {"name"} and an otpauth address or a Base32 secret. */
sat_status page_post_mfa(void *context, sat__request *request, const char *id,
                         sat__response *response, sat_error *err)
{
    sat__page *const page = context;
    sat_mfa_options options = SAT_MFA_INIT;
    AUTO_PTR(sat_mfa) mfa = NULL;
    AUTO_JSON json_t *body = NULL;
    char made[SAT_MFA_ID_SIZE];
    const char *name, *secret;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "name", &name, err));
    TRY(page_text(body, "secret", &secret, err));
    TRY(sat_mfa_open(page->profile, &mfa, err));
    options.secret = secret;
    if (strncmp(secret, "otpauth:", 8) == 0)
        TRY(sat_mfa_add_uri(mfa, name[0] != '\0' ? name : NULL, secret, made,
                            err));
    else
        TRY(sat_mfa_add(mfa, name, &options, made, err));
    sat__page_touch(page);
    return page_answer(response, json_pack("{s:s}", "id", made), err);
}

/* A PNG image of a QR code. */
sat_status page_post_image(void *context, sat__request *request, const char *id,
                           sat__response *response, sat_error *err)
{
    sat__page *const page = context;
    AUTO_PTR(sat_mfa) mfa = NULL;
    AUTO(sat_buf) uri = SAT_BUF_INIT;
    char made[SAT_MFA_ID_SIZE];

    (void)id;
    TRY(sat__scan_image(buf_view(&request->body), &uri, err));
    TRY(sat_mfa_open(page->profile, &mfa, err));
    TRY(sat_mfa_add_uri(mfa, NULL, sat__buf_text(&uri), made, err));
    sat__page_touch(page);
    return page_answer(response, json_pack("{s:s}", "id", made), err);
}

static sat_status answer_backup_codes(sat_mfa *mfa, const char *id,
                                      sat__response *response, sat_error *err)
{
    char codes[SAT_MFA_BACKUP_CODES][SAT_MFA_BACKUP_SIZE];
    AUTO_JSON json_t *list = json_array();

    TRY(sat_mfa_backup_codes(mfa, id, codes, err));
    for (int i = 0; i < SAT_MFA_BACKUP_CODES; i++)
        TRY(append(list, json_string(codes[i]), err));
    explicit_bzero(codes, sizeof codes);
    return page_answer(response, TAKE(list), err);
}

sat_status page_post_entry(void *context, sat__request *request, const char *id,
                           sat__response *response, sat_error *err)
{
    sat__page *const page = context;
    AUTO_PTR(sat_mfa) mfa = NULL;
    AUTO_JSON json_t *body = NULL;
    const char *what, *code;

    TRY(page_body(request, &body, err));
    TRY(page_text(body, "do", &what, err));
    TRY(sat_mfa_open(page->profile, &mfa, err));
    if (strcmp(what, "backup-codes") == 0)
        return answer_backup_codes(mfa, id, response, err);
    if (strcmp(what, "verify") == 0) {
        TRY(page_text(body, "code", &code, err));
        TRY(sat_mfa_verify(mfa, id, code, err));
    } else if (strcmp(what, "disable") == 0) {
        const json_int_t for_ms =
            json_integer_value(json_object_get(body, "for_ms"));
        TRY(sat_mfa_disable(mfa, id, for_ms > 0 ? (uint64_t)for_ms : 0, err));
    } else if (strcmp(what, "enable") == 0) {
        TRY(sat_mfa_enable(mfa, id, err));
    } else if (strcmp(what, "remove") == 0) {
        TRY(sat_mfa_remove(mfa, id, err));
    } else {
        return sat__fail(err, SAT_ERR_INVALID, "an entry can not be done that");
    }
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}

/* ---- audit ---- */

static sat_status put_event(const sat_audit_entry *e, void *context,
                            sat_error *err)
{
    json_t *const list = context;

    TRY(append(list,
               json_pack("{s:I, s:I, s:s, s:s, s:s}", "number",
                         (json_int_t)e->number, "time", (json_int_t)e->time,
                         "event", e->event, "detail", e->detail, "hash",
                         e->hash),
               err));
    if (json_array_size(list) > AUDIT_NEWEST)
        (void)json_array_remove(list, 0);
    return SAT_OK;
}

sat_status page_get_audit(void *context, sat__request *request, const char *id,
                          sat__response *response, sat_error *err)
{
    const sat__page *const page = context;
    AUTO_JSON json_t *list = json_array();

    (void)request;
    (void)id;
    TRY(sat_audit_list(page->profile, 0, NULL, put_event, list, err));
    return page_answer(response, TAKE(list), err);
}
