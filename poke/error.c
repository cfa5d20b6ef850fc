/* SPDX-License-Identifier: MIT */
#include "poke/poke.h"

static const char *const texts[POKE_ERRORS] = {
    [POKE_OK] = "no error",
    [POKE_E_LENGTH] = "length that the instruction or the function may not have",
    [POKE_E_OPCODE] = "not an instruction that the engine can emulate",
    [POKE_E_PADDING] = "bytes after a short instruction are not all INT3",
    [POKE_E_ADDRESS] = "not wholly patchable text, or not mapped",
    [POKE_E_DISPLACEMENT] = "target out of the displacement's range",
    [POKE_E_LOCK] = "text_mutex not held by the caller, or already held by it",
    [POKE_E_READBACK] = "text does not hold what was written",
    [POKE_E_PENDING] = "a batch is pending",
    [POKE_E_ONLINE] = "other cores run",
    [POKE_E_EXPECTED] = "text does not hold what is expected there",
};

const char *poke_error_text(enum poke_error e)
{
    return (unsigned)e < POKE_ERRORS ? texts[e] : "unknown error";
}
