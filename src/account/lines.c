/*
 * lines.c - vaults that are open while a hub is followed
 */
#include "account/lines.h"

#include <stdio.h>

#include "account/turn.h"
#include "base/error.h"
#include "base/sql.h"

static void close_line(sat__line *line)
{
    if (line->name[0] != 0)
        sat__follow_close(&line->follow);
    *line = (sat__line){.is_kept = false};
}

void sat__lines_close(sat__lines *lines)
{
    for (size_t i = 0; i < SAT_LINES_MAX; i++)
        close_line(&lines->list[i]);
    if (lines->is_open)
        sat__session_close(&lines->session);
    lines->is_open = false;
}

static sat_status open_session(sat__lines *lines, sat_error *err)
{
    if (lines->is_open)
        return SAT_OK;
    TRY(sat__session_open(lines->profile, &lines->session, err));
    lines->is_open = true;
    return sat__session_require(&lines->session, err);
}

/* Moves when another connection commits, and not by our own. */
static sat_status version_of(sat__line *line, int64_t *out, sat_error *err)
{
    return sat__sql_int(line->follow.db, "PRAGMA data_version", out, err);
}

static sat__line *free_line(sat__lines *lines)
{
    sat__line *at = lines->list;
    while (at < lines->list + SAT_LINES_MAX - 1 && at->name[0] != 0)
        at++;
    close_line(at);
    return at;
}

sat_status sat__lines_find(sat__lines *lines, const char *name, sat__line **out,
                           sat_error *err)
{
    sat__id id;
    bool found;
    *out = NULL;
    for (size_t i = 0; i < SAT_LINES_MAX; i++)
        if (strcmp(lines->list[i].name, name) == 0) {
            *out = &lines->list[i];
            return SAT_OK;
        }
    TRY(open_session(lines, err));
    TRY(sat__follow_id(lines->profile, name, &id, &found, err));
    if (!found)
        return SAT_OK;
    sat__line *const line = free_line(lines);
    TRY(sat__follow_open(&lines->session, name, &id, &line->follow, err));
    (void)snprintf(line->name, sizeof line->name, "%s", name);
    TRY(version_of(line, &line->version, err));
    *out = line;
    return SAT_OK;
}

sat__line *sat__lines_of(sat__lines *lines, const sat__id *id)
{
    for (size_t i = 0; i < SAT_LINES_MAX; i++)
        if (lines->list[i].name[0] != 0 &&
            id_equal(&lines->list[i].follow.id, id))
            return &lines->list[i];
    return NULL;
}

/* What another process has synced since is not what is open here. */
static sat_status catch_up(sat__line *line, sat_error *err)
{
    sat__follow *const follow = &line->follow;
    AUTO(sat_buf) head = SAT_BUF_INIT;
    bool found;
    TRY(sat__follow_get(follow, "head", &head, &found, err));
    return bytes_equal(buf_view(&head), buf_view(&follow->head.moved))
               ? SAT_OK
               : sat__follow_recall(follow, err);
}

sat_status sat__line_push(sat__lines *lines, sat__line *line, bool is_forced,
                          sat_sync_report *report, bool *any, sat_error *err)
{
    AUTO_FD int turn = -1;
    int64_t version;
    *any = false;
    TRY(version_of(line, &version, err));
    if (version == line->version && !is_forced)
        return SAT_OK;
    TRY(sat__hub_turn_now(lines->profile, &turn, err));
    line->follow.report = report;
    TRY(catch_up(line, err));
    const sat_status st = sat__follow_push(&line->follow, false, err);
    if (st == SAT_ERR_CONFLICT)
        TRY(sat__follow_sync(&line->follow, err));
    else
        TRY(st);
    *any = version != line->version || report->pushed > 0;
    line->version = version;
    return SAT_OK;
}

sat_status sat__line_pull(sat__lines *lines, sat__line *line,
                          sat_sync_report *report, sat_error *err)
{
    AUTO_FD int turn = -1;
    TRY(sat__hub_turn_now(lines->profile, &turn, err));
    line->follow.report = report;
    TRY(catch_up(line, err));
    return sat__follow_pull(&line->follow, err);
}
