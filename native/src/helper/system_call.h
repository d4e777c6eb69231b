/*
 * The door to the kernel, without a C library: syscall(2), section "Architecture calling conventions".
 *
 * The helper is a few kilobytes because it links nothing: it lies in every shim's memory, and it is what a parked
 * container consists of until its program is executed.
 */
#ifndef ENGINE_ROOM_SYSTEM_CALL_H
#define ENGINE_ROOM_SYSTEM_CALL_H

#include <asm/unistd.h>

/* The fuzz build (test/fuzz.c) brings its own, which asks no kernel. */
#if defined(ENGINE_ROOM_FAKE_SYSTEM_CALLS)

long system_call(long number, long a, long b, long c, long d, long e, long f);

#elif defined(__x86_64__)

/* The result, or the errno as a negative number. */
static inline long system_call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

/* The result, or the errno as a negative number. */
static inline long system_call(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
  return x0;
}

#else
#error "runc's helper knows x86-64 and arm64"
#endif

#endif
