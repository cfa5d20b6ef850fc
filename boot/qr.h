/* SPDX-License-Identifier: MIT */
/* A text as a QR code in what the kernel's picture has left free. */
#ifndef BOOT_QR_H
#define BOOT_QR_H

#include <stddef.h>

struct boot_framebuffer;

/*
 * Draw `text` as a QR code on the framebuffer mapped at `base`, to the right of the kernel's text
 * and above the loader's rows. Returns how many bytes of the text it holds: what does not fit is
 * cut off; 0: there is no picture of the kernel's, or no room. Needs library_begin() in the loader.
 */
size_t qr_draw(const struct boot_framebuffer *fb, void *base, const char *text);

#endif
