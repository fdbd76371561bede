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

static int take(void *context, const char *section, const char *name,
                const char *value)
{
    sat__conf *const conf = context;
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
    sat__conf conf = {.device_name = "unnamed", .log_days = LOG_DAYS};
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

static bool is_name_line(const char *line)
{
    line += strspn(line, " \t");
    if (strncmp(line, "name", 4) != 0)
        return false;
    line += 4 + strspn(line + 4, " \t");
    return *line == '=' || *line == ':';
}

/* Copies `text` with the name in [device] replaced, or added to it. */
static void replace_name(const char *text, const char *name, sat_buf *out)
{
    bool in_device = false;
    bool is_done = false;
    for (size_t len; *text != 0; text += len) {
        len = line_length(text);
        if (*text == '[')
            in_device = strncmp(text, "[device]", 8) == 0;
        if (!(in_device && is_name_line(text)))
            sat__buf_put(out, text, len);
        if (in_device && !is_done)
            sat__buf_printf(out, "name = %s\n", name);
        is_done |= in_device;
    }
    if (!is_done)
        sat__buf_printf(out, "\n[device]\nname = %s\n", name);
}

sat_status sat__conf_set_device_name(const char *path, const char *name,
                                     sat_error *err)
{
    AUTO(sat_buf) before = SAT_BUF_INIT;
    AUTO(sat_buf) after = SAT_BUF_INIT;
    TRY(sat__device_name_check(name, err));
    TRY(sat__fs_read(path, SIZE_MAX_OF_CONF, &before, err));
    replace_name(sat__buf_text(&before), name, &after);
    TRY(sat__buf_status(&after, err));
    return sat__fs_replace(path, buf_view(&after), err);
}
