/*
 * conf.h - satchel.conf: what a person may edit
 *
 * An INI file. A line that is not understood is left alone, and what a program
 * changes is one line; the rest stays as the person wrote it.
 */
#ifndef SAT_SRC_STORE_CONF_H
#define SAT_SRC_STORE_CONF_H

#include "satchel/profile.h"

typedef struct sat__conf {
    char device_name[SAT_DEVICE_NAME_SIZE];
    unsigned log_days; /* how long the log of a vault is kept */
    int backup_minute; /* of the day, when backups are made; -1: never */
    char backup_to[SAT_PATH_SIZE]; /* where they go, "" where it is not said */
} sat__conf;

/* SAT_ERR_INVALID unless `name` may be a device's: 1 to 100 bytes of UTF-8 in
 * one line, without a semicolon, which begins a comment. */
SAT_CHECK sat_status sat__device_name_check(const char *name, sat_error *err);

/* Writes a new file with this device name. */
SAT_CHECK sat_status sat__conf_create(const char *path, const char *device_name,
                                      sat_error *err);

/* Reads it; a name that is missing is "unnamed". SAT_ERR_INVALID names the line
 * that is no INI. */
SAT_CHECK sat_status sat__conf_read(const char *path, sat__conf *out,
                                    sat_error *err);

/* Sets `name` in [section], which is added where it is not there; NULL takes
 * it out. What a person wrote around it stays. */
SAT_CHECK sat_status sat__conf_set(const char *path, const char *section,
                                   const char *name, const char *value,
                                   sat_error *err);

/* Changes the device's name in it. */
SAT_CHECK sat_status sat__conf_set_device_name(const char *path,
                                               const char *name,
                                               sat_error *err);

#endif /* SAT_SRC_STORE_CONF_H */
