/*
 * app.h - an app that writes into its own tables, and watches what becomes of
 * it
 *
 * The app knows nothing of syncing. It runs random transactions on a connection
 * of its own, and after every statement it reads all of its tables, so that it
 * knows for each row since the last settling whether it is the same row still:
 * a row keeps who it is through updates, through a change of its key, and
 * through deleting and inserting one key.
 */
#ifndef SAT_TESTS_SIM_APP_H
#define SAT_TESTS_SIM_APP_H

#include "count.h"
#include "schema.h"

#define STATEMENTS_MAX 256

typedef struct app_state {
    row_set now;    /* what the tables hold */
    row_set buried; /* rows that went since `base`, as they were at last */
} app_state;

typedef struct sim_app {
    const sim_schema *schema;
    bool is_later; /* it has the later schema */
    sqlite3 *db;
    chance chance;
    row_set base; /* what the tables held when last settled */
    app_state state;
    app_state before; /* the transaction that may or may not have happened */
    bool is_unsure;
    int newborn; /* numbers for rows that the reference does not know yet */
    uint64_t trace;
    bool is_talkative;
    sqlite3_stmt *dump[TABLES_MAX];
    struct {
        char sql[300];
        sqlite3_stmt *stmt;
    } statements[STATEMENTS_MAX];
} sim_app;

/* Opens the app's tables on a database that is there. Its statements are kept
 * until it is closed. */
void app_open(sim_app *app, const sim_schema *schema, sqlite3 *db);
void app_close(sim_app *app);

/* The statement of that text, prepared once; NULL where that fails. */
sqlite3_stmt *app_statement(sim_app *app, const char *sql);

typedef enum app_outcome {
    APP_DONE,   /* committed, or rolled back */
    APP_BROKEN, /* the disk failed */
    APP_WRONG   /* what the database did can not be explained */
} app_outcome;

app_outcome app_transact(sim_app *app);

/* A new row with the key of one that went is that row (rule 1). */
void app_recognise(sim_app *app);

/* Reads the tables. False where the disk fails. */
bool app_read(sim_app *app, row_set *out);

/*
 * After a restart: did the transaction happen under which the disk failed?
 * False where the tables hold neither what was before nor what was after.
 */
bool app_recall(sim_app *app, const row_set *found);

/* The tables hold `rows` now, and nothing is unsettled. */
void app_settle(sim_app *app, const row_set *settled);

#endif /* SAT_TESTS_SIM_APP_H */
