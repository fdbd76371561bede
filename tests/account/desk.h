/*
 * desk.h - whole profiles for tests, with an app's connection to their vaults
 */
#ifndef SAT_TESTS_ACCOUNT_DESK_H
#define SAT_TESTS_ACCOUNT_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "satchel/account.h"
#include "satchel/replica.h"

#define DESK_PASSWORD "correct horse battery staple"
#define DESK_EMAIL "ada@example.org"

typedef struct desk {
    sat_profile *profile;
    char path[512];
    char phrase[SAT_PHRASE_SIZE];
    char secret_key[SAT_SECRET_KEY_TEXT];
} desk;

void must(sat_status status, const sat_error *err);

void desk_open(desk *d, const char *folder, const char *name);
void desk_close(desk *d);

/* Runs SQL on a vault as an app; all rows as text: '|' between values, ';'
 * behind a row. Good until the fourth call after this one. */
const char *desk_sql(desk *d, const char *vault, const char *format, ...);
void desk_track(desk *d, const char *vault, const char *table);

/* A new device of `of`'s account. */
void desk_login(desk *d, const desk *of, const char *url);
sat_sync_report desk_sync(desk *d);
/* Fails with `status`; the message. */
const char *desk_sync_fails(desk *d, sat_status status);
uint64_t desk_conflicts(desk *d, const char *vault);

#endif /* SAT_TESTS_ACCOUNT_DESK_H */
