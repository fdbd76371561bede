/*
 * leaves.c - a tree of JSON values, as the sorted list of its leaves
 */
#include "settings/leaves.h"

#include <jansson.h>

#include "net/body.h"

#define TEXT_MAX ((size_t)8 << 20) /* of one JSON text that is taken in */

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

void sat__leaves_clear(sat__leaves *leaves)
{
    sat__arena_clear(&leaves->arena);
    free(leaves->items);
    *leaves = (sat__leaves){.items = NULL};
}

static sat_status reserve(sat__leaves *leaves, sat_error *err)
{
    if (leaves->count < leaves->capacity)
        return SAT_OK;
    const size_t capacity = leaves->capacity == 0 ? 64 : 2 * leaves->capacity;
    sat__leaf *const items =
        realloc(leaves->items, capacity * sizeof *leaves->items);
    if (items == NULL)
        return no_memory(err);
    leaves->items = items;
    leaves->capacity = capacity;
    return SAT_OK;
}

static const char *copy(sat__leaves *leaves, const char *text)
{
    return text == NULL ? NULL
                        : sat__arena_text(&leaves->arena, text, strlen(text));
}

sat_status sat__leaves_add(sat__leaves *leaves, const sat__leaf *leaf,
                           sat_error *err)
{
    TRY(reserve(leaves, err));
    sat__leaf *const item = &leaves->items[leaves->count];
    *item = *leaf;
    item->path = copy(leaves, leaf->path);
    item->value = copy(leaves, leaf->value);
    item->id = copy(leaves, leaf->id);
    if (item->path == NULL || item->value == NULL ||
        (item->id == NULL) != (leaf->id == NULL))
        return no_memory(err);
    leaves->count++;
    return SAT_OK;
}

/* ---- JSON into leaves ---- */

/* A number keeps as few digits as tell it from its neighbours. */
static char *format_value(const json_t *value)
{
    char *text = NULL;

    for (int digits = 15; digits <= 17; digits++) {
        free(text);
        text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT |
                                     JSON_REAL_PRECISION((size_t)digits));
        AUTO_JSON json_t *again =
            text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
        if (again == NULL || json_equal(again, value))
            break;
    }
    return text;
}

static bool is_too_deep(const json_t *value, int left)
{
    const char *key;
    json_t *member;
    size_t i;

    if (left == 0)
        return true;
    if (json_is_object(value))
        json_object_foreach((json_t *)value, key, member)
        {
            if (is_too_deep(member, left - 1))
                return true;
        }
    json_array_foreach(value, i, member)
    {
        if (is_too_deep(member, left - 1))
            return true;
    }
    return false;
}

static sat_status put_leaf(sat__leaves *leaves, sat_buf *path,
                           const json_t *value, sat_setting_origin origin,
                           sat_error *err)
{
    AUTO_FREE char *text = format_value(value);

    if (text == NULL)
        return no_memory(err);
    if (strlen(text) > SAT_SETTING_VALUE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the value of a setting has %zu bytes, more than %d",
                         strlen(text), SAT_SETTING_VALUE_MAX);
    const sat__leaf leaf = {
        .path = sat__buf_text(path), .value = text, .origin = origin};
    TRY(sat__path_check(leaf.path, err));
    return sat__leaves_add(leaves, &leaf, err);
}

static sat_status split(sat__leaves *leaves, sat_buf *path, const json_t *value,
                        sat_setting_origin origin, sat_error *err)
{
    const size_t len = path->len;
    const char *key;
    json_t *member;

    if (!json_is_object(value) || (json_object_size(value) == 0 && len > 0))
        return put_leaf(leaves, path, value, origin, err);
    json_object_foreach((json_t *)value, key, member)
    {
        if (key[0] == '\0')
            return sat__fail(err, SAT_ERR_INVALID,
                             "a setting's key may not be empty");
        sat__path_append(path, key);
        TRY(sat__buf_status(path, err));
        TRY(split(leaves, path, member, origin, err));
        path->len = len;
    }
    return SAT_OK;
}

sat_status sat__leaves_split(sat__leaves *leaves, const char *top,
                             const char *json, sat_setting_origin origin,
                             sat_error *err)
{
    AUTO(sat_buf) path = SAT_BUF_INIT;
    json_error_t where;

    if (strlen(json) > TEXT_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the settings have more than %zu bytes", TEXT_MAX);
    AUTO_JSON json_t *value =
        json_loads(json, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
    if (value == NULL)
        return sat__fail(err, SAT_ERR_INVALID,
                         "this is not JSON, from line %d, column %d on; text "
                         "stands in double quotes",
                         where.line, where.column);
    if (is_too_deep(value, SAT_SETTING_DEPTH_MAX + 1))
        return sat__fail(err, SAT_ERR_LIMIT, "the value is more than %d deep",
                         SAT_SETTING_DEPTH_MAX);
    if (top[0] == '\0' && !json_is_object(value))
        return sat__fail(err, SAT_ERR_INVALID,
                         "the settings as a whole are a JSON object");
    sat__buf_put_text(&path, top);
    return split(leaves, &path, value, origin, err);
}

bool sat__leaf_is_sound(const char *value)
{
    if (value == NULL || strlen(value) > SAT_SETTING_VALUE_MAX)
        return false;
    AUTO_JSON json_t *parsed =
        json_loads(value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    return parsed != NULL && !is_too_deep(parsed, SAT_SETTING_DEPTH_MAX + 1) &&
           !(json_is_object(parsed) && json_object_size(parsed) > 0);
}

/* ---- which of them show ---- */

static int compare(const void *one, const void *other)
{
    const sat__leaf *const a = one, *const b = other;
    const int by_path = strcmp(a->path, b->path);

    if (by_path != 0)
        return by_path;
    if (a->origin != b->origin)
        return a->origin > b->origin ? -1 : 1;
    if (a->created != b->created)
        return a->created > b->created ? -1 : 1;
    return a->id != NULL && b->id != NULL ? strcmp(b->id, a->id) : 0;
}

void sat__leaves_sort(sat__leaves *leaves)
{
    if (leaves->count > 0)
        qsort(leaves->items, leaves->count, sizeof *leaves->items, compare);
}

static size_t lower_bound(const sat__leaves *leaves, const char *path,
                          size_t len)
{
    size_t from = 0, to = leaves->count;

    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const char *const at = leaves->items[middle].path;
        const int order = strncmp(at, path, len);
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* The item of the path of `len` bytes at `path`, or NULL. */
static sat__leaf *find(const sat__leaves *leaves, const char *path, size_t len)
{
    const size_t at = lower_bound(leaves, path, len);

    if (at == leaves->count ||
        strncmp(leaves->items[at].path, path, len) != 0 ||
        leaves->items[at].path[len] != '\0')
        return NULL;
    return &leaves->items[at];
}

/* Of two where one is above the other the higher origin shows, and of one
 * origin the lower in the tree. A hidden one has no value. */
static void hide(sat__leaves *leaves, sat__leaf *leaf)
{
    size_t len = strlen(leaf->path);

    while ((len = sat__path_parent(leaf->path, len)) > 0) {
        sat__leaf *const above = find(leaves, leaf->path, len);
        if (above == NULL)
            continue;
        if (above->origin > leaf->origin)
            leaf->value = NULL;
        else
            above->value = NULL;
    }
}

sat_status sat__leaves_settle(sat__leaves *leaves, sat_error *err)
{
    size_t kept = 0;

    if (leaves->count > SAT_SETTINGS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "there are more than %d settings",
                         SAT_SETTINGS_MAX);
    sat__leaves_sort(leaves);
    for (size_t i = 0; i < leaves->count; i++)
        if (kept == 0 ||
            strcmp(leaves->items[kept - 1].path, leaves->items[i].path) != 0)
            leaves->items[kept++] = leaves->items[i];
    leaves->count = kept;
    for (size_t i = 0; i < leaves->count; i++)
        hide(leaves, &leaves->items[i]);
    kept = 0;
    for (size_t i = 0; i < leaves->count; i++)
        if (leaves->items[i].value != NULL)
            leaves->items[kept++] = leaves->items[i];
    leaves->count = kept;
    return SAT_OK;
}

/* ---- finding, and putting together again ---- */

const sat__leaf *sat__leaves_find(const sat__leaves *leaves, const char *path)
{
    return find(leaves, path, strlen(path));
}

const sat__leaf *sat__leaves_first(const sat__leaves *leaves, const char *path,
                                   sat_setting_origin origin)
{
    const sat__leaf *const leaf = find(leaves, path, strlen(path));

    if (leaf == NULL)
        return NULL;
    for (size_t i = (size_t)(leaf - leaves->items);
         i < leaves->count && strcmp(leaves->items[i].path, path) == 0; i++)
        if (leaves->items[i].origin == origin)
            return &leaves->items[i];
    return NULL;
}

void sat__leaves_range(const sat__leaves *leaves, const char *top, size_t *from,
                       size_t *to)
{
    char below[SAT_SETTING_PATH_MAX + 2];
    const size_t len = strlen(top);

    *from = 0;
    *to = leaves->count;
    if (len == 0)
        return;
    if (len > SAT_SETTING_PATH_MAX) {
        *to = 0;
        return;
    }
    const sat__leaf *const leaf = find(leaves, top, len);
    if (leaf != NULL) {
        *from = (size_t)(leaf - leaves->items);
        *to = *from + 1;
        return;
    }
    memcpy(below, top, len);
    below[len] = '.';
    *from = lower_bound(leaves, below, len + 1);
    below[len] = '.' + 1;
    *to = lower_bound(leaves, below, len + 1);
}

static void put_quoted(sat_buf *out, const char *text)
{
    sat__buf_put_byte(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            sat__buf_put_byte(out, '\\');
        sat__buf_put_byte(out, (uint8_t)*text);
    }
    sat__buf_put_byte(out, '"');
}

/* The object of the items from *at on whose first `skip` bytes are alike. */
static void compose(const sat__leaves *leaves, size_t *at, size_t to,
                    size_t skip, sat_buf *key, sat_buf *out)
{
    const char *const first = leaves->items[*at].path;
    uint8_t before = '{';

    while (*at < to && strncmp(leaves->items[*at].path, first, skip) == 0) {
        const sat__leaf *const leaf = &leaves->items[*at];
        const char *const rest = sat__path_next(leaf->path + skip, key);
        sat__buf_put_byte(out, before);
        before = ',';
        put_quoted(out, sat__buf_text(key));
        sat__buf_put_byte(out, ':');
        if (rest == NULL) {
            sat__buf_put_text(out, leaf->value);
            ++*at;
        } else {
            compose(leaves, at, to, (size_t)(rest - leaf->path), key, out);
        }
    }
    sat__buf_put_byte(out, '}');
}

void sat__leaves_compose(const sat__leaves *leaves, const char *top,
                         sat_buf *out)
{
    AUTO(sat_buf) key = SAT_BUF_INIT;
    size_t from, to;

    sat__leaves_range(leaves, top, &from, &to);
    if (from == to)
        sat__buf_put_text(out, "{}");
    else
        compose(leaves, &from, to, top[0] != '\0' ? strlen(top) + 1 : 0, &key,
                out);
    out->failed |= key.failed;
}
