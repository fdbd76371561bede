/*
 * item_join.c - whatever an item says, it becomes a page or is refused
 *
 * The first byte says how long the first of two items is. A page that is made
 * of what both say can be read as one, and a row has the same name however
 * often it is asked. A row that is one is also one with a delta of all its
 * cells.
 */
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "fuzz.h"
#include "items/delta.h"
#include "items/join.h"
#include "sync/page.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void change(sat__joiner *joiner, const sat__item *row)
{
    AUTO(sat_buf) text = SAT_BUF_INIT, marks = SAT_BUF_INIT;
    sat__item delta;

    must(sat__cells_mark(row, &marks, NULL) == SAT_OK);
    must(sat__delta_write(row, bytes_of(NULL, 0), 1, &text, NULL) == SAT_OK);
    must(sat__item_decode(buf_view(&text), &delta, NULL) == SAT_OK &&
         delta.kind == SAT_ITEM_DELTA && bytes_equal(delta.body, row->body));
    must(sat__joiner_add_both(joiner, row, &delta, NULL) == SAT_OK);
    text.len = 0;
    must(sat__delta_write(row, buf_view(&marks), 1, &text, NULL) == SAT_OK);
}

static void take(sat__joiner *joiner, const sat__item_keys *keys,
                 sat_bytes content)
{
    uint8_t name[SAT_ITEM_ID_SIZE] = {0}, again[SAT_ITEM_ID_SIZE] = {1};
    sat__item item;

    if (sat__item_decode(content, &item, NULL) != SAT_OK ||
        sat__item_name(keys, &item, name, NULL) != SAT_OK)
        return;
    must(sat__item_name(keys, &item, again, NULL) == SAT_OK &&
         memcmp(name, again, sizeof name) == 0);
    if (item.kind == SAT_ITEM_SHAPE)
        must(sat__joiner_shape(joiner, item.body, NULL) == SAT_OK);
    else if (item.kind == SAT_ITEM_SCHEMA)
        (void)!sat__joiner_schema(joiner, &item, NULL);
    else if (sat__joiner_add(joiner, &item, NULL) == SAT_OK) {
        must(sat__joiner_rows(joiner) > 0);
        if (item.kind == SAT_ITEM_CELLS)
            change(joiner, &item);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t knowledge[] = {0x80};
    AUTO_PTR(sat__item_keys) keys = NULL;
    AUTO_PTR(sat__joiner) joiner = NULL;
    AUTO(sat_buf) page = SAT_BUF_INIT;
    sat__page parts;

    if (size < 1 || size - 1 < data[0])
        return 0;
    must(sat__item_keys_new(&keys, NULL) == SAT_OK);
    must(sat__joiner_new(&joiner, NULL) == SAT_OK);
    take(joiner, keys, bytes_of(data + 1, data[0]));
    take(joiner, keys, bytes_of(data + 1 + data[0], size - 1 - data[0]));
    must(sat__joiner_page(joiner, bytes_of(NULL, 0), bytes_of(NULL, 0),
                          bytes_of(knowledge, 1), &page, NULL) == SAT_OK);
    must(sat__page_decode(buf_view(&page), &parts, NULL) == SAT_OK);
    return 0;
}
