/*
 * mfa_report.c - what administrators of the hub may know of the authenticator
 *
 * Of each entry its random id, its state, times, and the devices that use it:
 * no name, no secret. It is told when it differs from what was told last.
 */
#include "account/mfa_report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/sql.h"
#include "settings/mfa.h"

typedef struct report {
    sat_buf entries;
    size_t count;
} report;

static void report_clear(report *r)
{
    sat__buf_clear(&r->entries);
}

DEFINE_AUTO(report, report_clear);

static void json_release(json_t **slot)
{
    json_decref(*slot);
}

/* The ids of devices in the list, as bytes. */
static sat_status put_devices(const char *json, sat__map *map, sat_error *err)
{
    __attribute__((cleanup(json_release))) json_t *list =
        json_loads(json, 0, NULL);
    const size_t count = json_array_size(list);
    uint8_t id[SAT_DEVICE_ID_SIZE];

    sat__map_key(map, "devices");
    sat__cbor_put_array(&map->values, count);
    for (size_t i = 0; i < count; i++) {
        const char *const text = json_string_value(json_array_get(list, i));
        TRY(sat__hex_parse(text != NULL ? text : "", id, sizeof id, err));
        sat__cbor_put_bytes(&map->values, id, sizeof id);
    }
    return SAT_OK;
}

static sat_status add_entry(const sat_mfa_entry *entry, void *context,
                            sat_error *err)
{
    report *const r = context;
    AUTO(sat__map) map = {.count = 0};
    uint8_t id[16];

    TRY(sat__hex_parse(entry->id, id, sizeof id, err));
    map_put_bytes(&map, "id", bytes_of(id, sizeof id));
    map_put_text(&map, "state", entry->status);
    map_put_uint(&map, "created_at", entry->created_ms);
    map_put_uint(&map, "verified_at", entry->verified_ms);
    map_put_uint(&map, "used_at", entry->last_used_ms);
    TRY(put_devices(entry->devices, &map, err));
    TRY(sat__map_end(&map, &r->entries, err));
    r->count++;
    return SAT_OK;
}

static sat_status send(sat__session *session, const report *r, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;

    sat__map_key(&map, "entries");
    sat__cbor_put_array(&map.values, r->count);
    sat__buf_put(&map.values, r->entries.data, r->entries.len);
    TRY(sat__map_end(&map, &body, err));
    return sat__hub_call(&session->hub, "PUT", "/api/mfa", buf_view(&body),
                         &answer, err);
}

static sat_status has_entries(sqlite3 *db, bool *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(db, &stmt,
                         "SELECT 1 FROM sqlite_master WHERE name = "
                         "'satchel_mfa_backup'",
                         err));
    return sat__sql_step(stmt, out, err);
}

sat_status sat__mfa_report(sat__session *session, sat_error *err)
{
    sat_mfa mfa = {session->profile, session->env, session->db};
    AUTO(report) r = {.entries = SAT_BUF_INIT};
    uint8_t hash[SAT_SHA256_SIZE];
    char now[2 * SAT_SHA256_SIZE + 1], told[sizeof now];
    bool any;

    TRY(has_entries(session->db, &any, err));
    if (!any)
        return SAT_OK;
    TRY(sat_mfa_list(&mfa, add_entry, &r, err));
    TRY(sat__buf_status(&r.entries, err));
    sat__sha256(buf_view(&r.entries), hash);
    sat__hex_format(hash, sizeof hash, now);
    TRY(sat__session_get(session, "mfa told", told, sizeof told, err));
    if (strcmp(now, told) == 0 || (r.count == 0 && told[0] == 0))
        return SAT_OK;
    TRY(send(session, &r, err));
    return sat__session_put(session, "mfa told", now, err);
}
