/*
 * api_transfer.c - everything to a new device: sending it, or being it
 */
#include <stdio.h>

#include "base/error.h"
#include "page/api.h"
#include "store/profile.h"
#include "store/scan.h"

static sat_status answer_transfer(sat__page *page, sat__response *response,
                                  sat_error *err)
{
    json_t *const value = page_mover_describe(page->mover);

    SCOPED_LOCK(&page->lock);
    if (value != NULL && page->next[0] != 0)
        (void)json_object_set_new(value, "next", json_string(page->next));
    return page_answer(response, value, err);
}

sat_status page_get_transfer(void *context, sat__request *request,
                             const char *id, sat__response *response,
                             sat_error *err)
{
    sat__page *const page = context;

    (void)request;
    (void)id;
    return answer_transfer(page, response, err);
}

static sat_status send_profile(sat__page *page, const json_t *body,
                               sat_error *err)
{
    sat_profile *twin = NULL;

    TRY(sat__profile_twin(page->profile, &twin, err));
    return page_mover_send(page->mover, twin,
                           json_is_true(json_object_get(body, "sign_off")),
                           err);
}

/* {"do": "send", "sign_off"} or {"do": "digits", "digits"} or {"do": "cancel"}.
 */
sat_status page_post_transfer(void *context, sat__request *request,
                              const char *id, sat__response *response,
                              sat_error *err)
{
    sat__page *const page = context;
    AUTO_JSON json_t *body = NULL;
    const char *what, *digits;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "do", &what, err));
    if (strcmp(what, "send") == 0 && page->profile != NULL) {
        TRY(send_profile(page, body, err));
    } else if (strcmp(what, "digits") == 0) {
        TRY(page_text(body, "digits", &digits, err));
        TRY(page_mover_type(page->mover, digits, err));
    } else if (strcmp(what, "cancel") == 0) {
        TRY(page_mover_cancel(page->mover, page->profile, err));
    } else {
        return sat__fail(err, SAT_ERR_INVALID,
                         "a transfer can not be done that");
    }
    sat__page_touch(page);
    return answer_transfer(page, response, err);
}

/* {"code", "password", "name"}; without a code it goes on with one that was
 * cut. */
sat_status page_post_receive(void *context, sat__request *request,
                             const char *id, sat__response *response,
                             sat_error *err)
{
    sat__page *const page = context;
    AUTO_JSON json_t *body = NULL;
    const char *password;

    (void)id;
    if (page->profile != NULL)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "there is a profile on this device already");
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "password", &password, err));
    TRY(page_mover_receive(
        page->mover, json_string_value(json_object_get(body, "code")), password,
        json_string_value(json_object_get(body, "name")), err));
    {
        SCOPED_LOCK(&page->lock);
        (void)snprintf(page->password, sizeof page->password, "%s", password);
    }
    return answer_transfer(page, response, err);
}

/* A PNG image of a code: what it says. */
sat_status page_post_scan(void *context, sat__request *request, const char *id,
                          sat__response *response, sat_error *err)
{
    AUTO(sat_buf) code = SAT_BUF_INIT;

    (void)context;
    (void)id;
    TRY(sat__scan_image(buf_view(&request->body), &code, err));
    return page_answer(response,
                       json_pack("{s:s}", "code", sat__buf_text(&code)), err);
}
