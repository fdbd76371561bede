/*
 * functions.c - satchel_track() and its siblings
 *
 * All of them return NULL, or fail with a sentence. They may be called by the
 * person's own statement only, never by a view or trigger of the schema.
 */
#include "base/error.h"
#include "extension/extension.h"

typedef sat_status call_fn(sat_replica *replica, int count,
                           sqlite3_value **values, sat_error *err);

static const char *text_of(sqlite3_value *value)
{
    return (const char *)sqlite3_value_text(value);
}

static sat_status need_text(int count, sqlite3_value **values, sat_error *err)
{
    for (int i = 0; i < count; i++)
        if (text_of(values[i]) == NULL)
            return sat__fail(err, SAT_ERR_INVALID, "an argument is NULL");
    return SAT_OK;
}

static sat_status call_track(sat_replica *replica, int count,
                             sqlite3_value **values, sat_error *err)
{
    TRY(need_text(count, values, err));
    return sat_replica_track(replica, text_of(values[0]), err);
}

static sat_status call_untrack(sat_replica *replica, int count,
                               sqlite3_value **values, sat_error *err)
{
    TRY(need_text(count, values, err));
    return sat_replica_untrack(replica, text_of(values[0]), err);
}

static sat_status call_drop_column(sat_replica *replica, int count,
                                   sqlite3_value **values, sat_error *err)
{
    TRY(need_text(count, values, err));
    return sat_replica_drop_column(replica, text_of(values[0]),
                                   text_of(values[1]), err);
}

static sat_status call_counter(sat_replica *replica, int count,
                               sqlite3_value **values, sat_error *err)
{
    TRY(need_text(count, values, err));
    return sat_replica_set_counter(replica, text_of(values[0]),
                                   text_of(values[1]), err);
}

static sat_status call_strategy(sat_replica *replica, int count,
                                sqlite3_value **values, sat_error *err)
{
    TRY(need_text(count - 1, values + 1, err));
    return sat_replica_set_strategy(replica, text_of(values[0]),
                                    text_of(values[1]), err);
}

static sat_status call_revert(sat_replica *replica, int count,
                              sqlite3_value **values, sat_error *err)
{
    TRY(need_text(count, values, err));
    const int64_t version = sqlite3_value_int64(values[2]);
    if (version < 1)
        return sat__fail(err, SAT_ERR_INVALID, "a version is at least 1");
    return sat_replica_revert(replica, text_of(values[0]), text_of(values[1]),
                              (uint64_t)version, err);
}

static sat_status call_resolve(sat_replica *replica, int count,
                               sqlite3_value **values, sat_error *err)
{
    static const char *const words[] = {[SAT_RESOLVE_LOCAL] = "local",
                                        [SAT_RESOLVE_REMOTE] = "remote",
                                        [SAT_RESOLVE_DATA] = "data",
                                        [SAT_RESOLVE_REKEY] = "rekey"};

    TRY(need_text(count, values, err));
    for (size_t how = 0; how < sizeof words / sizeof words[0]; how++) {
        if (strcmp(text_of(values[1]), words[how]) != 0 ||
            (how == SAT_RESOLVE_DATA) != (count == 3))
            continue;
        return sat_replica_resolve(replica, text_of(values[0]),
                                   (sat_resolution)how,
                                   count == 3 ? text_of(values[2]) : NULL, err);
    }
    return sat__fail(err, SAT_ERR_INVALID,
                     "a conflict is resolved by 'local', 'remote', 'rekey', or "
                     "by 'data' and JSON");
}

static sat_status call_ignore(sat_replica *replica, int count,
                              sqlite3_value **values, sat_error *err)
{
    TRY(need_text(count, values, err));
    return sat_replica_ignore(replica, text_of(values[0]), err);
}

static const struct function {
    const char *name;
    int arguments;
    call_fn *call;
} functions[] = {
    {"satchel_track", 1, call_track},
    {"satchel_untrack", 1, call_untrack},
    {"satchel_drop_column", 2, call_drop_column},
    {"satchel_counter", 2, call_counter},
    {"satchel_strategy", 2, call_strategy},
    {"satchel_revert", 3, call_revert},
    {"satchel_resolve", 2, call_resolve},
    {"satchel_resolve", 3, call_resolve},
    {"satchel_ignore", 1, call_ignore},
};

static sat_status call_on_replica(const struct function *function, sqlite3 *db,
                                  int count, sqlite3_value **values,
                                  sat_error *err)
{
    AUTO(sat__loan) loan = {0};

    TRY(sat__loan_begin(db, &loan, err));
    return function->call(loan.replica, count, values, err);
}

static void run(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct function *const function = sqlite3_user_data(context);
    sat_error err = {0};

    if (call_on_replica(function, sqlite3_context_db_handle(context), count,
                        values, &err) == SAT_OK)
        sqlite3_result_null(context);
    else
        sqlite3_result_error(context, err.message, -1);
}

sat_status sat__extension_functions(sqlite3 *db, sat_error *err)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (sqlite3_create_function_v2(
                db, functions[i].name, functions[i].arguments,
                SQLITE_UTF8 | SQLITE_DIRECTONLY, (void *)&functions[i], run,
                NULL, NULL, NULL) != SQLITE_OK)
            return sat__fail(err, SAT_ERR_IO, "cannot register %s(): %s",
                             functions[i].name, sqlite3_errmsg(db));
    return SAT_OK;
}
