/* Runs a plan, step by step, and writes one record for each step that it ran. */
#ifndef ENGINE_ROOM_EXECUTE_H
#define ENGINE_ROOM_EXECUTE_H

#include <stdint.h>

#include "../plan.h"

enum exit_code {
  EXIT_ALL_STEPS_RAN = 0,
  EXIT_STEP_FAILED = 1, /* its record says which, and why */
  EXIT_NOT_A_PLAN = 2,
  EXIT_STACK_OVERRUN = 3, /* a mistake in the helper itself */
};

/*
 * Runs the parent's steps; returns the exit code of this process. In the child of the step that forks init, runs
 * init's steps and returns init's exit code, if no execve(2) has ended the matter.
 *
 * Precondition: the plan is valid (plan_check.h), and writable.
 */
int execute_plan(unsigned char *plan, uint64_t size);

#endif
