/*
 * lives.c - replaying the journal
 */
#include "sync/lives.h"

#include "sync/plants.h"
static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

static size_t hash_of(int64_t r)
{
    return (size_t)((uint64_t)r * 0x9e3779b97f4a7c15u >> 20);
}

static sat__place *place_of(const sat__lives *lives, int64_t r)
{
    const size_t mask = lives->place_count - 1;
    size_t at = hash_of(r) & mask;

    while (lives->places[at].life != NULL && lives->places[at].r != r)
        at = (at + 1) & mask;
    return &lives->places[at];
}

static sat_status grow_places(sat__lives *lives, sat_error *err)
{
    const sat__lives old = *lives;
    const size_t count = old.place_count == 0 ? 64 : old.place_count * 4;
    sat__place *const places = calloc(count, sizeof *places);
    if (places == NULL)
        return no_memory(err);
    lives->places = places;
    lives->place_count = count;
    for (size_t i = 0; i < old.place_count; i++)
        if (old.places[i].life != NULL)
            *place_of(lives, old.places[i].r) = old.places[i];
    free(old.places);
    return SAT_OK;
}

static sat_status settle(sat__lives *lives, sat__life *life, int64_t r,
                         sat_error *err)
{
    if (lives->places_used * 2 >= lives->place_count)
        TRY(grow_places(lives, err));
    sat__place *const place = place_of(lives, r);
    if (place->life == NULL)
        lives->places_used++;
    *place = (sat__place){r, life};
    life->r = r;
    return SAT_OK;
}

sat__life *sat__lives_at(const sat__lives *lives, int64_t r)
{
    return lives->place_count > 0 ? place_of(lives, r)->life : NULL;
}

static sat_status keep_life(sat__lives *lives, sat__life *life, sat_error *err)
{
    if (lives->count == lives->capacity) {
        const size_t capacity = lives->capacity == 0 ? 64 : lives->capacity * 2;
        sat__life **const list =
            realloc(lives->list, capacity * sizeof(sat__life *));
        if (list == NULL)
            return no_memory(err);
        lives->list = list;
        lives->capacity = capacity;
    }
    lives->list[lives->count++] = life;
    return SAT_OK;
}

static sat_status new_life(sat__lives *lives, int64_t r, bool is_known,
                           sat__life **out, sat_error *err)
{
    sat__life *const life = sat__arena_alloc(lives->arena, sizeof *life);
    if (life == NULL)
        return no_memory(err);
    life->is_known = is_known;
    life->was = r;
    life->old = sat__arena_alloc(
        lives->arena, ((size_t)lives->table->count + 1) * sizeof(sat__value *));
    if (life->old == NULL)
        return no_memory(err);
    TRY(keep_life(lives, life, err));
    *out = life;
    return settle(lives, life, r, err);
}

static sat_status is_listed(sat_replica *replica, sat__table *table, int64_t r,
                            bool *out, sat_error *err)
{
    TRY(sat__sql_preparef(replica->db, &table->stmts[STMT_META_BY_ROWID], err,
                          "SELECT b, o, d FROM sync_rows_%lld WHERE r = ?",
                          (long long)table->t));
    AUTO_RESET sqlite3_stmt *stmt = table->stmts[STMT_META_BY_ROWID];
    (void)sqlite3_bind_int64(stmt, 1, r);
    return sat__sql_step(stmt, out, err);
}

/* The life at place r, looked up when the journal first names the place. */
static sat_status life_at(sat_replica *replica, sat__lives *lives, int64_t r,
                          sat__life **out, sat_error *err)
{
    bool known;
    *out = sat__lives_at(lives, r);
    if (*out != NULL)
        return SAT_OK;
    TRY(is_listed(replica, lives->table, r, &known, err));
    return new_life(lives, r, known, out, err);
}

/* All old values of a row, from a journal row that holds them. */
static sat_status read_image(sat__lives *lives, sqlite3_stmt *stmt,
                             sat__value **out, sat_error *err)
{
    const sat__table *const table = lives->table;
    sat__value *const image = sat__arena_alloc(
        lives->arena, ((size_t)table->count + 1) * sizeof *image);
    if (image == NULL)
        return no_memory(err);
    for (int c = 0; c <= table->count; c++) {
        image[c] = SAT_VALUE_NULL;
        if (c == 0 || !table->columns[c].is_present)
            continue;
        image[c] = sat__value_column(stmt, 2 + c);
        TRY(sat__value_keep(&image[c], lives->arena, err));
    }
    *out = image;
    return SAT_OK;
}

void sat__lives_end(sat__lives *lives, sat__life *life)
{
    if (life->is_over)
        return;
    life->is_over = true;
    if (life->is_known)
        lives->over++;
}

bool sat__lives_go_on(const sat__lives *lives, const sat__life *life,
                      const sat__value *values)
{
    for (int c = 1; life->late != NULL && c <= lives->table->count; c++)
        if (lives->table->columns[c].is_present && life->late[c] == NULL &&
            !sat__value_same(&life->image[c], &values[c]))
            return false;
    return true;
}

sat_status sat__lives_replace(sat__lives *lives, sat__life **life,
                              sat_error *err)
{
    sat__lives_end(lives, *life);
    return new_life(lives, (*life)->r, false, life, err);
}

/* Another row is there; what was recorded since the eviction is its. */
static sat_status succeed(sat__lives *lives, sat__life **life, sat_error *err)
{
    sat__value **const late = (*life)->late;
    TRY(sat__lives_replace(lives, life, err));
    if (late != NULL)
        (*life)->old = late;
    return SAT_OK;
}

static sat_status on_column(sat__lives *lives, sat__life *life, int c,
                            sqlite3_stmt *stmt, sat_error *err)
{
    sat__value value = sat__value_column(stmt, 2 + c);
    const bool differs = life->late != NULL && life->late[c] == NULL &&
                         !sat__value_same(&life->image[c], &value);
    if (life->is_over)
        TRY(sat__lives_replace(lives, &life, err));
    else if (differs)
        TRY(succeed(lives, &life, err));
    const bool is_late = life->late != NULL && life->late[c] == NULL;
    if (life->old[c] != NULL && !is_late)
        return SAT_OK;
    TRY(sat__value_keep(&value, lives->arena, err));
    sat__value *const kept =
        sat__arena_copy(lives->arena, &value, sizeof value);
    if (kept == NULL)
        return no_memory(err);
    if (is_late)
        life->late[c] = kept;
    if (life->old[c] == NULL)
        life->old[c] = kept;
    return SAT_OK;
}

/*
 * Where a key's change cascades to its own row, the other column is recorded at
 * the new place, before the move is, and after the eviction of who was there.
 */
static void take_cascaded(const sat__lives *lives, sat__life *life,
                          const sat__life *there)
{
    if (there->is_over || (there->is_known && there->late == NULL))
        return;
    for (int c = 1; c <= lives->table->count; c++) {
        sat__value *const was =
            there->late != NULL ? there->late[c] : there->old[c];
        if (life->old[c] == NULL)
            life->old[c] = was;
        if (life->late != NULL && life->late[c] == NULL)
            life->late[c] = was;
    }
}

static sat_status on_moved(sat_replica *replica, sat__lives *lives,
                           sat__life *life, int64_t to, sat_error *err)
{
    const int key = lives->table->key_column;
    const int64_t from = life->r;
    sat__life *there;
    sat__life *nobody;
    /* Whoever was there made room, or was never there. */
    TRY(life_at(replica, lives, to, &there, err));
    take_cascaded(lives, life, there);
    sat__lives_end(lives, there);
    if (key != 0 && life->is_known && life->old[key] == NULL) {
        const sat__value value = {.type = SQLITE_INTEGER, .integer = life->was};
        life->old[key] = sat__arena_copy(lives->arena, &value, sizeof value);
        if (life->old[key] == NULL)
            return no_memory(err);
    }
    if (life->late != NULL && key != 0)
        life->late[key] = life->old[key];
    TRY(settle(lives, life, to, err));
    TRY(new_life(lives, from, false, &nobody, err));
    nobody->is_over = true;
    return SAT_OK;
}

/*
 * A row may have come to this place. Whether it evicted the one that was there
 * is known for an INTEGER PRIMARY KEY, where this is recorded afterwards; else
 * the statement may have been one that ignores conflicts, and the row is the
 * same.
 */
static sat_status on_arrived(sat__lives *lives, sat__life *life, sat_error *err)
{
    if (!life->is_over && lives->table->key_column == 0 &&
        !lives->table->is_placed)
        return SAT_OK;
    return sat__lives_replace(lives, &life, err);
}

/* What went may be another row, which came to the place of an evicted one. */
static sat_status on_deleted(sat__lives *lives, sat__life *life,
                             sqlite3_stmt *stmt, sat_error *err)
{
    sat__value *image;
    if (life->is_over)
        return SAT_OK; /* another, which came and went on its rowid */
    TRY(read_image(lives, stmt, &image, err));
    if (sat__lives_go_on(lives, life, image)) {
        life->image = image;
        life->end = lives->record;
    }
    sat__lives_end(lives, life);
    return SAT_OK;
}

static sat_status on_evicted(sat__lives *lives, sat__life *life,
                             sqlite3_stmt *stmt, sat_error *err)
{
    sat__value *image;
    if (life->is_over)
        return SAT_OK;
    TRY(read_image(lives, stmt, &image, err));
    if (!sat__lives_go_on(lives, life, image))
        TRY(sat__lives_replace(lives, &life, err));
    life->image = image;
    life->end = lives->record;
    life->late = sat__arena_alloc(
        lives->arena, ((size_t)lives->table->count + 1) * sizeof(sat__value *));
    return life->late != NULL ? SAT_OK : no_memory(err);
}

static sat_status replay_one(sat_replica *replica, sat__lives *lives,
                             sqlite3_stmt *stmt, sat_error *err)
{
    const int64_t r = sqlite3_column_int64(stmt, 0);
    const int c = sqlite3_column_int(stmt, 1);
    sat__life *life;
    lives->record++;
    TRY(life_at(replica, lives, r, &life, err));
    switch (c) {
    case JOURNAL_ARRIVED:
        return on_arrived(lives, life, err);
    case JOURNAL_DELETED:
        return on_deleted(lives, life, stmt, err);
    case JOURNAL_EVICTED:
        return on_evicted(lives, life, stmt, err);
    case JOURNAL_MOVED:
        if (SAT_PLANT(15))
            return SAT_OK;
        return on_moved(replica, lives, life, sqlite3_column_int64(stmt, 2),
                        err);
    default:
        if (c < 1 || c > lives->table->count)
            return SAT_OK; /* of a column that was dropped since */
        return on_column(lives, life, c, stmt, err);
    }
}

sat_status sat__lives_move(sat__lives *lives, sat__life *life, int64_t r,
                           sat_error *err)
{
    return settle(lives, life, r, err);
}

static sat_status prepare_replay(sat_replica *replica, sat__table *table,
                                 sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    if (table->stmts[STMT_REPLAY] == NULL) {
        sat__buf_put_text(&sql, "SELECT r, c, m");
        /* The journal has no place for what only others have. */
        for (int c = 1; c <= table->count; c++)
            if (table->columns[c].is_present)
                sat__buf_printf(&sql, ", v%d", c);
            else
                sat__buf_put_text(&sql, ", NULL");
        sat__buf_printf(&sql, " FROM sync_journal_%lld ORDER BY rowid LIMIT ?",
                        (long long)table->t);
        TRY(sat__buf_status(&sql, err));
    }
    return sat__sql_prepare(replica->db, &table->stmts[STMT_REPLAY],
                            sat__buf_text(&sql), err);
}

sat_status sat__lives_replay(sat_replica *replica, sat__lives *lives,
                             int64_t limit, sat_error *err)
{
    TRY(prepare_replay(replica, lives->table, err));
    AUTO_RESET sqlite3_stmt *stmt = lives->table->stmts[STMT_REPLAY];
    (void)sqlite3_bind_int64(stmt, 1, limit);
    while (NEXT_ROW(stmt, err))
        TRY(replay_one(replica, lives, stmt, err));
    return SAT_OK;
}

/* Whether two values are one key to the index: 1 and 1.0 are, and 'A' and 'a'
 * where the column says so. */
static bool same_key(const sat__value *a, const sat__value *b, int collation)
{
    if (a->type == SQLITE_INTEGER && b->type == SQLITE_FLOAT)
        return (double)a->integer == b->real;
    if (a->type == SQLITE_FLOAT && b->type == SQLITE_INTEGER)
        return a->real == (double)b->integer;
    if (a->type == SQLITE_FLOAT && b->type == SQLITE_FLOAT)
        return a->real <= b->real && a->real >= b->real;
    if (a->type != SQLITE_TEXT || b->type != SQLITE_TEXT ||
        collation == SAT_COLLATE_BINARY)
        return a->type != SQLITE_NULL && sat__value_same(a, b);
    size_t left = a->bytes.len;
    size_t right = b->bytes.len;
    if (collation == SAT_COLLATE_RTRIM) {
        while (left > 0 && a->bytes.data[left - 1] == ' ')
            left--;
        while (right > 0 && b->bytes.data[right - 1] == ' ')
            right--;
        return left == right && memcmp(a->bytes.data, b->bytes.data, left) == 0;
    }
    return left == right &&
           sqlite3_strnicmp((const char *)a->bytes.data,
                            (const char *)b->bytes.data, (int)left) == 0;
}

static bool has_key(const sat__table *table, const sat__life *life,
                    const sat__value *values)
{
    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_key &&
            !same_key(&life->image[c], &values[c], table->columns[c].collation))
            return false;
    return true;
}

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *const bytes = data;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

/* Keys that are the same by same_key() have the same hash. */
static uint64_t hash_value(uint64_t hash, const sat__value *value,
                           int collation)
{
    size_t len = value->type == SQLITE_TEXT || value->type == SQLITE_BLOB
                     ? value->bytes.len
                     : 0;
    double real = value->type == SQLITE_INTEGER ? (double)value->integer : 0;

    if (value->type == SQLITE_FLOAT)
        real = value->real;
    if (len == 0)
        return real == 0 ? mix(hash, "", 1) : mix(hash, &real, sizeof real);
    if (collation == SAT_COLLATE_RTRIM)
        while (len > 0 && value->bytes.data[len - 1] == ' ')
            len--;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = value->bytes.data[i];
        if (collation == SAT_COLLATE_NOCASE && c >= 'A' && c <= 'Z')
            c = (uint8_t)(c + 32);
        hash = mix(hash, &c, 1);
    }
    return hash;
}

static sat__life **bucket(const sat__lives *lives, const sat__value *values)
{
    const sat__table *const table = lives->table;
    uint64_t hash = 0xcbf29ce484222325u;

    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_key)
            hash = hash_value(hash, &values[c], table->columns[c].collation);
    return &lives->ended[(hash ^ hash >> 32) & (lives->ended_count - 1)];
}

static sat_status list_ended(sat__lives *lives, sat_error *err)
{
    size_t count = 64;
    while (count < lives->over)
        count *= 2;
    lives->ended = calloc(count, sizeof(sat__life *));
    if (lives->ended == NULL)
        return no_memory(err);
    lives->ended_count = count;
    for (size_t i = 0; i < lives->count; i++) {
        sat__life *const life = lives->list[i];
        if (!life->is_known || !life->is_over || life->image == NULL)
            continue;
        sat__life **const head = bucket(lives, life->image);
        life->next = *head;
        *head = life;
    }
    return SAT_OK;
}

sat_status sat__lives_claim(sat__lives *lives, const sat__value *values,
                            sat__life **out, sat_error *err)
{
    if (lives->ended == NULL)
        TRY(list_ended(lives, err));
    *out = NULL;
    for (sat__life *life = *bucket(lives, values); life != NULL;
         life = life->next)
        if (!life->is_claimed && has_key(lives->table, life, values) &&
            (*out == NULL || (*out)->end < life->end))
            *out = life;
    if (*out != NULL)
        (*out)->is_claimed = true;
    return SAT_OK;
}

void sat__lives_clear(sat__lives *lives)
{
    free(lives->list);
    free(lives->places);
    free(lives->ended);
    *lives = (sat__lives){0};
}
