/*
 * agenda.h - what will happen, by simulated time
 *
 * A binary heap of events. Events of one time come in the order in which they
 * were put in, so that a run depends on its seed alone.
 */
#ifndef SAT_TESTS_SIM_AGENDA_H
#define SAT_TESTS_SIM_AGENDA_H

#include <stddef.h>
#include <stdint.h>

typedef struct agenda_event {
    uint64_t time;
    uint64_t number; /* counts the events of a run */
    int kind;
    int device;
    void *data;
} agenda_event;

typedef struct agenda {
    agenda_event *heap;
    size_t count, capacity;
    uint64_t added;
} agenda;

void agenda_add(agenda *a, uint64_t time, int kind, int device, void *data);

/* Takes the next event; 0 where there is none. */
int agenda_next(agenda *a, agenda_event *out);

void agenda_clear(agenda *a);

#endif /* SAT_TESTS_SIM_AGENDA_H */
