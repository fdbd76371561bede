/*
 * doctor.c - satchel doctor
 *
 * Looks at everything that this device needs, and says of each part whether it
 * is well. It goes on after the first that is not; the exit code is that of the
 * worst.
 */
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/list.h"
#include "cli/session.h"
#include "base/sql.h"

static const cli_column doctor_columns[] = {
    {"check", "CHECK"}, {"ok", "OK"}, {"detail", "DETAIL"}, {NULL, NULL}};

typedef struct examination {
    cli_run *cli;
    cli_session session;
    cli_list list;
    sat_error worst; /* the first failure, or a later one of damaged data */
} examination;

static void examination_clear(examination *self)
{
    cli_list_clear(&self->list);
    cli_session_close(&self->session);
}

DEFINE_AUTO(examination, examination_clear);

static void put_check(examination *self, const char *check, bool is_ok,
                      const char *detail)
{
    cli_list_text(&self->list, check);
    cli_list_bool(&self->list, is_ok);
    cli_list_text(&self->list, detail);
}

PRINTF_LIKE(3, 4)
static void put_good(examination *self, const char *check, const char *format,
                     ...)
{
    char detail[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    put_check(self, check, true, detail);
}

static void put_bad(examination *self, const char *check, const sat_error *why)
{
    put_check(self, check, false, why->message);
    if (self->worst.status == SAT_OK || why->status == SAT_ERR_CORRUPT)
        self->worst = *why;
}

static void check_engine(examination *self)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_open(":memory:", &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "PRAGMA cipher_version", -1, &stmt, NULL) ==
            SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        put_good(self, "engine", "SQLCipher %s on SQLite %s",
                 (const char *)sqlite3_column_text(stmt, 0),
                 sqlite3_libversion());
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

static void check_folder(examination *self)
{
    const char *const path = sat_profile_path(self->session.profile);
    struct stat info;
    sat_error err;

    if (stat(path, &info) == 0 && (info.st_mode & 077) != 0) {
        const sat_status st =
            sat__fail(&err, SAT_ERR_UNSUPPORTED,
                      "others can look into '%s'; 'chmod -R go= ' it", path);
        (void)st;
        put_bad(self, "profile", &err);
        return;
    }
    put_good(self, "profile", "%s", path);
}

static void check_keychain(examination *self)
{
    static const char *const names[] = {
        [SAT_KEYCHAIN_NONE] = "none: the password is asked for every time",
        [SAT_KEYCHAIN_SECRET_SERVICE] = "the Secret Service of the desktop",
        [SAT_KEYCHAIN_KERNEL] = "the kernel keyring, until logout or a day"};

    put_good(self, "keychain", "%s",
             names[sat_profile_keychain(self->session.profile)]);
}

static void check_memory(examination *self)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
        put_good(self, "locked memory",
                 limit.rlim_cur == RLIM_INFINITY ? "unlimited" : "%llu KiB",
                 (unsigned long long)limit.rlim_cur / 1024);
}

static sat_status check_pages(sqlite3 *db, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;

    TRY(sat__sql_prepare(db, &stmt, "PRAGMA quick_check(1)", err));
    TRY(sat__sql_step(stmt, &row, err));
    const char *const found =
        row ? (const char *)sqlite3_column_text(stmt, 0) : "nothing";
    if (strcmp(found, "ok") != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "%s", found);
    return SAT_OK;
}

static sat_status look_into_vault(examination *self, const char *name,
                                  uint64_t *conflicts, sat_error *err)
{
    TRY(cli_session_enter(self->cli, &self->session, name, err));
    TRY(check_pages(self->session.db, err));
    return sat_replica_conflict_count(self->session.replica, conflicts, err);
}

static sat_status check_vault(const char *name, void *context, sat_error *err)
{
    examination *const self = context;
    char check[SAT_VAULT_NAME_MAX + 8];
    sat_error why = {0};
    uint64_t conflicts;

    (void)snprintf(check, sizeof check, "vault %s", name);
    if (look_into_vault(self, name, &conflicts, &why) != SAT_OK)
        put_bad(self, check, &why);
    else
        put_good(self, check, "opens, is sound, %llu conflicts",
                 (unsigned long long)conflicts);
    return sat__buf_status(&self->list.text, err);
}

sat_status cli_doctor(cli_run *cli, sat_error *err)
{
    AUTO(examination) self = {.cli = cli};

    TRY(cli_session_unlock(cli, &self.session, err));
    cli_list_init(&self.list, cli, doctor_columns);
    check_engine(&self);
    check_folder(&self);
    check_keychain(&self);
    check_memory(&self);
    TRY(sat_vault_list(self.session.profile, check_vault, &self, err));
    TRY(cli_list_print(&self.list, "", err));
    if (self.worst.status != SAT_OK)
        *err = self.worst;
    return self.worst.status;
}
