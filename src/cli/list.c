/*
 * list.c - records, as a table for people or as JSON for programs
 */
#include "cli/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LONG                                                                   \
    ((size_t)256 * 1024) /* bytes of a long list before it is printed */
#define GAP 2            /* spaces between two columns */
#define CELL_MAX 64 /* characters of a cell in a table; JSON has all of it */

void cli_list_init(cli_list *list, const cli_run *cli,
                   const cli_column *columns)
{
    *list = (cli_list){.cli = cli, .columns = columns};
    while (columns[list->width].name != NULL)
        list->width++;
    if (cli->json)
        cli_json_open(&list->json, '[');
}

void cli_list_init_one(cli_list *list, const cli_run *cli,
                       const cli_column *columns)
{
    cli_list_init(list, cli, columns);
    list->is_one = true;
    cli_json_clear(&list->json);
}

void cli_list_clear(cli_list *list)
{
    cli_json_clear(&list->json);
    sat__buf_clear(&list->text);
    free(list->widths);
}

static sat_status print_table(cli_list *list, sat_error *err);

/* Prints what a long list has so far. What fails here fails at the end too. */
static void print_some(cli_list *list)
{
    if (!list->is_long || list->json.text.len + list->text.len < LONG)
        return;
    if (!list->cli->json) {
        if (print_table(list, NULL) != SAT_OK)
            list->text.failed = true;
        list->text.len = 0;
        return;
    }
    (void)fwrite(list->json.text.data, 1, list->json.text.len, stdout);
    list->json.text.len = 0;
}

/* Begins a cell, and says which column it is in. Rows open and close as cells
 * come. */
static const cli_column *begin_cell(cli_list *list)
{
    const size_t at = list->cells % list->width;

    if (at == 0)
        print_some(list);
    list->cells++;
    if (!list->cli->json)
        return &list->columns[at];
    if (at == 0 && list->cells > 1)
        cli_json_close(&list->json, '}');
    if (at == 0)
        cli_json_open(&list->json, '{');
    cli_json_key(&list->json, list->columns[at].name);
    return &list->columns[at];
}

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80; /* in UTF-8 */
}

/* Keeps a cell for people: on one line, and not endlessly long. */
static void show(cli_list *list, const cli_column *column, const char *text)
{
    const bool is_whole = list->is_one || list->is_whole;
    size_t shown = 0;

    if (column->heading == NULL && !list->is_one)
        return;
    for (; *text != '\0'; text++) {
        shown += begins_character(*text);
        if (shown > CELL_MAX && !is_whole) {
            sat__buf_put_text(&list->text, "…");
            break;
        }
        sat__buf_put_byte(&list->text, (unsigned char)*text < 0x20
                                           ? (uint8_t)' '
                                           : (uint8_t)*text);
    }
    sat__buf_put_byte(&list->text, '\0');
}

void cli_list_text(cli_list *list, const char *text)
{
    const cli_column *const column = begin_cell(list);

    if (list->cli->json)
        cli_json_text(&list->json, text);
    else
        show(list, column, text != NULL ? text : "");
}

void cli_list_raw(cli_list *list, const char *json)
{
    const cli_column *const column = begin_cell(list);

    if (list->cli->json)
        cli_json_raw(&list->json, json);
    else
        show(list, column, json != NULL ? json : "");
}

void cli_list_integer(cli_list *list, int64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, number);
    cli_list_raw(list, text);
}

void cli_list_bool(cli_list *list, bool yes)
{
    const cli_column *const column = begin_cell(list);

    if (list->cli->json)
        cli_json_bool(&list->json, yes);
    else
        show(list, column, yes ? "yes" : "no");
}

void cli_list_time(cli_list *list, uint64_t ms)
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    char text[32] = "never";

    if (list->cli->json) {
        if (ms != 0)
            cli_list_integer(list, (int64_t)ms);
        else
            cli_list_raw(list, NULL);
        return;
    }
    if (ms != 0 && localtime_r(&seconds, &local) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    cli_list_text(list, text);
}

/* How many places UTF-8 text takes: its characters, not its bytes. */
static size_t places(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += begins_character(*text);
    return count;
}

static void print_cell(const char *text, size_t width, bool is_last)
{
    (void)fputs(text, stdout);
    if (is_last)
        (void)putchar('\n');
    else
        (void)printf("%*s", (int)(width - places(text) + GAP), "");
}

/* The headings of the shown columns come before the cells, as cells. */
static size_t gather_headings(const cli_list *list, sat_buf *out)
{
    size_t shown = 0;

    for (size_t i = 0; i < list->width; i++) {
        const char *const heading = list->columns[i].heading;
        if (heading == NULL)
            continue;
        sat__buf_put(out, heading, strlen(heading) + 1);
        shown++;
    }
    return shown;
}

/* The first part of a long table decides the least width of its columns. */
static sat_status print_table(cli_list *list, sat_error *err)
{
    AUTO(sat_buf) all = SAT_BUF_INIT, headings = SAT_BUF_INIT;
    const size_t shown = gather_headings(list, &headings);

    if (list->widths == NULL) {
        list->widths = calloc(shown, sizeof *list->widths);
        sat__buf_put(&all, headings.data, headings.len);
    }
    sat__buf_put(&all, list->text.data, list->text.len);
    TRY(sat__buf_status(&headings, err));
    TRY(sat__buf_status(&all, err));
    if (list->widths == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");

    const char *const end = (const char *)all.data + all.len;
    size_t cell = 0;
    for (const char *at = (const char *)all.data; at < end;
         at += strlen(at) + 1, cell++) {
        size_t *const width = &list->widths[cell % shown];
        *width = places(at) > *width ? places(at) : *width;
    }
    cell = 0;
    for (const char *at = (const char *)all.data; at < end;
         at += strlen(at) + 1, cell++)
        print_cell(at, list->widths[cell % shown], (cell + 1) % shown == 0);
    return cli_flush(err);
}

/* One record, a column a line. */
static sat_status print_record(const cli_list *list, sat_error *err)
{
    const char *value = (const char *)list->text.data;

    for (size_t i = 0; i < list->width; i++) {
        (void)printf("%-18s %s\n", list->columns[i].name, value);
        value += strlen(value) + 1;
    }
    return cli_flush(err);
}

const char *cli_list_json(cli_list *list)
{
    if (list->cells > 0)
        cli_json_close(&list->json, '}');
    if (!list->is_one)
        cli_json_close(&list->json, ']');
    return sat__buf_text(&list->json.text);
}

sat_status cli_list_print(cli_list *list, const char *nothing, sat_error *err)
{
    TRY(sat__buf_status(&list->text, err));
    if (list->cli->json) {
        (void)cli_list_json(list);
        return cli_json_print(&list->json, err);
    }
    if (list->cells == 0) {
        cli_say(list->cli, "%s", nothing);
        return cli_flush(err);
    }
    return list->is_one ? print_record(list, err) : print_table(list, err);
}
