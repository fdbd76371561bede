/*
 * schema.c - a random schema
 *
 * One to three tables of an app, in any mixture of keys, UNIQUE, FOREIGN KEY
 * and CHECK; sometimes a table `log` that a trigger fills, a counter that a
 * trigger raises, and a table `pair` of two rows that every transaction writes
 * alike, so that half a transaction would show.
 */
#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_column(sim_table *table, const char *name, column_role role)
{
    sim_column *const column = &table->columns[table->column_count];

    (void)snprintf(column->name, sizeof column->name, "%s", name);
    column->role = role;
    column->tie = table->column_count;
    return table->column_count++;
}

static void add_unique(sim_table *table, bool is_key, int a, int b)
{
    sim_unique *const unique = &table->uniques[table->unique_count++];

    *unique = (sim_unique){is_key, b == NOBODY ? 1 : 2, {a, b}};
    if (b != NOBODY)
        table->columns[b].tie = table->columns[a].tie;
}

static void put(sim_schema *schema, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(sim_schema *schema, const char *format, ...)
{
    const size_t at = strlen(schema->sql);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(schema->sql + at, sizeof schema->sql - at, format, args);
    va_end(args);
}

static void make_key(sim_schema *schema, sim_table *table, chance *c)
{
    switch (chance_below(c, 7)) {
    case 0:
    case 1:
    case 2:
        (void)add_column(table, "k", ROLE_KEY_INTEGER);
        put(schema, "k INTEGER PRIMARY KEY");
        break;
    case 3:
    case 4:
        (void)add_column(table, "k", ROLE_KEY_TEXT);
        table->columns[0].is_not_null = true;
        table->columns[0].is_nocase = chance_hits(c, 30);
        put(schema, "k TEXT NOT NULL%s PRIMARY KEY",
            table->columns[0].is_nocase ? " COLLATE NOCASE" : "");
        break;
    case 5:
        (void)add_column(table, "k", ROLE_KEY_ANY);
        table->columns[0].is_not_null = true;
        put(schema, "k NOT NULL PRIMARY KEY");
        break;
    default:
        (void)add_column(table, "k", ROLE_KEY_PART);
        (void)add_column(table, "j", ROLE_KEY_PART);
        table->columns[0].is_not_null = table->columns[1].is_not_null = true;
        put(schema, "k INTEGER NOT NULL, j TEXT NOT NULL");
        add_unique(table, true, 0, 1);
        return;
    }
    add_unique(table, true, 0, NOBODY);
}

static void make_uniques(sim_schema *schema, sim_table *table, chance *c)
{
    if (chance_hits(c, 50)) {
        add_unique(table, false, add_column(table, "u", ROLE_UNIQUE), NOBODY);
        put(schema, ", u UNIQUE");
    }
    if (chance_hits(c, 20)) {
        const int a = add_column(table, "x", ROLE_UNIQUE_PART);
        const int b = add_column(table, "y", ROLE_UNIQUE_PART);
        add_unique(table, false, a, b);
        put(schema, ", x INTEGER, y INTEGER");
    }
}

static bool has_single_key(const sim_table *table)
{
    return table->uniques[0].count == 1;
}

static void make_foreign(sim_schema *schema, sim_table *table, chance *c)
{
    static const char *const actions[] = {
        "", " ON DELETE CASCADE", " ON DELETE SET NULL",
        " ON DELETE CASCADE ON UPDATE CASCADE", " ON UPDATE CASCADE"};
    enum { SETS_NULL = 2 };
    const int self = (int)(table - schema->tables);
    const int parent = (int)chance_below(c, (uint32_t)self + 1);

    if (!chance_hits(c, 60) || !has_single_key(&schema->tables[parent]))
        return;
    const uint32_t action = chance_below(c, 5);
    table->foreigns[table->foreign_count++] = (sim_foreign){
        add_column(table, "p", ROLE_PARENT), parent, action == SETS_NULL};
    put(schema, ", p REFERENCES %s(k)%s%s", schema->tables[parent].name,
        actions[action],
        chance_hits(c, 30) ? " DEFERRABLE INITIALLY DEFERRED" : "");
}

static void make_check(sim_schema *schema, sim_table *table, chance *c)
{
    if (!chance_hits(c, 30))
        return;
    const int low = add_column(table, "lo", ROLE_LOW);
    const int high = add_column(table, "hi", ROLE_HIGH);
    table->columns[high].tie = low;
    put(schema, ", lo INTEGER NOT NULL DEFAULT 0, hi INTEGER NOT NULL "
                "DEFAULT 9");
    table->columns[low].is_not_null = table->columns[high].is_not_null = true;
}

static void make_table(sim_schema *schema, chance *c)
{
    sim_table *const table = &schema->tables[schema->table_count];

    (void)snprintf(table->name, sizeof table->name, "t%d", schema->table_count);
    table->is_written = true;
    put(schema, "CREATE TABLE %s(", table->name);
    make_key(schema, table, c);
    table->is_rowless = chance_hits(c, 15);
    table->columns[0].is_not_null |= table->is_rowless;
    make_uniques(schema, table, c);
    make_foreign(schema, table, c);
    make_check(schema, table, c);
    if (table->column_count < COLUMNS_MAX) {
        (void)add_column(table, "a", ROLE_PLAIN);
        put(schema, ", a");
    }
    if (table->column_count < COLUMNS_MAX && chance_hits(c, 30)) {
        (void)add_column(table, "n", ROLE_COUNTER);
        put(schema, ", n INTEGER DEFAULT 0");
    }
    if (!has_single_key(table))
        put(schema, ", PRIMARY KEY(k, j)");
    for (int i = 1; i < table->unique_count; i++)
        if (table->uniques[i].count == 2)
            put(schema, ", UNIQUE(x, y)");
    for (int i = 0; i < table->column_count; i++)
        if (table->columns[i].role == ROLE_LOW)
            put(schema, ", CHECK(lo <= hi)");
    put(schema, table->is_rowless ? ") WITHOUT ROWID;" : ");");
    if (table->columns[table->column_count - 1].role == ROLE_COUNTER)
        put(schema,
            "CREATE TRIGGER %s_count AFTER UPDATE OF a ON %s BEGIN "
            "UPDATE %s SET n = n + 1 WHERE k = NEW.k%s; END;",
            table->name, table->name, table->name,
            has_single_key(table) ? "" : " AND j = NEW.j");
    schema->table_count++;
}

static void make_log(sim_schema *schema)
{
    sim_table *const table = &schema->tables[schema->table_count++];

    (void)snprintf(table->name, sizeof table->name, "log");
    add_unique(table, true, add_column(table, "id", ROLE_KEY_INTEGER), NOBODY);
    (void)add_column(table, "what", ROLE_PLAIN);
    put(schema, "CREATE TABLE log(id INTEGER PRIMARY KEY, what);"
                "CREATE TRIGGER logged AFTER INSERT ON t0 BEGIN "
                "INSERT INTO log(what) VALUES(NEW.a); END;");
}

static void make_pair(sim_schema *schema)
{
    sim_table *const table = &schema->tables[schema->table_count++];

    (void)snprintf(table->name, sizeof table->name, "pair");
    add_unique(table, true, add_column(table, "id", ROLE_KEY_INTEGER), NOBODY);
    (void)add_column(table, "v", ROLE_TWIN);
    put(schema, "CREATE TABLE pair(id INTEGER PRIMARY KEY, v);"
                "INSERT INTO pair VALUES(1, 0), (2, 0);");
}

/* Counters of the app count for Satchel, too, and so may what it puts there. */
static void choose_counters(sim_schema *schema, chance *c)
{
    for (int t = 0; t < schema->table_count; t++)
        for (int i = 0; i < schema->tables[t].column_count; i++) {
            sim_column *const column = &schema->tables[t].columns[i];
            column->counts =
                (column->role == ROLE_COUNTER && chance_hits(c, 60)) ||
                (column->role == ROLE_PLAIN && schema->tables[t].is_written &&
                 chance_hits(c, 12));
            schema->counts = schema->counts || column->counts;
        }
}

/* The later schema has one more column. */
static void grow(sim_schema *schema, chance *c)
{
    sim_table *const table =
        &schema->tables[chance_below(c, (uint32_t)schema->table_count)];

    if (!chance_hits(c, 40) || !table->is_written ||
        table->column_count == COLUMNS_MAX)
        return;
    (void)add_column(table, "z", ROLE_PLAIN);
    table->grows = schema->grows = true;
    schema->later = chance_hits(c, 60) ? datum_integer(3) : datum_null();
    (void)snprintf(schema->later_sql, sizeof schema->later_sql,
                   "ALTER TABLE %s ADD COLUMN z%s", table->name,
                   schema->later.type == SQLITE_NULL ? "" : " DEFAULT 3");
}

int schema_width(const sim_table *table, bool is_later)
{
    return table->column_count - (table->grows && !is_later);
}

void schema_make(sim_schema *out, chance *c, chance *counting, chance *growing)
{
    const uint32_t count = 1 + chance_below(c, 3);

    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < count; i++)
        make_table(out, c);
    if (chance_hits(c, 30))
        make_pair(out);
    else if (chance_hits(c, 30))
        make_log(out);
    choose_counters(out, counting);
    grow(out, growing);
}

static datum any_key(chance *c)
{
    const uint32_t i = chance_below(c, 6);
    datum out = datum_text((const char *const[]){"1", "a", "A"}[i % 3]);

    if (i == 3)
        return datum_integer(1);
    if (i > 3)
        out.type = SQLITE_BLOB;
    return out;
}

static datum plain_value(chance *c)
{
    static const char *const words[] = {"", HUB_MARKER, ("x" HUB_MARKER),
                                        "\xc3\xa9"};

    switch (chance_below(c, 8)) {
    case 0:
        return datum_null();
    case 1:
        return datum_text(words[chance_below(c, 4)]);
    case 2:
        return datum_real(
            (const double[]){0.0, -0.0, 1.5, 2.0}[chance_below(c, 4)]);
    case 3:
        return any_key(c);
    default:
        return datum_integer((int64_t)chance_below(c, 6));
    }
}

/* The key of a row that is there, mostly. */
static datum parent_key(const sim_schema *schema, int parent,
                        const row_set *now, chance *c)
{
    datum out = datum_null();
    uint32_t seen = 0;

    if (chance_hits(c, 20))
        return out;
    for (int i = 0; i < now->count; i++)
        if (now->list[i].table == parent && chance_below(c, ++seen) == 0)
            out = now->list[i].v[schema_key(&schema->tables[parent])];
    return out;
}

datum schema_value(const sim_schema *schema, int table, int column,
                   const row_set *now, chance *c)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    static const char *const mixed[] = {"a", "b", "c", "A", "B", "c"};
    const sim_table *const t = &schema->tables[table];

    switch (t->columns[column].role) {
    case ROLE_KEY_INTEGER:
        return datum_integer(1 + (int64_t)chance_below(c, 7));
    case ROLE_KEY_TEXT:
        return datum_text(
            (t->columns[column].is_nocase ? mixed : names)[chance_below(c, 6)]);
    case ROLE_KEY_ANY:
        return any_key(c);
    case ROLE_KEY_PART:
        return column == 0 ? datum_integer((int64_t)chance_below(c, 3))
                           : datum_text(names[chance_below(c, 3)]);
    case ROLE_UNIQUE:
        return chance_hits(c, 30) ? datum_null()
                                  : datum_integer((int64_t)chance_below(c, 4));
    case ROLE_UNIQUE_PART:
        return chance_hits(c, 15) ? datum_null()
                                  : datum_integer((int64_t)chance_below(c, 3));
    case ROLE_PARENT:
        return parent_key(schema, t->foreigns[0].parent, now, c);
    case ROLE_LOW:
        return datum_integer((int64_t)chance_below(c, 6));
    case ROLE_HIGH:
        return datum_integer(2 + (int64_t)chance_below(c, 6));
    case ROLE_COUNTER:
    case ROLE_TWIN:
        return datum_integer((int64_t)chance_below(c, 1000));
    case ROLE_PLAIN:
        break;
    }
    return plain_value(c);
}

int schema_key(const sim_table *table)
{
    return table->uniques[0].columns[0];
}

bool schema_equal(const sim_column *column, const datum *a, const datum *b)
{
    if (!column->is_nocase || a->type != SQLITE_TEXT || b->type != SQLITE_TEXT)
        return datum_same(a, b);
    return a->len == b->len &&
           sqlite3_strnicmp(a->bytes, b->bytes, a->len) == 0;
}

bool schema_same_key(const sim_table *table, const datum *a, const datum *b)
{
    const sim_unique *const key = &table->uniques[0];

    for (int i = 0; i < key->count; i++)
        if (!schema_equal(&table->columns[key->columns[i]], &a[key->columns[i]],
                          &b[key->columns[i]]))
            return false;
    return true;
}
