/*
 * frame_read.c - what is read from a frame, written again, is that frame
 */
#include <stdlib.h>

#include "backup/frame.h"
#include "fuzz.h"

typedef struct again {
    uint8_t frame[SAT_FRAME_MAX];
    size_t len;
    char vault[SAT_VAULT_NAME_MAX + 1];
    uint32_t numbers[65536];
    size_t count;
    sat_buf pages;
} again;

static sat_status pages(void *self, const char *vault, uint32_t first,
                        uint32_t count, uint8_t *bytes, sat_error *err)
{
    again *const in = self;
    (void)err;
    if (count == 0 || in->count + count > 65535)
        abort();
    memcpy(in->vault, vault, strlen(vault) + 1);
    for (uint32_t i = 0; i < count; i++)
        in->numbers[in->count++] = first + i;
    sat__buf_put(&in->pages, bytes, (size_t)count * SAT_PAGE_SIZE);
    return SAT_OK;
}

static sat_status piece(void *self, const sat__file_piece *from, sat_error *err)
{
    again *const in = self;
    (void)err;
    if (from->offset + from->bytes.len > from->size)
        abort();
    in->len = sat__frame_put_piece(in->frame, in->len, from);
    return SAT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static again in;
    AUTO_FREE uint8_t *copy = NULL;
    const sat__frame_sink sink = {pages, piece, &in};
    if (size == 0 || size > SAT_FRAME_MAX)
        return 0;
    in.len = 0;
    in.count = 0;
    in.pages.len = 0;
    copy = malloc(size);
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    if (sat__frame_read(copy, size, &sink, NULL) != SAT_OK)
        return 0;
    if (in.count > 0 && in.count <= SAT_FRAME_PAGES) {
        in.len = sat__frame_put_pages(in.frame, in.vault, in.numbers, in.count);
        memcpy(in.frame + in.len, in.pages.data, in.pages.len);
        in.len += in.pages.len;
    }
    if (in.len > 0 && (in.len != size || memcmp(in.frame, data, size) != 0))
        abort();
    return 0;
}
