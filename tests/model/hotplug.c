/* SPDX-License-Identifier: MIT */
/*
 * A core that executes leaves and comes back at any time, in two steps: it is online, then it
 * serialises. Between them others run. poke/machine.h says why in this order, at
 * machine_core_online(); the other half of the argument is in machine_sync_cores().
 */
#include "tests/model/world.h"

static bool online_first(void)
{
    return world.scenario->hotplug != HOTPLUG_SERIALISE_FIRST;
}

bool hotplug_online(const struct reader *r)
{
    return r->presence == PRESENT || (r->presence == RETURNING && online_first());
}

unsigned hotplug_online_readers(void)
{
    unsigned online = 0;

    for (unsigned i = 0; i < world.scenario->readers; i++)
        online |= (unsigned)hotplug_online(&world.readers[i]) << i;
    return online;
}

bool hotplug_will_serialise(const struct reader *r)
{
    if (r->presence == PRESENT || world.scenario->hotplug == HOTPLUG_UNSERIALISED)
        return false;
    return r->presence == ABSENT || online_first();
}

static void leave(struct reader *r)
{
    trace("leaves: is offline");
    world.scenario->engine->log_offline();
    r->presence = ABSENT;
}

static void come_online(void)
{
    trace("comes back: is online");
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

    if (r->presence == PRESENT) {
        leave(r);
        return;
    }
    if ((r->presence == ABSENT) == online_first())
        come_online();
    else
        serialise(r);
    r->presence = r->presence == ABSENT ? RETURNING : PRESENT;
}
