/* SPDX-License-Identifier: MIT */
#include "boot/words.h"

#include "boot/boot_info.h"
#include "boot/efi_status.h"
#include "boot/firmware.h"
#include "boot/fw_cfg.h"
#include "boot/load_options.h"
#include "boot/say.h"
#include "boot/text_file.h"
#include "boot/volume.h"
#include "kernel/exit.h"

#define WORDS_MAX (64 * 1024)

/* A cut text would be a run of something else than was asked. */
static void refuse_long(const char *source, uint64_t bytes)
{
    if (bytes > WORDS_MAX)
        bail(EFI_BAD_BUFFER_SIZE, "%s: larger than %u KiB", source, WORDS_MAX / 1024);
}

static void words_from_file(struct boot_words *out)
{
    EFI_FILE *root = volume_open(firmware.loaded->DeviceHandle);
    EFI_FILE *file;
    UINTN bytes = WORDS_MAX + 1; /* one more than allowed, to see that there is more */

    if (!root)
        return;
    EFI_STATUS status = root->Open(root, &file, L"\\crossmod.cfg", EFI_FILE_MODE_READ, 0);
    if (!EFI_ERROR(status)) {
        out->base = firmware_alloc(pages_of(WORDS_MAX + 1), "crossmod.cfg");
        status = file->Read(file, &bytes, (void *)out->base);
        out->bytes = bytes;
        file->Close(file);
    } else if (status == EFI_NOT_FOUND) {
        status = EFI_SUCCESS;
    }
    root->Close(root);
    /* Running without words that somebody wrote would be a run of something else than was asked. */
    if (EFI_ERROR(status))
        bail(status, "crossmod.cfg exists but cannot be read (%s)", efi_status_name(status));
    refuse_long("crossmod.cfg", out->bytes);
    out->bytes = text_file_narrow((char *)out->base, out->bytes);
}

static void words_from_options(struct boot_words *out)
{
    size_t size = firmware.loaded->LoadOptionsSize / sizeof(CHAR16);
    struct load_options options;

    if (size == 0)
        return;
    char *text = (char *)firmware_alloc(pages_of(size), "the load options");
    if (!load_options_narrow(firmware.loaded->LoadOptions, size, text, &options))
        return;
    out->base = (uint64_t)(text + options.start);
    out->bytes = options.bytes;
    refuse_long("load options", out->bytes);
}

static void words_from_fw_cfg(struct boot_words *out)
{
    uint16_t item;
    uint32_t bytes;

    if (!exit_is_qemu() || !fw_cfg_find("opt/org.crossmod/words", &item, &bytes))
        return;
    refuse_long("fw_cfg", bytes);
    out->base = firmware_alloc(pages_of(WORDS_MAX), "fw_cfg's words");
    out->bytes = bytes;
    fw_cfg_read(item, (void *)out->base, bytes);
}

void words_collect(struct boot_info *info)
{
    words_from_file(&info->words[BOOT_WORDS_FILE]);
    words_from_options(&info->words[BOOT_WORDS_OPTIONS]);
    words_from_fw_cfg(&info->words[BOOT_WORDS_FW_CFG]);
}
