/*
 * network.c - messages late, doubled, lost, and links that are cut
 */
#include "world_inside.h"

bool world_are_linked(const sim_world *w, int a, int b)
{
    return a != b && (!w->is_chain || a - b == 1 || b - a == 1);
}

static uint64_t delay(sim_world *w)
{
    return 1 + (chance_hits(&w->network, 15) ? chance_below(&w->network, 20000)
                                             : chance_below(&w->network, 300));
}

static void count_lost(const sim_world *w, const message *m, bool is_cut)
{
    if (!is_cut) {
        sim_count(m->is_request ? COUNT_REQUEST_LOST : COUNT_REPLY_LOST);
        return;
    }
    sim_count(m->is_request ? COUNT_REQUEST_CUT : COUNT_REPLY_CUT);
    if (sim_now >= w->cut_until[m->to][m->from])
        sim_count(COUNT_ONE_WAY);
}

static void send(sim_world *w, message *m)
{
    const bool is_cut = sim_now < w->cut_until[m->from][m->to];

    sim_count(m->is_request ? COUNT_REQUEST : COUNT_REPLY);
    if (is_cut || chance_hits(&w->network, w->loss)) {
        count_lost(w, m, is_cut);
        world_say(w, "lost: %s from %d to %d",
                  m->is_request ? "request" : "reply", m->from, m->to);
        message_free(m);
        return;
    }
    m->number = ++w->sent;
    if (chance_hits(&w->network, w->loss)) {
        sim_count(COUNT_DOUBLED);
        agenda_add(&w->agenda, sim_now + delay(w), EVENT_MESSAGE, m->to,
                   message_copy(m));
    }
    agenda_add(&w->agenda, sim_now + delay(w), EVENT_MESSAGE, m->to, m);
}

bool world_pull(sim_world *w, device *d, const device *source)
{
    message *const m = message_new(d->number, source->number, true);
    bool asks;

    world_say(w, "device %d pulls from %d", d->number, source->number);
    if (!exchange_ask(d, schema_of(w), source, m, &asks) || !asks) {
        message_free(m);
        return w->result->why[0] == 0;
    }
    send(w, m);
    return true;
}

bool world_receive(sim_world *w, device *d, const message *m)
{
    message *reply;
    bool is_fine;
    bool goes_on;

    if (m->number < w->last_seen[m->from][m->to])
        sim_count(COUNT_OVERTAKEN);
    else
        w->last_seen[m->from][m->to] = m->number;
    if (!m->is_request) {
        world_say(w, "device %d gets a %s page from %d", d->number,
                  m->is_last ? "last" : "first or middle", m->from);
        if (!exchange_take(d, schema_of(w), &w->devices[m->from], m, &goes_on))
            return false;
        return !goes_on || world_pull(w, d, &w->devices[m->from]);
    }
    world_say(w, "device %d answers %d", d->number, m->from);
    reply = message_new(d->number, m->from, false);
    is_fine = exchange_answer(d, schema_of(w), &w->devices[m->from], m,
                              w->page_rows, reply, &goes_on);
    if (is_fine && goes_on)
        send(w, reply);
    else
        message_free(reply);
    return is_fine;
}

device *world_any_peer(sim_world *w, const device *d)
{
    device *out = NULL;
    uint32_t seen = 0;

    for (int i = 0; i < w->device_count; i++)
        if (world_are_linked(w, d->number, i) &&
            chance_below(&w->chance, ++seen) == 0)
            out = &w->devices[i];
    return out;
}

void world_cut(sim_world *w, device *d)
{
    const uint64_t until = sim_now + chance_below(&w->network, 30000);
    const device *const peer = world_any_peer(w, d);

    if (peer == NULL)
        return;
    w->cut_until[d->number][peer->number] = until;
    if (chance_hits(&w->network, 50))
        w->cut_until[peer->number][d->number] = until;
}

bool world_exchange(sim_world *w, device *d, device *source)
{
    bool goes_on = true;

    while (goes_on) {
        message *const request = message_new(d->number, source->number, true);
        message *const reply = message_new(source->number, d->number, false);
        world_say(w, "device %d takes from %d", d->number, source->number);
        bool is_fine = exchange_ask(d, schema_of(w), source, request, &goes_on);
        if (is_fine && goes_on)
            is_fine = exchange_answer(source, schema_of(w), d, request,
                                      w->page_rows, reply, &goes_on);
        if (is_fine && goes_on)
            is_fine = exchange_take(d, schema_of(w), source, reply, &goes_on);
        message_free(request);
        message_free(reply);
        if (!is_fine)
            return false;
    }
    return true;
}
