/*
 * ledger_note.c - every change of the account is shown to its person
 */
#include "store/ledger_note.h"

#include <stdio.h>

#include "base/error.h"
#include "store/audit.h"

/* A principal as people know it. */
static void describe(const sat__account_state *state, const sat__id *id,
                     char out[256])
{
    static const char *const slots[] = {"", "", "the password", "the phrase"};
    const sat__account_principal *const found = sat__account_find(state, id);
    char hex[2 * sizeof id->bytes + 1];

    sat__hex_format(id->bytes, sizeof id->bytes, hex);
    if (found != NULL && found->who.kind != SAT_PRINCIPAL_DEVICE)
        (void)snprintf(out, 256, "%s", slots[found->who.kind]);
    else
        (void)snprintf(out, 256, "%s (%s)",
                       found != NULL ? found->who.name : "a device", hex);
}

static const char *event_of(unsigned op)
{
    switch (op) {
    case SAT_ACCOUNT_ADD:
        return SAT_EVENT_DEVICE_ADDED;
    case SAT_ACCOUNT_REVOKE:
        return SAT_EVENT_DEVICE_REVOKED;
    case SAT_ACCOUNT_SLOT:
        return SAT_EVENT_PASSWORD_CHANGED;
    default:
        return SAT_EVENT_KEY_RENEWED;
    }
}

sat_status sat__ledger_note(sqlite3 *db, const sat_env *env,
                            const sat__account_state *state, sat_bytes moved,
                            sat_error *err)
{
    AUTO(sat__arena) arena = {NULL, 0};
    sat__account_change what;
    sat__link_parts parts;
    sat__link link;
    char whom[256] = "", by[256], detail[2 * 256 + 8];

    TRY(sat__link_split(moved, &parts, err));
    TRY(sat__link_read(parts.bytes, &link, err));
    TRY(sat__account_change_get(link.op, link.payload, &arena, &what, err));
    if (state == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    if (what.op == SAT_ACCOUNT_ADD)
        describe(state, &what.device.id, whom);
    if (what.op == SAT_ACCOUNT_REVOKE)
        describe(state, &what.former, whom);
    describe(state, &link.by, by);
    (void)snprintf(detail, sizeof detail, "%s%sby %s", whom,
                   whom[0] != 0 ? ", " : "", by);
    return sat__audit_add(db, env, event_of(link.op), detail, err);
}

sat_status sat__ledger_note_joined(sqlite3 *db, const sat_env *env,
                                   const sat__id *account, sat_error *err)
{
    char hex[2 * sizeof account->bytes + 1];

    sat__hex_format(account->bytes, sizeof account->bytes, hex);
    return sat__audit_add(db, env, SAT_EVENT_ACCOUNT_JOINED, hex, err);
}
