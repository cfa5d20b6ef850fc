/* SPDX-License-Identifier: MIT */
/*
 * LLVM XRay patches sleds of its own: it makes the text writable, stores (an aligned head of two
 * bytes last), and makes it executable again; nobody is synchronised. The functions here exist to
 * have sleds, an entry and an exit each; nobody calls them.
 */
#include "hosted/bench/peers/peers.h"

#ifndef PEERS_XRAY

const char *xray_open(void)
{
    return "this program was built without it";
}

unsigned xray_sleds(void)
{
    return 0;
}

void xray_all(void)
{
}

void xray_function(void)
{
}

#else

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* xray/xray_interface.h is C++. */
enum { XRAY_NOT_INITIALIZED, XRAY_SUCCESS, XRAY_ONGOING, XRAY_FAILED };
int __xray_patch(void);
int __xray_unpatch(void);
int __xray_patch_function(int32_t id);
int __xray_unpatch_function(int32_t id);
size_t __xray_max_function_id(void);

#define SLEDS_PER_FUNCTION 2
#define MANY               (4 * 4 * 4 * 4 * 4)

#define F0(n)                                                                                      \
    __attribute__((xray_always_instrument, noinline, used)) static void traced_##n(void)           \
    {                                                                                              \
        __asm__ volatile("");                                                                      \
    }
#define F1(n) F0(n##0) F0(n##1) F0(n##2) F0(n##3)
#define F2(n) F1(n##0) F1(n##1) F1(n##2) F1(n##3)
#define F3(n) F2(n##0) F2(n##1) F2(n##2) F2(n##3)
#define F4(n) F3(n##0) F3(n##1) F3(n##2) F3(n##3)
#define F5    F4(0) F4(1) F4(2) F4(3)
F5 /* 1024 functions */

    static void
    must(int status)
{
    if (status == XRAY_SUCCESS)
        return;
    fprintf(stderr, "bench-peers: XRay refuses to patch (status %d)\n", status);
    _exit(3);
}

const char *xray_open(void)
{
    if (__xray_max_function_id() != MANY)
        return "XRay's runtime does not see the functions";
    return __xray_patch() == XRAY_SUCCESS && __xray_unpatch() == XRAY_SUCCESS
               ? NULL
               : "XRay's runtime cannot patch on this machine";
}

unsigned xray_sleds(void)
{
    return MANY * SLEDS_PER_FUNCTION;
}

void xray_all(void)
{
    static bool on;

    on = !on;
    must(on ? __xray_patch() : __xray_unpatch());
}

void xray_function(void)
{
    static bool on;

    on = !on;
    must(on ? __xray_patch_function(MANY / 2) : __xray_unpatch_function(MANY / 2));
}

#endif
