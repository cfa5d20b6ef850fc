/* SPDX-License-Identifier: MIT */
#include "boot/report_file.h"

#include "boot/firmware.h"
#include "boot/volume.h"
#include "kernel/lib/string.h"

#define READ_WRITE (EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE)
#define CREATE     (READ_WRITE | EFI_FILE_MODE_CREATE)
#define CHUNK      2048
#define TO_THE_END UINT64_MAX /* SetPosition(): the file's end */

static bool failed(struct report_failure *why, const char *call, EFI_STATUS status)
{
    *why = (struct report_failure){ call, status };
    return false;
}

/* NULL: failed. */
static EFI_FILE *open(EFI_HANDLE device, const char *path, UINT64 mode, UINT64 attributes,
                      struct report_failure *why)
{
    CHAR16 wide[REPORT_PATH_MAX];
    EFI_FILE *root = volume_open(device);
    EFI_FILE *file;
    size_t n = 0;

    if (!root) {
        failed(why, "OpenVolume", EFI_NO_MEDIA);
        return NULL;
    }
    for (; path[n] && n + 1 < REPORT_PATH_MAX; n++)
        wide[n] = (CHAR16)path[n];
    wide[n] = 0;
    EFI_STATUS status = root->Open(root, &file, wide, mode, attributes);
    root->Close(root);
    if (!EFI_ERROR(status))
        return file;
    failed(why, "Open", status);
    return NULL;
}

bool report_directory(EFI_HANDLE device, const char *path, struct report_failure *why)
{
    EFI_FILE *directory = open(device, path, CREATE, EFI_FILE_DIRECTORY, why);

    if (!directory)
        return false;
    directory->Close(directory);
    return true;
}

/* Go to `at`. What is behind it was written by a call that failed, and is written again. */
static bool find_end(EFI_FILE *file, uint64_t at, struct report_failure *why)
{
    UINT64 end;

    EFI_STATUS status = file->SetPosition(file, TO_THE_END);
    if (EFI_ERROR(status))
        return failed(why, "SetPosition", status);
    status = file->GetPosition(file, &end);
    if (EFI_ERROR(status))
        return failed(why, "GetPosition", status);
    if (end < at)
        return failed(why, "GetPosition: shorter than before", EFI_VOLUME_CORRUPTED);
    status = file->SetPosition(file, at);
    return !EFI_ERROR(status) || failed(why, "SetPosition", status);
}

static bool write_all(EFI_FILE *file, const char *text, size_t bytes, struct report_failure *why)
{
    UINTN written = bytes;

    EFI_STATUS status = bytes ? file->Write(file, &written, (void *)text) : EFI_SUCCESS;
    if (EFI_ERROR(status))
        return failed(why, "Write", status);
    if (written != bytes)
        return failed(why, "Write", EFI_VOLUME_FULL);
    status = file->Flush(file);
    return !EFI_ERROR(status) || failed(why, "Flush", status);
}

/* Is what the file has from `at` on `text`, no more and no less? */
static bool compare(EFI_FILE *file, uint64_t at, const char *text, size_t bytes,
                    struct report_failure *why)
{
    char chunk[CHUNK];
    UINTN got;

    EFI_STATUS status = file->SetPosition(file, at);
    if (EFI_ERROR(status))
        return failed(why, "SetPosition", status);
    for (size_t done = 0;; done += got) {
        got = CHUNK;
        status = file->Read(file, &got, chunk);
        if (EFI_ERROR(status))
            return failed(why, "Read", status);
        if (got > bytes - done || memcmp(chunk, text + done, got) != 0 ||
            (got == 0 && done != bytes))
            return failed(why, "Read: not what was written", EFI_VOLUME_CORRUPTED);
        if (got == 0)
            return true;
    }
}

bool report_append(EFI_HANDLE device, const char *path, uint64_t at, const char *text, size_t bytes,
                   struct report_failure *why)
{
    EFI_FILE *file = open(device, path, CREATE, 0, why);

    if (!file)
        return false;
    bool done = find_end(file, at, why) && write_all(file, text, bytes, why);
    EFI_STATUS closed = file->Close(file);
    if (!done)
        return false;
    if (EFI_ERROR(closed))
        return failed(why, "Close", closed);

    file = open(device, path, EFI_FILE_MODE_READ, 0, why);
    if (!file)
        return false;
    done = compare(file, at, text, bytes, why);
    file->Close(file);
    return done;
}

bool report_replace(EFI_HANDLE device, const char *path, const char *text, size_t bytes,
                    struct report_failure *why)
{
    EFI_FILE *old = open(device, path, READ_WRITE, 0, why);

    if (old)
        old->Delete(old); /* closes it, too */
    return report_append(device, path, 0, text, bytes, why);
}

bool report_variable(const char *text, size_t bytes, struct report_failure *why)
{
    static EFI_GUID vendor = {
        0xb7e0c1d2, 0x5c4f, 0x4e3a, { 0x9a, 0x51, 0x43, 0x52, 0x4f, 0x53, 0x53, 0x4d }
    };
    static CHAR16 name[] = L"CrossmodReport";
    EFI_RUNTIME_SERVICES *services = firmware.table->RuntimeServices;
    char stored[REPORT_VARIABLE_MAX];
    UINTN got = sizeof(stored);

    if (bytes > sizeof(stored))
        bytes = sizeof(stored);
    EFI_STATUS status = services->SetVariable(
        name, &vendor,
        EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
        bytes, (void *)text);
    if (EFI_ERROR(status))
        return failed(why, "SetVariable", status);
    status = services->GetVariable(name, &vendor, NULL, &got, stored);
    if (EFI_ERROR(status))
        return failed(why, "GetVariable", status);
    return (got == bytes && memcmp(stored, text, bytes) == 0) ||
           failed(why, "GetVariable: not what was written", EFI_VOLUME_CORRUPTED);
}
