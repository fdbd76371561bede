/*
 * shelf.c - what a hub keeps, in memory
 */
#include "shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static void must(sat_status st, const sat_error *err)
{
    if (st != SAT_OK)
        fail_msg("%s: %s", sat_status_name(st), err->message);
}

void shelf_open(shelf *s)
{
    static const uint8_t epoch[SAT_EPOCH_ID_SIZE] = {7};
    const sat_env *const env = sat_env_system();
    sat__epoch_key key;
    sat_error err = {0};

    *s = (shelf){.count = 0};
    must(sat__item_keys_new(&s->keys, &err), &err);
    must(sat__item_press_new(&s->press, &err), &err);
    s->keys->is_compressed = true;
    memset(s->keys->vault, 3, sizeof s->keys->vault);
    sat__id_key_generate(env, &s->keys->id_key);
    sat__epoch_key_generate(env, &key);
    must(sat__item_keys_add(s->keys, epoch, &key, &err), &err);
}

void shelf_close(shelf *s)
{
    for (size_t i = 0; i < s->count; i++)
        sat__buf_clear(&s->items[i].sealed);
    free(s->items);
    sat__buf_clear(&s->knowledge);
    sat__item_keys_free(s->keys);
    sat__item_press_free(s->press);
}

static shelf_item *item_of(shelf *s, const uint8_t id[SAT_ITEM_ID_SIZE])
{
    for (size_t i = 0; i < s->count; i++)
        if (memcmp(s->items[i].id, id, SAT_ITEM_ID_SIZE) == 0)
            return &s->items[i];
    if (s->count == s->room) {
        s->room = s->room * 2 + 64;
        s->items = realloc(s->items, s->room * sizeof *s->items);
        assert_non_null(s->items);
    }
    s->items[s->count] = (shelf_item){.version = 0};
    memcpy(s->items[s->count].id, id, SAT_ITEM_ID_SIZE);
    return &s->items[s->count++];
}

typedef struct push {
    shelf *s;
    device *d;
    sat__row_writer *writer;
    size_t count;
} push;

static void put(push *p, sat_bytes content)
{
    sat__item item;
    uint8_t id[SAT_ITEM_ID_SIZE];
    sat_error err = {0};

    must(sat__item_decode(content, &item, &err), &err);
    must(sat__item_name(p->s->keys, &item, id, &err), &err);
    shelf_item *const to = item_of(p->s, id);
    if (item.kind == SAT_ITEM_SHAPE && to->version > 0)
        return;
    to->version++;
    to->sequence = ++p->s->sequence;
    to->sealed.len = 0;
    memcpy(to->device, p->d->id, sizeof to->device);
    const sat__item_place place = {to->id, item_keys_now(p->s->keys)->id,
                                   to->version, to->device};
    must(sat__item_seal(sat_env_system(), p->s->press, p->s->keys, &place,
                        content, &to->sealed, &err),
         &err);
    assert_true(to->sealed.len >= 256 + SAT_SEAL_OVERHEAD);
    p->count++;
}

static sat_status put_row(sat_replica *replica, const sat__row *row,
                          int64_t taken_by, void *context, sat_error *err)
{
    push *const p = context;
    AUTO(sat_buf) content = SAT_BUF_INIT;

    (void)replica;
    TRY(sat__row_write(p->writer, row, taken_by, &content, err));
    put(p, buf_view(&content));
    return SAT_OK;
}

static void put_shapes(push *p)
{
    const sat__tables *const tables = &p->d->replica->tables;

    for (size_t i = 0; i < tables->count; i++) {
        AUTO(sat_buf) shape = SAT_BUF_INIT;
        sat__shape_write(tables->list[i], &shape);
        put(p, buf_view(&shape));
    }
}

size_t shelf_push(shelf *s, device *d)
{
    push p = {.s = s, .d = d};
    AUTO(sat__knowledge) base = {0};
    AUTO(sat_buf) schema = SAT_BUF_INIT;
    sat_error err = {0};

    must(sat__replica_collect(d->replica, NULL, &err), &err);
    must(sat__row_writer_new(d->replica, &p.writer, &err), &err);
    if (s->sequence == 0) {
        must(sat__schema_write(d->replica, &schema, &err), &err);
        put(&p, buf_view(&schema));
    }
    put_shapes(&p);
    must(
        sat__knowledge_decode(d->replica, buf_view(&s->knowledge), &base, &err),
        &err);
    must(sat__whole_rows(d->replica, &base, put_row, &p, &err), &err);
    s->knowledge.len = 0;
    must(sat__replica_knowledge(d->replica, &s->knowledge, &err), &err);
    sat__row_writer_free(p.writer);
    return p.count;
}

static void stage(shelf *s, device *d, sat__joiner *joiner, bool is_last,
                  char *cursor)
{
    static const uint8_t from[SAT_DEVICE_ID_SIZE] = {0xff};
    AUTO(sat_buf) page = SAT_BUF_INIT;
    sat_error err = {0};
    char next[16];
    bool complete;

    (void)snprintf(next, sizeof next, "%d", atoi(cursor) + 1);
    must(sat__joiner_page(joiner, bytes_of(cursor, strlen(cursor)),
                          bytes_of(next, is_last ? 0 : strlen(next)),
                          buf_view(&s->knowledge), &page, &err),
         &err);
    must(sat__replica_stage(d->replica, from, buf_view(&page), &complete, &err),
         &err);
    assert_int_equal(complete, is_last);
    (void)snprintf(cursor, sizeof next, "%s", next);
}

static void open_item(shelf *s, const shelf_item *item, sat_buf *content,
                      sat__item *out)
{
    const sat__item_place place = {item->id, item_keys_now(s->keys)->id,
                                   item->version, item->device};
    uint8_t id[SAT_ITEM_ID_SIZE];
    sat_error err = {0};

    content->len = 0;
    must(sat__item_unseal(s->press, s->keys, &place, buf_view(&item->sealed),
                          content, &err),
         &err);
    must(sat__item_decode(buf_view(content), out, &err), &err);
    must(sat__item_name(s->keys, out, id, &err), &err);
    assert_memory_equal(id, item->id, sizeof id);
}

void shelf_pull(shelf *s, device *d, uint64_t *cursor, size_t rows)
{
    static const uint8_t from[SAT_DEVICE_ID_SIZE] = {0xff};
    AUTO(sat_buf) content = SAT_BUF_INIT;
    sat__joiner *joiner = NULL;
    sat__apply_report report;
    sat__item item;
    sat_error err = {0};
    char at[16] = "";

    must(sat__joiner_new(&joiner, &err), &err);
    for (size_t i = 0; i < s->count; i++) {
        open_item(s, &s->items[i], &content, &item);
        if (item.kind == SAT_ITEM_SHAPE)
            must(sat__joiner_shape(joiner, item.body, &err), &err);
        if (item.kind == SAT_ITEM_SCHEMA && s->items[i].sequence > *cursor)
            must(sat__joiner_schema(joiner, &item, &err), &err);
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].sequence <= *cursor)
            continue;
        open_item(s, &s->items[i], &content, &item);
        if (item.kind == SAT_ITEM_SHAPE || item.kind == SAT_ITEM_SCHEMA)
            continue;
        must(sat__joiner_add(joiner, &item, &err), &err);
        if (sat__joiner_rows(joiner) >= rows)
            stage(s, d, joiner, false, at);
    }
    stage(s, d, joiner, true, at);
    sat__joiner_free(joiner);
    must(sat__replica_apply(d->replica, from, &report, &err), &err);
    *cursor = s->sequence;
}
