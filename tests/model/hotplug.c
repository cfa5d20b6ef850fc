/* SPDX-License-Identifier: MIT */
/*
 * A core that executes leaves and comes back at any time, in two steps: it is marked as here, then
 * it serialises. Between them others run, and an NMI can come, which serialises for itself and then
 * executes sites. poke/machine.h says why in this order, at machine_core_online(); the other half
 * of the argument is in machine_sync_cores(). An NMI before the first step makes both itself: that
 * is a way back as any other.
 */
#include "tests/model/world.h"

static bool online_first(void)
{
    return world.scenario->hotplug != HOTPLUG_SERIALISE_FIRST;
}

bool hotplug_online(const struct reader *r)
{
    return r->presence == PRESENT || r->presence == INTERRUPTED ||
           (r->presence == RETURNING && online_first());
}

unsigned hotplug_online_readers(void)
{
    unsigned online = 0;

    for (unsigned i = 0; i < world.scenario->readers; i++)
        online |= (unsigned)hotplug_online(&world.readers[i]) << i;
    return online;
}

bool hotplug_may_interrupt(const struct reader *r)
{
    return r->presence == RETURNING && online_first();
}

bool hotplug_will_serialise(const struct reader *r)
{
    if (world.scenario->hotplug == HOTPLUG_UNSERIALISED ||
        world.scenario->hotplug == HOTPLUG_UNSERIALISED_NMI)
        return false;
    return r->presence == ABSENT || (r->presence == RETURNING && online_first());
}

void hotplug_interrupt(struct reader *r)
{
    r->presence = INTERRUPTED;
    if (world.scenario->hotplug == HOTPLUG_UNSERIALISED_NMI) {
        trace("NMI on its way back, which does not serialise");
        return;
    }
    trace("NMI on its way back, which serialises");
    r->since = text_now();
}

static void leave(struct reader *r)
{
    trace("leaves: is away");
    world.scenario->engine->log_offline();
    r->presence = world.scenario->hotplug == HOTPLUG_LATE ? LATE : ABSENT;
}

static void come_online(void)
{
    trace("comes back: is here");
    world.scenario->engine->log_online();
}

static void serialise(struct reader *r)
{
    if (world.scenario->hotplug == HOTPLUG_UNSERIALISED) {
        trace("comes back: does not serialise");
        return;
    }
    trace("comes back: serialises");
    r->since = text_now();
}

void hotplug_step(unsigned core)
{
    struct reader *r = reader_of(core);

    switch ((enum presence)r->presence) {
    case PRESENT:
        leave(r);
        return;
    case LATE:
        r->presence = ABSENT;
        return;
    case INTERRUPTED:
        trace("end of the NMI on its way back");
        r->presence = RETURNING;
        return;
    case ABSENT:
    case RETURNING:
        break;
    }
    if ((r->presence == ABSENT) == online_first())
        come_online();
    else
        serialise(r);
    r->presence = r->presence == ABSENT ? RETURNING : PRESENT;
}
