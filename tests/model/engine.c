/* SPDX-License-Identifier: MIT */
/*
 * One engine's table. Compiled once per engine, with MODEL_ENGINE naming it, and linked with that
 * engine's objects into one relocatable object in which all other names are local.
 */
#include "tests/model/engine.h"

#define PASTE(a, b) a##b
#define NAME(a, b)  PASTE(a, b)
#define ENGINE      NAME(engine_, MODEL_ENGINE)

/* Section bounds that the linker defines (ld: orphan sections whose name is a C identifier). */
#define START(section) NAME(__start_##section, MODEL_ENGINE)
#define STOP(section)  NAME(__stop_##section, MODEL_ENGINE)
extern uint8_t START(model_data_)[], STOP(model_data_)[];
extern uint8_t START(model_bss_)[], STOP(model_bss_)[];

const struct engine ENGINE = {
    .lock = text_mutex_lock,
    .unlock = text_mutex_unlock,
    .select = poke_select_protocol,
    .add = smp_text_poke_batch_add,
    .finish = smp_text_poke_batch_finish,
    .single = smp_text_poke_single,
    .log_ack = poke_log_ack,
    .log_offline = poke_log_offline,
    .log_online = poke_log_online,
    .handler = smp_text_poke_int3_handler,
    .table_at_or_below = poke_table_at_or_below,
    .table_publish = poke_table_publish,
    .table_retire = poke_table_retire,
    .tables = poke_tables,
    .data = START(model_data_),
    .data_end = STOP(model_data_),
    .bss = START(model_bss_),
    .bss_end = STOP(model_bss_),
};
