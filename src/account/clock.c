/*
 * clock.c - what a token says of the hub's clock
 */
#include "account/clock.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "base/error.h"

static sat_status fail_token(sat_error *err)
{
    return sat__fail(err, SAT_ERR_CORRUPT,
                     "the hub gives a token that is none");
}

sat_status sat__token_issued(const char *token, uint64_t *out_s, sat_error *err)
{
    const char *const from = strchr(token, '.');
    const char *const to = from != NULL ? strchr(from + 1, '.') : NULL;
    char claims[SAT_HUB_TOKEN_SIZE];
    size_t len;

    if (to == NULL ||
        sodium_base642bin((uint8_t *)claims, sizeof claims - 1, from + 1,
                          (size_t)(to - from - 1), NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return fail_token(err);
    claims[len] = 0;
    const char *const at = strstr(claims, "\"iat\":");
    if (at == NULL || sscanf(at, "\"iat\":%10" SCNu64, out_s) != 1)
        return fail_token(err);
    return SAT_OK;
}

sat_status sat__session_note_clock(sat__session *session, const char *token,
                                   sat_error *err)
{
    const uint64_t now_s = session->env->wall(session->env->context) / 1000;
    uint64_t issued_s;
    char text[24];

    /* A hub of another kind may have tokens that say nothing. */
    if (sat__token_issued(token, &issued_s, NULL) != SAT_OK)
        return SAT_OK;
    (void)snprintf(text, sizeof text, "%" PRId64,
                   (int64_t)issued_s - (int64_t)now_s);
    return sat__session_put(session, "clock", text, err);
}

sat_status sat__session_clock(sat__session *session, int64_t *out_s,
                              sat_error *err)
{
    char text[24];

    TRY(sat__session_get(session, "clock", text, sizeof text, err));
    *out_s = text[0] != 0 ? strtoll(text, NULL, 10) : 0;
    return SAT_OK;
}
