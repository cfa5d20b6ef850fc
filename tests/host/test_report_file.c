/* SPDX-License-Identifier: MIT */
/* Writing to a medium that refuses, or that lies: each lie is found and named by the call. */
#include "tests/host/host_test.h"

#include "boot/firmware.h"
#include "boot/report_file.h"
#include "boot/volume.h"

enum lie {
    HONEST,
    WRITE_FAILS, /* Write: EFI_VOLUME_FULL */
    WRITE_SHORT, /* Write says that it wrote less */
    FLUSH_FAILS,
    CLOSE_FAILS,
    BIT_FLIPS,     /* all succeed, one bit is another one */
    TAIL_IS_LOST,  /* all succeed, the last byte is not there */
    TAIL_IS_ADDED, /* all succeed, there is one byte more */
    READ_FAILS,
    OPEN_REFUSED,
};

struct firmware firmware;

static struct {
    enum lie lie;
    bool exists;
    char bytes[16384];
    size_t length;
    size_t at;
    unsigned flushes;
} disk;

static EFI_FILE handle;

static EFI_STATUS EFIAPI fake_open(EFI_FILE *self, EFI_FILE **out, CHAR16 *name, UINT64 mode,
                                   UINT64 attributes)
{
    (void)self, (void)attributes;
    assert_int_equal(name[0], '\\');
    if (disk.lie == OPEN_REFUSED && (mode & EFI_FILE_MODE_CREATE))
        return EFI_WRITE_PROTECTED;
    if (!disk.exists && !(mode & EFI_FILE_MODE_CREATE))
        return EFI_NOT_FOUND;
    disk.exists = true;
    disk.at = 0;
    *out = &handle;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI fake_close(EFI_FILE *self)
{
    (void)self;
    return disk.lie == CLOSE_FAILS ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI fake_delete(EFI_FILE *self)
{
    (void)self;
    disk.exists = false;
    disk.length = 0;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI fake_read(EFI_FILE *self, UINTN *bytes, void *to)
{
    size_t left = disk.length - disk.at;

    (void)self;
    if (disk.lie == READ_FAILS)
        return EFI_DEVICE_ERROR;
    if (*bytes > left)
        *bytes = left;
    memcpy(to, disk.bytes + disk.at, *bytes);
    disk.at += *bytes;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI fake_write(EFI_FILE *self, UINTN *bytes, void *from)
{
    (void)self;
    if (disk.lie == WRITE_FAILS)
        return EFI_VOLUME_FULL;
    if (disk.lie == WRITE_SHORT)
        --*bytes;
    assert_true(disk.at + *bytes < sizeof(disk.bytes));
    memcpy(disk.bytes + disk.at, from, *bytes);
    disk.at += *bytes;
    disk.length = disk.at > disk.length ? disk.at : disk.length;
    if (disk.lie == BIT_FLIPS)
        disk.bytes[disk.length - 1] ^= 1;
    if (disk.lie == TAIL_IS_LOST)
        disk.length--;
    if (disk.lie == TAIL_IS_ADDED)
        disk.length++;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI fake_flush(EFI_FILE *self)
{
    (void)self;
    disk.flushes++;
    return disk.lie == FLUSH_FAILS ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI fake_set_position(EFI_FILE *self, UINT64 position)
{
    (void)self;
    disk.at = position == UINT64_MAX ? disk.length : position;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI fake_get_position(EFI_FILE *self, UINT64 *position)
{
    (void)self;
    *position = disk.at;
    return EFI_SUCCESS;
}

static EFI_FILE handle = {
    .Open = fake_open,
    .Close = fake_close,
    .Delete = fake_delete,
    .Read = fake_read,
    .Write = fake_write,
    .Flush = fake_flush,
    .SetPosition = fake_set_position,
    .GetPosition = fake_get_position,
};

EFI_FILE *volume_open(EFI_HANDLE device)
{
    return device ? &handle : NULL;
}

static EFI_HANDLE const device = &disk;
static char text[5000]; /* more than one chunk of the comparison */

static int set_up(void **state)
{
    (void)state;
    memset(&disk, 0, sizeof(disk));
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 23);
    return 0;
}

static void an_honest_medium(void **state)
{
    struct report_failure why;

    (void)state;
    assert_true(report_append(device, "\\a", 0, text, 3000, &why));
    assert_true(report_append(device, "\\a", 3000, text + 3000, 2000, &why));
    assert_true(report_append(device, "\\a", 5000, text, 0, &why));
    assert_int_equal(disk.length, 5000);
    assert_memory_equal(disk.bytes, text, 5000);
    assert_true(disk.flushes >= 2);
    assert_true(report_replace(device, "\\a", "short", 5, &why));
    assert_int_equal(disk.length, 5);
}

static void every_lie_is_found(void **state)
{
    static const struct {
        enum lie lie;
        const char *call;
        EFI_STATUS status;
    } lies[] = {
        { WRITE_FAILS, "Write", EFI_VOLUME_FULL },
        { WRITE_SHORT, "Write", EFI_VOLUME_FULL },
        { FLUSH_FAILS, "Flush", EFI_DEVICE_ERROR },
        { BIT_FLIPS, "Read: not what was written", EFI_VOLUME_CORRUPTED },
        { TAIL_IS_LOST, "Read: not what was written", EFI_VOLUME_CORRUPTED },
        { TAIL_IS_ADDED, "Read: not what was written", EFI_VOLUME_CORRUPTED },
        { READ_FAILS, "Read", EFI_DEVICE_ERROR },
        { OPEN_REFUSED, "Open", EFI_WRITE_PROTECTED },
    };

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct report_failure why = { "none", EFI_SUCCESS };

        set_up(state);
        disk.lie = lies[i].lie;
        assert_false(report_append(device, "\\a", 0, text, sizeof(text), &why));
        assert_string_equal(why.call, lies[i].call);
        assert_int_equal(why.status, lies[i].status);
    }
}

static void close_may_be_what_writes(void **state)
{
    struct report_failure why;

    (void)state;
    disk.lie = CLOSE_FAILS;
    assert_false(report_append(device, "\\a", 0, text, 10, &why));
    assert_string_equal(why.call, "Close");
}

static void what_a_failed_call_left_is_written_again(void **state)
{
    struct report_failure why;

    (void)state;
    assert_true(report_append(device, "\\a", 0, text, 10, &why));
    assert_true(report_append(device, "\\a", 4, text, 12, &why));
    assert_int_equal(disk.length, 16);
    /* What would stay behind it is none of ours; nor is a hole before it. */
    assert_false(report_append(device, "\\a", 4, text, 3, &why));
    assert_int_equal(why.status, EFI_VOLUME_CORRUPTED);
    assert_false(report_append(device, "\\a", 20, text, 10, &why));
    assert_int_equal(why.status, EFI_VOLUME_CORRUPTED);
    assert_int_equal(disk.length, 16);
}

static void no_file_system(void **state)
{
    struct report_failure why;

    (void)state;
    assert_false(report_append(NULL, "\\a", 0, text, 10, &why));
    assert_string_equal(why.call, "OpenVolume");
    assert_int_equal(why.status, EFI_NO_MEDIA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_honest_medium, set_up),
        cmocka_unit_test_setup(every_lie_is_found, set_up),
        cmocka_unit_test_setup(close_may_be_what_writes, set_up),
        cmocka_unit_test_setup(what_a_failed_call_left_is_written_again, set_up),
        cmocka_unit_test_setup(no_file_system, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
