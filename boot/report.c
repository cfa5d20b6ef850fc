/* SPDX-License-Identifier: MIT */
#include "boot/report.h"

#include <stdbool.h>

#include "boot/boot_info.h"
#include "boot/efi_status.h"
#include "boot/finish.h"
#include "boot/firmware.h"
#include "boot/library.h"
#include "boot/previous.h"
#include "boot/qr.h"
#include "boot/report_file.h"
#include "boot/say.h"
#include "boot/volume.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"

enum text { TAP, JSON, TEXTS };
static const char *const file_names[TEXTS] = { [TAP] = "report.tap", [JSON] = "report.jsonl" };

/* A volume with a directory of this run. Positions are bytes of the whole report. */
struct place {
    EFI_HANDLE device;
    char directory[REPORT_PATH_MAX - 16];
    uint64_t first[TEXTS]; /* what its files begin with */
    uint64_t next[TEXTS];  /* what comes next */
    bool failed;           /* its files end early, up to now */
};

/* A volume with less is left for another one some time: a default run writes 2 MiB. */
#define FREE_LEAST (4u << 20) /* bytes */

/* The boot volume and one other. The last one is in use. */
static struct place places[2];
static unsigned count;

/* Bytes of the whole report that are in the buffers no more. */
static uint64_t dropped[TEXTS];

static struct boot_text *text_of(struct boot_info *info, enum text which)
{
    return which == TAP ? &info->tap : &info->json;
}

/* A kernel that ran wild may have written anything there. */
static uint64_t bytes_in(const struct boot_text *text)
{
    return text->used < text->capacity ? text->used : text->capacity;
}

static void path_in(const struct place *place, const char *name, char out[static REPORT_PATH_MAX])
{
    fmt_print(out, REPORT_PATH_MAX, "%s\\%s", place->directory, name);
}

/* For the console now, and for the kernel's report. */
static void complain(struct boot_info *info, const char *path, const struct report_failure *why)
{
    fmt_print(info->medium_note, sizeof(info->medium_note), "%s: %s: %s", path, why->call,
              efi_status_name(why->status));
    say("# %s\n", info->medium_note);
}

/* ---- a new directory ---- */

static void date_text(char *out, size_t size)
{
    EFI_TIME t;

    if (EFI_ERROR(firmware.table->RuntimeServices->GetTime(&t, NULL)) || t.Year < 2000)
        fmt_print(out, size, "nodate");
    else
        fmt_print(out, size, "%04u%02u%02u-%02u%02u", t.Year, t.Month, t.Day, t.Hour, t.Minute);
}

static bool write_started(const struct place *place, struct report_failure *why)
{
    static const char text[] =
        BOOT_SUMMARY_STATE "started\n"
                           "If this is the newest run and the machine no longer runs, it ended in"
                           " the first slice.\n";
    char path[REPORT_PATH_MAX];

    path_in(place, "summary.txt", path);
    return report_replace(place->device, path, text, sizeof(text) - 1, why);
}

/* Make this run's directory on `device`; complains if that fails. */
static bool add_place(struct boot_info *info, EFI_HANDLE device, struct boot_previous *previous)
{
    struct place *place = &places[count];
    struct report_failure why;
    char date[24];

    *place = (struct place){ .device = device };
    memcpy(place->first, dropped, sizeof(dropped));
    memcpy(place->next, dropped, sizeof(dropped));
    unsigned number = previous_find(device, previous) + 1;
    date_text(date, sizeof(date));
    fmt_print(place->directory, sizeof(place->directory), REPORTS "\\%04u-%s", number, date);
    if (!report_directory(device, REPORTS, &why) ||
        !report_directory(device, place->directory, &why) || !write_started(place, &why)) {
        complain(info, place->directory, &why);
        return false;
    }
    count++;
    return true;
}

/* Nobody asked for files on a disk that stays in the machine. */
static bool is_removable(EFI_HANDLE device)
{
    EFI_GUID guid = EFI_BLOCK_IO_PROTOCOL_GUID;
    EFI_BLOCK_IO_PROTOCOL *io;

    return !EFI_ERROR(firmware.services->HandleProtocol(device, &guid, (void **)&io)) &&
           io->Media->RemovableMedia;
}

/* On any other removable volume. Once. */
static bool add_place_elsewhere(struct boot_info *info)
{
    static bool tried;
    EFI_HANDLE *devices;
    bool done = false;

    if (tried)
        return false;
    tried = true;
    UINTN found = volume_list(&devices);

    for (UINTN i = 0; i < found && !done; i++) {
        if (devices[i] == firmware.loaded->DeviceHandle || !is_removable(devices[i]))
            continue;
        done = add_place(info, devices[i], NULL);
        if (done)
            say("# the report goes to %s on file system %u of %u\n", places[count - 1].directory,
                (unsigned)i + 1, (unsigned)found);
    }
    if (devices)
        firmware.services->FreePool(devices);
    return done;
}

/* ---- writing ---- */

/* What is new. A medium that has failed is tried again each time: it may have had a bad moment. */
static bool append(struct boot_info *info, struct place *place)
{
    bool failed_before = place->failed;
    struct report_failure why;
    char path[REPORT_PATH_MAX];

    for (enum text t = 0; t < TEXTS; t++) {
        const struct boot_text *text = text_of(info, t);
        uint64_t end = dropped[t] + bytes_in(text);
        /* A kernel that ran wild may have shortened it. */
        uint64_t bytes = end > place->next[t] ? end - place->next[t] : 0;
        const char *from = (const char *)text->base + (place->next[t] - dropped[t]);

        path_in(place, file_names[t], path);
        if (!report_append(place->device, path, place->next[t] - place->first[t], from, bytes,
                           &why)) {
            place->failed = true;
            if (!failed_before)
                complain(info, path, &why);
            return false;
        }
        place->next[t] += bytes;
    }
    place->failed = false;
    return true;
}

/* Of a run that this place does not have whole, with a line that says so. */
static size_t summary_of(const struct boot_info *info, const struct place *place, char *out,
                         size_t size)
{
    size_t used = (size_t)fmt_print(
        out, size, "%.*s%s", (int)bytes_in(&info->summary), (const char *)info->summary.base,
        place->failed
            ? "report.tap and report.jsonl end early here: the medium did not take more.\n"
            : "");

    return used < size ? used : size - 1;
}

/* Where the report has begun, too: the next boot looks there. */
static void write_summaries(struct boot_info *info)
{
    static char text[8192];
    struct report_failure why;
    char path[REPORT_PATH_MAX];

    for (unsigned i = 0; i < count; i++) {
        path_in(&places[i], "summary.txt", path);
        if (!report_replace(places[i].device, path, text,
                            summary_of(info, &places[i], text, sizeof(text)), &why) &&
            !places[i].failed)
            complain(info, path, &why);
    }
}

/*
 * Write all that is new; false if no medium takes it. Another medium can take over with the whole
 * report as long as the buffers have it: they are emptied only when they are half full.
 */
static bool write_new(struct boot_info *info)
{
    struct place *place = count ? &places[count - 1] : NULL;

    if (place && !append(info, place))
        place = NULL;
    if (!place && add_place_elsewhere(info))
        place = append(info, &places[count - 1]) ? &places[count - 1] : NULL;
    write_summaries(info);
    if (!place)
        return false;
    for (enum text t = 0; t < TEXTS; t++) {
        struct boot_text *text = text_of(info, t);

        if (bytes_in(text) > text->capacity / 2) {
            dropped[t] += bytes_in(text);
            text->used = 0;
        }
    }
    return true;
}

/* ---- the end ---- */

size_t report_for_screen(const struct boot_info *info, char *out, size_t size)
{
    UINT32 crc = 0;
    uint64_t bytes = bytes_in(&info->summary);

    firmware.services->CalculateCrc32((void *)info->summary.base, bytes, &crc);
    size_t used = (size_t)fmt_print(out, size, "%.*scrc32 %08x\n", (int)bytes,
                                    (const char *)info->summary.base, crc);
    return used < size ? used : size - 1;
}

/* A kernel that could not end its report has not ended its summary. */
static void complete_summary(struct boot_info *info, uint64_t code)
{
    static const char finished[] = BOOT_SUMMARY_STATE BOOT_SUMMARY_FINISHED;
    struct boot_text *text = &info->summary;
    const char *old = (const char *)text->base;
    char last[128];
    int length = 0;

    if (bytes_in(text) >= sizeof(finished) - 1 && !memcmp(old, finished, sizeof(finished) - 1))
        return;
    while ((uint64_t)length < bytes_in(text) && old[length] != '\n')
        length++;
    fmt_print(last, sizeof(last), "%.*s", length, old);
    text->used = (uint64_t)fmt_print(
        (char *)text->base, text->capacity, "%s, verdict %s, without an end of its report\n%s%s\n",
        finished, exit_code_name(code), last[0] ? "before: " : "no test has begun", last);
}

/* Last: a failure in there ends the run. */
static void show_code(const struct boot_info *info, const char *text, uint64_t code)
{
    library_begin(code);
    size_t bytes = qr_draw(&info->framebuffer, (void *)info->framebuffer.base, text);
    library_end();
    if (bytes != 0)
        say("# the QR code has %s\n", bytes == strlen(text)
                                          ? "all of the summary"
                                          : "as much of the summary as there is room for");
}

static void show_summary(struct boot_info *info, uint64_t code)
{
    static char text[4096];
    struct report_failure why;

    say_for_sure(
        "# no medium took the report to its end: it is on the serial port and, in short, here\n");
    report_for_screen(info, text, sizeof(text));
    say_long(text);
    if (info->nvram) {
        if (report_variable((const char *)info->summary.base, bytes_in(&info->summary), &why))
            say("# the summary is in the variable CrossmodReport\n");
        else
            complain(info, "CrossmodReport", &why);
    }
    show_code(info, text, code);
}

void report_begin(struct boot_info *info)
{
    bool begun = add_place(info, firmware.loaded->DeviceHandle, &info->previous);

    if (!begun || volume_free(firmware.loaded->DeviceHandle) < FREE_LEAST)
        volume_connect_all();
    if (!begun)
        add_place_elsewhere(info);
    if (info->previous.run[0])
        say("# previous run %s did not finish: %s\n", info->previous.run, info->previous.state);
}

void report_slice(struct boot_info *info)
{
    write_new(info);
}

void report_end(struct boot_info *info, uint64_t code)
{
    complete_summary(info, code);
    if (!write_new(info)) {
        show_summary(info, code);
        return;
    }
    say("# report written to %s on %s\n", places[count - 1].directory,
        places[count - 1].device == firmware.loaded->DeviceHandle ? "the boot volume"
                                                                  : "another volume");
    for (enum text t = 0; t < TEXTS; t++) {
        if (text_of(info, t)->lost)
            say("# %s is not whole: %llu bytes did not fit\n", file_names[t],
                (unsigned long long)text_of(info, t)->lost);
    }
}
