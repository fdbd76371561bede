/*
 * backup_day.c - the hub's word of the day that a backup is to be made
 */
#include "hub/backup_day.h"

#include "hub/wake.h"

#define DAY_MS ((int64_t)86400000)
#define WITHIN_MS ((int64_t)900000) /* devices of one account, spread */
#define TICK_MAX 64 /* that are given the word at once: after a night, too */

/* The next time of that account's day, after `now`. */
static int64_t next_due(const uint8_t account[HUB_ID_SIZE], int64_t now)
{
    uint64_t number = 0;

    for (size_t i = 0; i < 8; i++)
        number = number << 8 | account[i];
    const int64_t begin = (int64_t)(number % (uint64_t)DAY_MS);
    const int64_t today = now - now % DAY_MS + begin;
    return today > now ? today : today + DAY_MS;
}

sat_status hub_backup_day_join(hub_db *db, const uint8_t account[HUB_ID_SIZE],
                               int64_t now, sat_error *err)
{
    return hub_exec(db, NULL, err,
                    "INSERT INTO backup_days(account, due) VALUES($1, $2)"
                    " ON CONFLICT DO NOTHING",
                    "xi", account, next_due(account, now));
}

/* ---- whose day begins ---- */

typedef struct day {
    uint8_t account[HUB_ID_SIZE];
    int64_t due;
    bool is_ours; /* no other node was faster */
} day;

typedef struct days {
    int64_t now;
    size_t count;
    day all[TICK_MAX];
} days;

static sat_status find_due(hub_db *db, void *context, sat_error *err)
{
    days *const in = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    in->count = 0;
    TRY(hub_query(db, &rows, err,
                  "SELECT account, due FROM backup_days WHERE due <= $1"
                  " ORDER BY due LIMIT 64",
                  "i", in->now));
    while (in->count < TICK_MAX && HUB_NEXT(&rows, err)) {
        day *const d = &in->all[in->count++];
        TRY(hub_fixed(&rows, 0, d->account, sizeof d->account, err));
        d->due = hub_int(&rows, 1);
    }
    return SAT_OK;
}

/* What was missed while no node ran is not made up for. */
static sat_status move_on(hub_db *db, void *context, sat_error *err)
{
    days *const in = context;

    for (size_t i = 0; i < in->count; i++) {
        day *const d = &in->all[i];
        int64_t changed;
        TRY(hub_exec(db, &changed, err,
                     "UPDATE backup_days SET due = $1 WHERE account = $2"
                     " AND due = $3",
                     "ixi", next_due(d->account, in->now), d->account, d->due));
        d->is_ours = changed == 1;
    }
    return SAT_OK;
}

sat_status hub_backup_day_tick(hub_core *hub, sat_error *err)
{
    const hub_storage *const storage = hub->storage;
    days in = {.now = (int64_t)hub_now(hub)};
    sat_status st = SAT_OK;

    TRY(storage->read(storage->self, find_due, &in, err));
    if (in.count == 0)
        return SAT_OK;
    TRY(storage->write(storage->self, move_on, &in, err));
    /* Their days have moved on: one that fails keeps the word from no other. */
    for (size_t i = 0; i < in.count; i++) {
        sat_error why = {0};
        if (!in.all[i].is_ours ||
            hub_wake_backup(hub, in.all[i].account, WITHIN_MS, &why) == SAT_OK)
            continue;
        st = sat__fail(err, why.status, "%s", why.message);
    }
    return st;
}
