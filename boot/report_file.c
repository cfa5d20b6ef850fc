/* SPDX-License-Identifier: MIT */
#include "boot/report_file.h"

#include <stdbool.h>

#include "boot/boot_info.h"
#include "boot/firmware.h"
#include "boot/say.h"
#include "boot/volume.h"
#include "kernel/lib/string.h"

#define READ_WRITE (EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE)
#define CREATE     (READ_WRITE | EFI_FILE_MODE_CREATE)
#define CHUNK      2048

static CHAR16 directory_name[] = L"\\crossmod";
static CHAR16 tap_name[] = L"\\crossmod\\report.tap";
static CHAR16 json_name[] = L"\\crossmod\\report.jsonl";

/* Delete `name` if it is there. */
static void file_delete(EFI_FILE *root, CHAR16 *name)
{
    EFI_FILE *file;

    if (!EFI_ERROR(root->Open(root, &file, name, READ_WRITE, 0)))
        file->Delete(file); /* closes it, too */
}

static EFI_STATUS file_write(EFI_FILE *root, CHAR16 *name, const void *text, UINTN bytes)
{
    EFI_FILE *file;
    UINTN written = bytes;

    file_delete(root, name);
    EFI_STATUS status = root->Open(root, &file, name, CREATE, 0);
    if (EFI_ERROR(status))
        return status;
    status = file->Write(file, &written, (void *)text);
    if (!EFI_ERROR(status))
        status = file->Flush(file);
    EFI_STATUS closed = file->Close(file);
    if (EFI_ERROR(status))
        return status;
    return written == bytes ? closed : EFI_VOLUME_FULL;
}

/*
 * Is the file's content `text`, no more and no less? A stick that is worn out or full may have
 * lied.
 */
static EFI_STATUS file_compare(EFI_FILE *root, CHAR16 *name, const char *text, UINTN bytes)
{
    char chunk[CHUNK];
    EFI_FILE *file;
    UINTN got;

    EFI_STATUS status = root->Open(root, &file, name, EFI_FILE_MODE_READ, 0);
    if (EFI_ERROR(status))
        return status;
    for (UINTN at = 0;; at += got) {
        got = CHUNK;
        status = file->Read(file, &got, chunk);
        if (EFI_ERROR(status))
            break;
        if (got > bytes - at || memcmp(chunk, text + at, got) != 0 || (got == 0 && at != bytes)) {
            status = EFI_VOLUME_CORRUPTED;
            break;
        }
        if (got == 0)
            break;
    }
    file->Close(file);
    return status;
}

static EFI_STATUS text_write(EFI_FILE *root, CHAR16 *name, const struct boot_text *text)
{
    const char *from = (const char *)text->base;
    /* A kernel that ran wild may have written anything here. */
    UINTN bytes = text->used < text->capacity ? text->used : text->capacity;

    EFI_STATUS status = file_write(root, name, from, bytes);
    return EFI_ERROR(status) ? status : file_compare(root, name, from, bytes);
}

static EFI_STATUS write_to(EFI_HANDLE device, const struct boot_info *info)
{
    EFI_FILE *root = volume_open(device);
    EFI_FILE *directory;

    if (!root)
        return EFI_NO_MEDIA;
    EFI_STATUS status = root->Open(root, &directory, directory_name, CREATE, EFI_FILE_DIRECTORY);
    if (!EFI_ERROR(status)) {
        directory->Close(directory);
        status = text_write(root, tap_name, &info->tap);
    }
    if (!EFI_ERROR(status))
        status = text_write(root, json_name, &info->json);
    root->Close(root);
    return status;
}

void report_remove_old(void)
{
    EFI_FILE *root = volume_open(firmware.loaded->DeviceHandle);

    if (!root)
        return;
    file_delete(root, tap_name);
    file_delete(root, json_name);
    root->Close(root);
}

/* Nobody asked for files on a disk that stays in the machine. */
static bool is_removable(EFI_HANDLE device)
{
    EFI_GUID guid = EFI_BLOCK_IO_PROTOCOL_GUID;
    EFI_BLOCK_IO_PROTOCOL *io;

    return !EFI_ERROR(firmware.services->HandleProtocol(device, &guid, (void **)&io)) &&
           io->Media->RemovableMedia;
}

/* On any other removable volume. */
static void write_elsewhere(const struct boot_info *info)
{
    EFI_HANDLE *devices;
    UINTN count = volume_list(&devices);
    bool written = false;

    for (UINTN i = 0; i < count && !written; i++) {
        if (devices[i] == firmware.loaded->DeviceHandle || !is_removable(devices[i]) ||
            EFI_ERROR(write_to(devices[i], info)))
            continue;
        written = true;
        say("# report written to \\crossmod\\ on file system %u of %u\n", (unsigned)i + 1,
            (unsigned)count);
    }
    if (devices)
        firmware.services->FreePool(devices);
    if (!written)
        say("# no other removable volume took the report: it is lost\n");
}

void report_write(const struct boot_info *info)
{
    EFI_STATUS status = write_to(firmware.loaded->DeviceHandle, info);

    if (!EFI_ERROR(status)) {
        say("# report written to \\crossmod\\ on the boot volume\n");
        return;
    }
    say("# the boot volume did not take the report (EFI error %u); trying others\n",
        (unsigned)(status & 0xff));
    write_elsewhere(info);
}
