/*
 * settings.h - settings that are the same on every device of a person
 *
 * A tree of JSON values in the vault `account`. Each leaf is a row of its own,
 * named by its path:
 *
 *      {"ui": {"theme": "dark", "tabs": ["a", "b"]}}
 *
 *      ui.theme = "dark"      ui.tabs = ["a", "b"]
 *
 * so two devices that change different keys never conflict, and only what
 * changed travels. Of two that create one key at once, the later is shown. The
 * keys of a path are joined by dots; a dot or backslash within a key has a
 * backslash before it.
 *
 * What is shown at a path is, in this order: the value that stays on this
 * device, the one that all devices have, the app's default. Where one of them
 * is an object and another is not, the first of that order wins.
 *
 * Reading needs no other device, and while nothing changes no disk: what was
 * read is kept for two minutes, and read again as soon as anybody, any process
 * or another device's sync, changes it. One thread at a time may use a handle.
 */
#ifndef SAT_SETTINGS_H
#define SAT_SETTINGS_H

#include "satchel/profile.h"

SAT_BEGIN_DECLS

#define SAT_SETTING_PATH_MAX 512    /* bytes */
#define SAT_SETTING_DEPTH_MAX 16    /* keys of a path */
#define SAT_SETTING_VALUE_MAX 65536 /* bytes of a leaf's JSON */
#define SAT_SETTINGS_MAX 100000     /* leaves in all */

typedef struct sat_settings sat_settings;

/*
 * Opens the settings of an unlocked profile, which must outlive them, and makes
 * their tables the first time.
 */
SAT_CHECK sat_status sat_settings_open(sat_profile *profile, sat_settings **out,
                                       sat_error *err);

/* Releases them; NULL is allowed and does nothing. */
void sat_settings_close(sat_settings *settings);

/* Who says what a setting is. */
typedef enum sat_setting_origin {
    SAT_SETTING_DEFAULT = 0,        /* the app */
    SAT_SETTING_SYNCED = 1,         /* the person, for every device */
    SAT_SETTING_LOCAL = 2,          /* the person, for this device */
    SAT_SETTING_WIDTH_ = 0x7fffffff /* pins the enum to 32 bits */
} sat_setting_origin;

/* A leaf; lent for the call. */
typedef struct sat_setting {
    const char *path;
    const char *json; /* NULL: it is no longer there */
    sat_setting_origin origin;
} sat_setting;

/* Returns SAT_OK to go on; anything else ends the listing with that. */
typedef sat_status sat_setting_fn(const sat_setting *setting, void *context,
                                  sat_error *err);

/*
 * What is at `path`, as JSON: a leaf, or an object of all below it; "" is the
 * whole tree. It is lent until the next call. SAT_ERR_NOT_FOUND where nothing
 * is there.
 */
SAT_CHECK sat_status sat_settings_get(sat_settings *settings, const char *path,
                                      const char **json, sat_error *err);

/* Calls `each` for every leaf at and below `path`, by path. */
SAT_CHECK sat_status sat_settings_list(sat_settings *settings, const char *path,
                                       sat_setting_fn *each, void *context,
                                       sat_error *err);

/*
 * Makes `json` the value at `path`: an object takes the place of all that was
 * below. With `is_local` it stays on this device, and so do all later values of
 * that path until it is unset. SAT_ERR_INVALID: it is not JSON, or not a path.
 * SAT_ERR_LIMIT: it is too large, too deep, or one too many.
 */
SAT_CHECK sat_status sat_settings_set(sat_settings *settings, const char *path,
                                      const char *json, int is_local,
                                      sat_error *err);

/*
 * Removes what is at and below `path`: what stays on this device if there is
 * any, so that the value of all devices shows again, else that one.
 * SAT_ERR_NOT_FOUND where neither is there.
 */
SAT_CHECK sat_status sat_settings_unset(sat_settings *settings,
                                        const char *path, sat_error *err);

/* Takes the app's defaults, a JSON object, in the place of those before. They
 * are kept with this handle and written nowhere. */
SAT_CHECK sat_status sat_settings_set_defaults(sat_settings *settings,
                                               const char *json,
                                               sat_error *err);

/*
 * Brings in settings that were kept elsewhere, a JSON object: what has a value
 * already, here or from another device, keeps it. The same object is taken
 * once; again, on any device that knows of it, brings nothing. *count, if not
 * NULL, is how many leaves came.
 */
SAT_CHECK sat_status sat_settings_import(sat_settings *settings,
                                         const char *json, uint64_t *count,
                                         sat_error *err);

/* ---- changes as they come ---- */

/* Readable, for poll() and event loops, once something may have changed. It
 * belongs to the handle. */
int sat_settings_fd(const sat_settings *settings);

/*
 * Calls `each` for every leaf that differs from what the last poll saw; the
 * first one only looks. To be called when the descriptor is readable, and
 * *wait_ms later at the latest.
 */
SAT_CHECK sat_status sat_settings_poll(sat_settings *settings,
                                       sat_setting_fn *each, void *context,
                                       int *wait_ms, sat_error *err);

SAT_END_DECLS

#endif /* SAT_SETTINGS_H */
