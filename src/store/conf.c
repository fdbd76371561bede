/*
 * conf.c - satchel.conf, by libinih
 */
#include "store/conf.h"

#include <ctype.h>
#include <ini.h>
#include <stdio.h>

#include "base/cbor.h"
#include "base/error.h"
#include "store/fs.h"

#define LOG_DAYS 90
#define LOG_DAYS_MAX 36500
#define SIZE_MAX_OF_CONF 65536

sat_status sat__device_name_check(const char *name, sat_error *err)
{
    const size_t len = strlen(name);
    bool is_fine = len > 0 && len < SAT_DEVICE_NAME_SIZE && name[0] != ' ' &&
                   name[len - 1] != ' ' &&
                   sat__utf8_valid((const uint8_t *)name, len);
    for (size_t i = 0; i < len; i++)
        is_fine &=
            (unsigned char)name[i] >= ' ' && name[i] != 0x7f && name[i] != ';';
    if (!is_fine)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a device's name is 1 to %d bytes of text in one "
                         "line, without semicolons",
                         SAT_DEVICE_NAME_SIZE - 1);
    return SAT_OK;
}

sat_status sat__conf_create(const char *path, const char *device_name,
                            sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    sat__buf_printf(&text,
                    "# satchel's settings; edit them as you like\n"
                    "\n"
                    "[device]\n"
                    "name = %s\n",
                    device_name);
    TRY(sat__buf_status(&text, err));
    return sat__fs_replace(path, buf_view(&text), err);
}

/* "03:00" as a minute of the day; -1 for anything else. */
static int read_minute(const char *text)
{
    unsigned hour, minute;
    int len = 0;
    if (sscanf(text, "%2u:%2u%n", &hour, &minute, &len) != 2 ||
        text[len] != 0 || len < 4 || hour > 23 || minute > 59)
        return -1;
    return (int)(hour * 60 + minute);
}

static void take_backup(sat__conf *conf, const char *name, const char *value)
{
    if (strcmp(name, "at") == 0)
        conf->backup_minute = read_minute(value);
    if (strcmp(name, "to") == 0)
        (void)snprintf(conf->backup_to, sizeof conf->backup_to, "%s", value);
}

static int take(void *context, const char *section, const char *name,
                const char *value)
{
    sat__conf *const conf = context;
    if (strcmp(section, "backup") == 0)
        take_backup(conf, name, value);
    if (strcmp(section, "device") == 0 && strcmp(name, "name") == 0 &&
        sat__device_name_check(value, NULL) == SAT_OK)
        (void)snprintf(conf->device_name, sizeof conf->device_name, "%s",
                       value);
    char *end = NULL;
    const unsigned long days = strtoul(value, &end, 10);
    if (strcmp(section, "log") == 0 && strcmp(name, "days") == 0 &&
        isdigit((unsigned char)value[0]) && *end == 0 && days > 0 &&
        days <= LOG_DAYS_MAX)
        conf->log_days = (unsigned)days;
    return 1;
}

sat_status sat__conf_read(const char *path, sat__conf *out, sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    sat__conf conf = {
        .device_name = "unnamed", .log_days = LOG_DAYS, .backup_minute = -1};
    TRY(sat__fs_read(path, SIZE_MAX_OF_CONF, &text, err));
    const int line = ini_parse_string(sat__buf_text(&text), take, &conf);
    if (line != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s' can not be read: see line %d", path, line);
    *out = conf;
    return SAT_OK;
}

/* The line's length, its newline included. */
static size_t line_length(const char *line)
{
    const size_t len = strcspn(line, "\n");
    return line[len] == '\n' ? len + 1 : len;
}

static bool is_line_of(const char *line, const char *name)
{
    const size_t len = strlen(name);
    line += strspn(line, " \t");
    if (strncmp(line, name, len) != 0)
        return false;
    line += len + strspn(line + len, " \t");
    return *line == '=' || *line == ':';
}

static bool is_head_of(const char *line, const char *section)
{
    const size_t len = strlen(section);
    return *line == '[' && strncmp(line + 1, section, len) == 0 &&
           line[1 + len] == ']';
}

/* One line of an INI file. */
typedef struct setting {
    const char *section, *name, *value; /* NULL: there is to be none */
} setting;

static void put_setting(const setting *to, sat_buf *out)
{
    if (to->value != NULL)
        sat__buf_printf(out, "%s = %s\n", to->name, to->value);
}

/* Copies `text` with the line replaced, or added to its section. */
static void replace_line(const char *text, const setting *to, sat_buf *out)
{
    bool is_within = false;
    bool is_done = false;
    for (size_t len; *text != 0; text += len) {
        len = line_length(text);
        if (*text == '[')
            is_within = is_head_of(text, to->section);
        if (!(is_within && is_line_of(text, to->name)))
            sat__buf_put(out, text, len);
        if (is_within && !is_done)
            put_setting(to, out);
        is_done |= is_within;
    }
    if (is_done || to->value == NULL)
        return;
    sat__buf_printf(out, "\n[%s]\n", to->section);
    put_setting(to, out);
}

sat_status sat__conf_set(const char *path, const char *section,
                         const char *name, const char *value, sat_error *err)
{
    const setting to = {section, name, value};
    AUTO(sat_buf) before = SAT_BUF_INIT;
    AUTO(sat_buf) after = SAT_BUF_INIT;
    TRY(sat__fs_read(path, SIZE_MAX_OF_CONF, &before, err));
    replace_line(sat__buf_text(&before), &to, &after);
    TRY(sat__buf_status(&after, err));
    return sat__fs_replace(path, buf_view(&after), err);
}

sat_status sat__conf_set_device_name(const char *path, const char *name,
                                     sat_error *err)
{
    TRY(sat__device_name_check(name, err));
    return sat__conf_set(path, "device", "name", name, err);
}
