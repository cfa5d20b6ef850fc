/* SPDX-License-Identifier: MIT */
/* Single functions of the kernel's fixed text: neither patchable nor traced (linker.ld). */
#ifndef KERNEL_LIB_FIXED_TEXT_H
#define KERNEL_LIB_FIXED_TEXT_H

#define FIXED_TEXT __attribute__((section(".text.fixed"), no_instrument_function, noinline))

#endif
