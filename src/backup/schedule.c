/*
 * schedule.c - when the daily backup is due
 */
#include "backup/schedule.h"

#include <stdio.h>
#include <time.h>

#include "backup/place.h"
#include "base/error.h"
#include "store/fs.h"
#include "store/profile.h"

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

/* ---- what a person wants ---- */

static sat_status conf_path(const sat_profile *profile, char out[SAT_PATH_SIZE],
                            sat_error *err)
{
    return sat__profile_file(profile, "satchel.conf", out, err);
}

sat_status sat_backup_schedule_get(const sat_profile *profile,
                                   sat_backup_schedule *out, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    sat__conf conf;
    TRY(conf_path(profile, path, err));
    TRY(sat__conf_read(path, &conf, err));
    *out = (sat_backup_schedule){.is_enabled = conf.backup_minute >= 0,
                                 .minute = conf.backup_minute >= 0
                                               ? (unsigned)conf.backup_minute
                                               : SAT_BACKUP_MINUTE};
    (void)snprintf(out->place, sizeof out->place, "%s", conf.backup_to);
    if (out->place[0] != 0)
        return SAT_OK;
    const sat_status st = sat_backup_place(profile, out->place, err);
    if (st == SAT_ERR_NOT_FOUND)
        out->place[0] = 0;
    return st == SAT_ERR_NOT_FOUND ? SAT_OK : st;
}

sat_status sat_backup_schedule_set(const sat_profile *profile,
                                   const sat_backup_schedule *schedule,
                                   sat_error *err)
{
    char path[SAT_PATH_SIZE];
    char at[32];
    TRY(conf_path(profile, path, err));
    if (!schedule->is_enabled)
        return sat__conf_set(path, "backup", "at", NULL, err);
    if (schedule->minute >= 24 * 60 || schedule->place[0] == 0 ||
        strpbrk(schedule->place, "\n;") != NULL)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a schedule has a time from 00:00 to 23:59, and a "
                         "place");
    (void)snprintf(at, sizeof at, "%02u:%02u", schedule->minute / 60,
                   schedule->minute % 60);
    TRY(sat__conf_set(path, "backup", "to", schedule->place, err));
    return sat__conf_set(path, "backup", "at", at, err);
}

/* ---- what was done ---- */

static sat_status made_path(const sat_profile *profile, const char *place,
                            char out[SAT_PATH_SIZE], sat_error *err)
{
    uint8_t digest[SAT_SHA256_SIZE];
    char id[17];
    char name[64];
    sat__sha256(bytes_of(place, strlen(place)), digest);
    sat__hex_format(digest, 8, id);
    (void)snprintf(name, sizeof name, "backup/%s.made", id);
    return sat__profile_file(profile, name, out, err);
}

sat_status sat__backup_made_get(const sat_profile *profile, const char *place,
                                uint64_t *out, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO(sat_buf) text = SAT_BUF_INIT;
    *out = 0;
    TRY(made_path(profile, place, path, err));
    const sat_status st = sat__fs_read(path, 32, &text, err);
    if (st == SAT_ERR_NOT_FOUND)
        return SAT_OK;
    TRY(st);
    *out = strtoull(sat__buf_text(&text), NULL, 10);
    return SAT_OK;
}

sat_status sat__backup_made_set(const sat_profile *profile, const char *place,
                                uint64_t made, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    char text[32];
    TRY(made_path(profile, place, path, err));
    const int len =
        snprintf(text, sizeof text, "%llu\n", (unsigned long long)made);
    return sat__fs_replace(path, bytes_of(text, (size_t)len), err);
}

/* ---- when ---- */

uint64_t sat__backup_spread(const uint8_t device[SAT_DEVICE_ID_SIZE])
{
    uint8_t digest[SAT_SHA256_SIZE];
    uint64_t number = 0;
    sat__sha256(bytes_of(device, SAT_DEVICE_ID_SIZE), digest);
    for (int i = 0; i < 6; i++)
        number = number << 8 | digest[i];
    return number % SAT_BACKUP_SPREAD_MS;
}

static uint64_t sound(uint64_t last_ms, uint64_t now_ms)
{
    if (last_ms <= now_ms)
        return last_ms;
    return last_ms - now_ms <= DAY_MS ? now_ms : 0;
}

static struct tm local_of(uint64_t ms)
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm local = {.tm_year = 70, .tm_mday = 1};
    (void)localtime_r(&seconds, &local);
    return local;
}

static bool is_same_day(uint64_t a_ms, uint64_t b_ms)
{
    const struct tm a = local_of(a_ms);
    const struct tm b = local_of(b_ms);
    return a.tm_year == b.tm_year && a.tm_yday == b.tm_yday;
}

/* When the clock on the wall says `minute`, some days after `from`. */
static uint64_t minute_after(unsigned minute, uint64_t from_ms, int days)
{
    struct tm local = local_of(from_ms);
    local.tm_mday += days;
    local.tm_hour = (int)(minute / 60);
    local.tm_min = (int)(minute % 60);
    local.tm_sec = 0;
    local.tm_isdst = -1;
    const time_t found = mktime(&local);
    return found < 0 ? 0 : (uint64_t)found * 1000;
}

uint64_t sat__backup_due(unsigned at_minute, uint64_t spread_ms,
                         uint64_t last_ms, uint64_t now_ms)
{
    const uint64_t last = sound(last_ms, now_ms);
    if (last <= spread_ms)
        return 0;
    /* Of the hour that it was due at: behind midnight is another day. */
    const uint64_t from = last - spread_ms;
    for (int days = 0; days < 4; days++) {
        const uint64_t at = minute_after(at_minute, from, days);
        if (at >= from + SAT_BACKUP_APART_MS && !is_same_day(at, from))
            return at + spread_ms;
    }
    return now_ms;
}

bool sat__backup_is_apart(uint64_t last_ms, uint64_t now_ms)
{
    const uint64_t last = sound(last_ms, now_ms);
    return now_ms - last >= SAT_BACKUP_APART_MS && !is_same_day(last, now_ms);
}
