/* SPDX-License-Identifier: MIT */
#ifndef BOOT_FRAMEBUFFER_H
#define BOOT_FRAMEBUFFER_H

struct boot_framebuffer;

/*
 * Describe the screen in the mode that it is in; BOOT_PIXELS_NONE if it has no linear framebuffer.
 */
void framebuffer_find(struct boot_framebuffer *out);

#endif
