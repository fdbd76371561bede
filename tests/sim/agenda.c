/*
 * agenda.c - a binary heap
 */
#include "agenda.h"

#include <stdlib.h>

static int comes_before(const agenda_event *a, const agenda_event *b)
{
    return a->time != b->time ? a->time < b->time : a->number < b->number;
}

void agenda_add(agenda *a, uint64_t time, int kind, int device, void *data)
{
    if (a->count == a->capacity) {
        a->capacity = a->capacity == 0 ? 64 : a->capacity * 2;
        a->heap = realloc(a->heap, a->capacity * sizeof *a->heap);
        if (a->heap == NULL)
            abort();
    }
    const agenda_event event = {time, a->added++, kind, device, data};
    size_t at = a->count++;
    while (at > 0 && comes_before(&event, &a->heap[(at - 1) / 2])) {
        a->heap[at] = a->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    a->heap[at] = event;
}

int agenda_next(agenda *a, agenda_event *out)
{
    if (a->count == 0)
        return 0;
    *out = a->heap[0];
    const agenda_event last = a->heap[--a->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= a->count)
            break;
        if (child + 1 < a->count &&
            comes_before(&a->heap[child + 1], &a->heap[child]))
            child++;
        if (!comes_before(&a->heap[child], &last))
            break;
        a->heap[at] = a->heap[child];
        at = child;
    }
    a->heap[at] = last;
    return 1;
}

void agenda_clear(agenda *a)
{
    free(a->heap);
    *a = (agenda){0};
}
