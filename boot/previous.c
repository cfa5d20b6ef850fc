/* SPDX-License-Identifier: MIT */
#include "boot/previous.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/boot_info.h"
#include "boot/volume.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"

#define NAME_MAX    sizeof(((struct boot_previous *)0)->run)
#define NUMBER_MAX  999999
#define ENTRY_BYTES (sizeof(EFI_FILE_INFO) + 256 * sizeof(CHAR16))

/* The number of a name NNNN-...; 0 if it is another one. `out` becomes the name in ASCII. */
static unsigned run_number(const CHAR16 *name, char out[static NAME_MAX])
{
    unsigned number = 0;
    size_t n = 0;

    for (; name[n] && n + 1 < NAME_MAX; n++) {
        if (name[n] <= ' ' || name[n] > '~')
            return 0;
        out[n] = (char)name[n];
    }
    out[n] = '\0';
    for (n = 0; out[n] >= '0' && out[n] <= '9' && number < NUMBER_MAX; n++)
        number = 10 * number + (unsigned)(out[n] - '0');
    return out[n] == '-' ? number : 0;
}

/* The newest run in an open directory: its number and name. */
static unsigned newest(EFI_FILE *reports, char name[static NAME_MAX])
{
    static union {
        EFI_FILE_INFO info;
        uint8_t bytes[ENTRY_BYTES];
    } entry;
    unsigned highest = 0;

    for (;;) {
        char found[NAME_MAX];
        UINTN bytes = sizeof(entry);

        if (EFI_ERROR(reports->Read(reports, &bytes, &entry)) || bytes == 0)
            return highest;
        if (!(entry.info.Attribute & EFI_FILE_DIRECTORY))
            continue;
        unsigned number = run_number(entry.info.FileName, found);
        if (number > highest) {
            highest = number;
            memcpy(name, found, NAME_MAX);
        }
    }
}

/* The rest of the line that begins with BOOT_SUMMARY_STATE, printable; false if there is none. */
static bool find_state(const char *text, size_t bytes, char *out, size_t size)
{
    const size_t key = strlen(BOOT_SUMMARY_STATE);
    size_t used = 0;

    for (size_t i = 0; i + key <= bytes; i++) {
        if ((i != 0 && text[i - 1] != '\n') || memcmp(text + i, BOOT_SUMMARY_STATE, key) != 0)
            continue;
        for (i += key; i < bytes && text[i] != '\n' && text[i] != '\r' && used + 1 < size; i++)
            out[used++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
        out[used] = '\0';
        return true;
    }
    return false;
}

/* How far the run `name` came; "" if it finished. */
static void read_state(EFI_FILE *reports, const char *name, char *out, size_t size)
{
    static const char file_name[] = "\\summary.txt";
    CHAR16 path[NAME_MAX + sizeof(file_name)];
    char text[512];
    UINTN bytes = sizeof(text);
    EFI_FILE *file;
    size_t n = 0;

    for (const char *c = name; *c; c++)
        path[n++] = (CHAR16)*c;
    for (const char *c = file_name; *c; c++)
        path[n++] = (CHAR16)*c;
    path[n] = 0;
    if (EFI_ERROR(reports->Open(reports, &file, path, EFI_FILE_MODE_READ, 0))) {
        fmt_print(out, size, "it left no summary.txt");
        return;
    }
    if (EFI_ERROR(file->Read(file, &bytes, text)) || !find_state(text, bytes, out, size))
        fmt_print(out, size, "its summary.txt is damaged");
    else if (strncmp(out, BOOT_SUMMARY_FINISHED, strlen(BOOT_SUMMARY_FINISHED)) == 0)
        out[0] = '\0';
    file->Close(file);
}

unsigned previous_find(EFI_HANDLE device, struct boot_previous *previous)
{
    EFI_FILE *root = volume_open(device);
    char name[NAME_MAX] = "";
    EFI_FILE *reports;
    unsigned number = 0;

    if (!root)
        return 0;
    if (!EFI_ERROR(root->Open(root, &reports, L"\\reports", EFI_FILE_MODE_READ, 0))) {
        number = newest(reports, name);
        if (number != 0 && previous) {
            read_state(reports, name, previous->state, sizeof(previous->state));
            if (previous->state[0])
                memcpy(previous->run, name, sizeof(previous->run));
        }
        reports->Close(reports);
    }
    root->Close(root);
    return number;
}
