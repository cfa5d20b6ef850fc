/* SPDX-License-Identifier: MIT */
/*
 * QEMU's fw_cfg by its ports (QEMU, docs/specs/fw_cfg). Only where exit_is_qemu() says that it is
 * there.
 */
#ifndef BOOT_FW_CFG_H
#define BOOT_FW_CFG_H

#include <stdbool.h>
#include <stdint.h>

/* Look up a file by its name: its selector and its size in bytes. False if there is none. */
bool fw_cfg_find(const char *name, uint16_t *item, uint32_t *bytes);

/* The first `bytes` of an item. */
void fw_cfg_read(uint16_t item, void *to, uint32_t bytes);

#endif
