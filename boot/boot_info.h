/* SPDX-License-Identifier: MIT */
/*
 * What the loader hands to the kernel, and what it gets back. No EFI type crosses this header.
 *
 * Every address is physical and below 4 GiB unless said otherwise. The loader keeps boot services
 * alive: the memory named here is allocated (EfiLoaderData), stays the kernel's until it returns,
 * and everything else in the machine still belongs to the firmware.
 *
 * At the kernel's entry (System V ABI, one argument, `struct boot_info *` as an identity address):
 *   CR3      bootstrap tables: the kernel image at its link address, W^X by segment; the first
 *            4 GiB identity-mapped, writable and NX; the switch stub's page RX
 *   EFER     LME, NXE; CR0.WP set; CR4 PAE set, CET clear, everything else as the firmware had it
 *   RFLAGS   IF=0, DF=0; the firmware runs at TPL_HIGH_LEVEL and its interrupts are still armed
 *   RSP      16 KiB of the loader's below 4 GiB, identity-mapped, 16-byte aligned before the call
 *   GDT/IDT  the firmware's, perhaps not mapped: no selector load and no trap before own ones
 *
 * The kernel returns an exit code (exit_code in kernel/exit.h) or BOOT_GOES_ON with RFLAGS.IF=0,
 * the local APIC as it was found, all other cores parked, with RSP as after the call, on any CR3
 * that maps the stub executable at its identity address; the entry's stack need not be mapped any
 * more.
 * After BOOT_GOES_ON the loader writes what the report has gained and enters again, in the state
 * above; the kernel goes on where it was. This is how one run comes in slices.
 * The stub saves and restores CR0, CR3, CR4, CR8, EFER, PAT, DR7, GDTR, IDTR, LDTR, TR, the segment
 * registers, the FS, GS and KernelGS bases, x87 and SSE state and RFLAGS; all other state (XCR0,
 * DR0 to DR3, the MSRs of SYSCALL) is the kernel's to leave as it was.
 */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include <stdint.h>

#define BOOT_INFO_MAGIC 0x31444f4d53534f52ull /* "ROSSMOD1" */

/* What the kernel returns between two slices: no value of enum exit_code. */
#define BOOT_GOES_ON 1

/* The kernel's image lives here; linker.ld links it to the same address. */
#define BOOT_KERNEL_BASE 0xffffffff80000000ull

/* What a range of the physical address space is, as far as the kernel cares. */
enum boot_mem_kind {
    BOOT_MEM_FREE = 1, /* conventional memory: the firmware's allocator owns it, do not touch */
    BOOT_MEM_FIRMWARE, /* boot and runtime services' code and data */
    BOOT_MEM_LOADER,   /* ours (image, arena, reports, low pages), or another EFI program's */
    BOOT_MEM_ACPI,     /* ACPI tables and NVS */
    BOOT_MEM_RESERVED, /* reserved, unusable or persistent: tables of the platform may be here */
    BOOT_MEM_MMIO,     /* never mapped write-back */
};

struct boot_range {
    uint64_t base;  /* bytes, page aligned */
    uint64_t pages; /* 4 KiB each */
    uint32_t kind;  /* enum boot_mem_kind */
    uint32_t efi_type;
};

#define BOOT_SCREEN_ROWS 120 /* of text, at most */

enum boot_pixel_format {
    BOOT_PIXELS_NONE, /* no linear framebuffer: headless or BLT only */
    BOOT_PIXELS_RGBX,
    BOOT_PIXELS_BGRX,
    BOOT_PIXELS_MASK, /* see the masks */
};

struct boot_framebuffer {
    uint64_t base;                  /* may be above 4 GiB */
    uint64_t bytes;                 /* size of the aperture */
    uint32_t width, height, stride; /* pixels; stride >= width */
    uint32_t format;                /* enum boot_pixel_format */
    uint32_t red_mask, green_mask, blue_mask;
    /* The kernel sets these. */
    uint32_t drawn;                     /* the picture is its own */
    uint8_t row_ends[BOOT_SCREEN_ROWS]; /* how many columns of each row are not free */
};

/*
 * A text buffer that the kernel fills and the loader writes to the medium. The loader may empty it
 * between two slices (used = 0), when all of it is on the medium.
 */
struct boot_text {
    uint64_t base;     /* RAM, loader's */
    uint64_t capacity; /* bytes */
    uint64_t used;     /* bytes in it; never above capacity */
    uint64_t lost;     /* bytes that did not fit, in the whole run */
};

/*
 * summary.txt has one line that begins with the first of these; what follows begins with the second
 * if the run has come to an end, whatever its verdict. Otherwise it says how far it was.
 */
#define BOOT_SUMMARY_STATE    "state: "
#define BOOT_SUMMARY_FINISHED "finished"

/* The run before this one, if its report is on the medium and says that it did not finish. */
struct boot_previous {
    char run[32];    /* its directory, printable ASCII; "": there is none */
    char state[128]; /* how far it came, printable ASCII */
};

/* Where `name=value` words come from, in rising priority. */
enum boot_words_source {
    BOOT_WORDS_FILE,    /* \crossmod.cfg of the boot volume, UTF-16 narrowed to one byte each */
    BOOT_WORDS_OPTIONS, /* the load options (UEFI shell, boot entry), narrowed to ASCII */
    BOOT_WORDS_FW_CFG,  /* QEMU: opt/org.crossmod/words */
    BOOT_WORDS_SOURCES
};

/* The raw text of one source, as it was found: the kernel judges it. */
struct boot_words {
    uint64_t base;  /* 0 if this source does not exist; need not be aligned */
    uint64_t bytes; /* at most 64 KiB */
};

struct boot_info {
    uint64_t magic; /* BOOT_INFO_MAGIC */
    uint32_t size;  /* sizeof(struct boot_info), a version check */
    uint32_t range_count;
    uint64_t ranges; /* struct boot_range[range_count], in the firmware's order, often ascending */

    uint64_t kernel_phys; /* the image: contiguous, page aligned, maps to BOOT_KERNEL_BASE */
    uint64_t kernel_pages;
    uint64_t arena_phys; /* the kernel's own RAM: contiguous, 2 MiB aligned, not cleared */
    uint64_t arena_bytes;
    uint64_t low_phys;  /* two pages below 1 MiB for starting the other cores; 0: there are none */
    uint64_t stub_phys; /* the switch stub, to map RX at its identity address; maybe above 4 GiB */
    uint64_t stub_pages;
    uint64_t rsdp_phys; /* ACPI root pointer (2.0 preferred), 0: none; maybe above 4 GiB */

    struct boot_framebuffer framebuffer;

    struct boot_words words[BOOT_WORDS_SOURCES];

    struct boot_text tap;  /* report.tap: what the serial port shows */
    struct boot_text json; /* report.jsonl: one JSON object per line */
    /* summary.txt: written anew by the kernel before each return; the loader never empties it */
    struct boot_text summary;

    struct boot_previous previous;
    char medium_note[160]; /* set by the loader: the medium did not take the report, and why; the
                              kernel puts it into the report and empties it */
    uint32_t nvram;        /* set by the kernel: word nvram=yes */
};

#endif
