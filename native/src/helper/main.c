/*
 * `runc`, the helper: reads a plan from descriptor 3, runs it, writes records to descriptor 4 (or where the plan wants them).
 *
 * Static and without a C library (see system_call.h); the process begins at `_start` below.
 * mmap(2), prctl(2) PR_SET_NAME, sigaction(2), signal(7). Linux >= 5.6.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "execute.h"
#include "plan_check.h"
#include "system_call.h"

/* What the kernel wants from rt_sigaction(2); the C library's struct looks different. */
struct kernel_sigaction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  unsigned long mask;
};
#define KERNEL_SA_RESTORER 0x04000000ul

static void ignore_signal(int number) {
  (void)number;
}

#if defined(__x86_64__)
__asm__(
    ".text\n"
    ".global _start\n"
    "_start:\n"
    "  endbr64\n"
    "  xor %ebp, %ebp\n" /* the end of the chain of stack frames */
    "  mov %rsp, %rdi\n" /* argc, argv, environment, auxiliary vector */
    "  and $-16, %rsp\n"
    "  call helper_main\n"
    ".global return_from_signal\n"
    "return_from_signal:\n"
    "  endbr64\n"
    "  mov $15, %eax\n" /* rt_sigreturn */
    "  syscall\n");
void return_from_signal(void);
#define SIGNAL_FLAGS KERNEL_SA_RESTORER
#define SIGNAL_RESTORER return_from_signal
#elif defined(__aarch64__)
__asm__(
    ".text\n"
    ".global _start\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x0, sp\n" /* argc, argv, environment, auxiliary vector */
    "  b helper_main\n");
#define SIGNAL_FLAGS 0 /* the vDSO brings its own way back */
#define SIGNAL_RESTORER NULL
#endif

/*
 * A write to a record pipe without a reader must not kill us. Not SIG_IGN, which the container's program would
 * inherit: a handler is gone after execve(2).
 */
static void survive_broken_pipe(void) {
  const struct kernel_sigaction action = {
      .handler = ignore_signal, .flags = SIGNAL_FLAGS, .restorer = SIGNAL_RESTORER, .mask = 0};
  system_call(__NR_rt_sigaction, SIGPIPE, (long)&action, 0, sizeof(action.mask), 0, 0);
}

/* The whole file behind `fd`, as a private, writable copy with nothing behind it; or NULL. */
static unsigned char *map_file(int fd, uint64_t *size) {
  struct stat status = {0};
  if (system_call(__NR_fstat, fd, (long)&status, 0, 0, 0, 0) < 0)
    return NULL;
  if (status.st_size < (off_t)sizeof(struct plan_header) || status.st_size > (off_t)PLAN_SIZE_LIMIT)
    return NULL;
  *size = (uint64_t)status.st_size;
  // First a larger, unreachable place, so that a result too long for its buffer ends in EFAULT and not in our stack.
  const long place = system_call(__NR_mmap, 0, (long)*size + 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place < 0 && place >= -4095)
    return NULL;
  const long plan = system_call(__NR_mmap, place, (long)*size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
  return plan == place ? (unsigned char *)plan : NULL;
}

/*
 * No program that a plan executes shall inherit the record pipe, and a container that is given descriptors gets them
 * from 3 on: then the pipe makes room.
 */
static long keep_record_pipe(const unsigned char *plan) {
  const uint32_t wanted = ((const struct plan_header *)(const void *)plan)->record_fd;
  if (wanted == PLAN_FD_RECORDS)
    return system_call(__NR_fcntl, PLAN_FD_RECORDS, F_SETFD, FD_CLOEXEC, 0, 0, 0);
  if (system_call(__NR_dup3, PLAN_FD_RECORDS, (long)wanted, O_CLOEXEC, 0, 0, 0) < 0)
    return -1;
  return system_call(__NR_close, PLAN_FD_RECORDS, 0, 0, 0, 0, 0);
}

static int run(void) {
  system_call(__NR_prctl, PR_SET_NAME, (long)"runc", 0, 0, 0, 0);
  survive_broken_pipe();
  uint64_t size = 0;
  unsigned char *plan = map_file(PLAN_FD_PLAN, &size);
  if (plan == NULL || !plan_is_valid(plan, size) || keep_record_pipe(plan) < 0) {
    static const char sentence[] = "runc: descriptor 3 holds no valid plan\n";
    system_call(__NR_write, 2, (long)sentence, sizeof(sentence) - 1, 0, 0, 0);
    return EXIT_NOT_A_PLAN;
  }
  system_call(__NR_close, PLAN_FD_PLAN, 0, 0, 0, 0, 0);
  return execute_plan(plan, size);
}

/* A seccomp policy may refuse exit_group(2); what nothing refuses is to die of an instruction that is none. */
static _Noreturn void end(int code) {
  system_call(__NR_exit_group, code, 0, 0, 0, 0, 0);
  __builtin_trap();
}

/*
 * What a C library would bring for -fstack-protector: a random word that functions put before their return address, and
 * where they end when it has changed.
 */
unsigned long __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void) {
  static const char sentence[] = "runc: a buffer on the stack was overrun\n";
  system_call(__NR_write, 2, (long)sentence, sizeof(sentence) - 1, 0, 0, 0);
  end(EXIT_STACK_OVERRUN);
}

/* getauxval(3) AT_RANDOM: sixteen random bytes that the kernel has laid out, behind argv and the environment. */
static unsigned long random_word(const unsigned long *stack) {
  const unsigned long *word = stack + 1 + stack[0] + 1;
  while (*word != 0)
    word++;
  for (word++; word[0] != AT_NULL; word += 2) {
    if (word[0] == AT_RANDOM)
      return *(const unsigned long *)word[1] & ~0xfful; /* a zero byte stops overruns by strings */
  }
  return 0;
}

/* Called by _start only, which hands over the stack as execve(2) has left it. */
_Noreturn void helper_main(const unsigned long *stack);

_Noreturn void helper_main(const unsigned long *stack) {
  __stack_chk_guard = random_word(stack);
  end(run());
}

/* The compiler may call these for struct copies and initialisers. */
void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  unsigned char *target = to;
  const unsigned char *source = from;
  while (count-- > 0)
    *target++ = *source++;
  return to;
}

void *memset(void *to, int byte, size_t count) {
  unsigned char *target = to;
  while (count-- > 0)
    *target++ = (unsigned char)byte;
  return to;
}
