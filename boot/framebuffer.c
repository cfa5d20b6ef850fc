/* SPDX-License-Identifier: MIT */
#include "boot/framebuffer.h"

#include "boot/boot_info.h"
#include "boot/firmware.h"

/* The screen that shows the firmware's console, else any. */
static EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics_output(void)
{
    static EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;

    if (firmware.table->ConsoleOutHandle &&
        !EFI_ERROR(firmware.services->HandleProtocol(firmware.table->ConsoleOutHandle, &guid,
                                                     (void **)&gop)))
        return gop;
    if (!EFI_ERROR(firmware.services->LocateProtocol(&guid, NULL, (void **)&gop)))
        return gop;
    return NULL;
}

static enum boot_pixel_format format_of(EFI_GRAPHICS_PIXEL_FORMAT format)
{
    switch (format) {
    case PixelRedGreenBlueReserved8BitPerColor:
        return BOOT_PIXELS_RGBX;
    case PixelBlueGreenRedReserved8BitPerColor:
        return BOOT_PIXELS_BGRX;
    case PixelBitMask:
        return BOOT_PIXELS_MASK;
    default: /* PixelBltOnly: drawn by the firmware's calls only */
        return BOOT_PIXELS_NONE;
    }
}

void framebuffer_find(struct boot_framebuffer *out)
{
    EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = graphics_output();

    /* The mode is kept as it is: setting one can blank a monitor for seconds, or for good. */
    if (!gop || !gop->Mode || !gop->Mode->Info || gop->Mode->FrameBufferBase == 0)
        return;
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode = gop->Mode->Info;
    *out = (struct boot_framebuffer){
        .base = gop->Mode->FrameBufferBase,
        .bytes = gop->Mode->FrameBufferSize,
        .width = mode->HorizontalResolution,
        .height = mode->VerticalResolution,
        .stride = mode->PixelsPerScanLine,
        .format = format_of(mode->PixelFormat),
        .red_mask = mode->PixelInformation.RedMask,
        .green_mask = mode->PixelInformation.GreenMask,
        .blue_mask = mode->PixelInformation.BlueMask,
    };
}
