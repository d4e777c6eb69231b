/* Is this a plan? Asked once, before anything in it is used. */
#ifndef ENGINE_ROOM_PLAN_CHECK_H
#define ENGINE_ROOM_PLAN_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "../plan.h"

/*
 * True if every offset and count in the plan stays inside its `size` bytes.
 * Precondition: `plan` is aligned to 8 bytes.
 */
bool plan_is_valid(const unsigned char *plan, uint64_t size);

/* Where the data begins: behind the last table. Precondition: the plan is valid. */
uint64_t plan_data_offset(const struct plan_header *header);

/* One patch of a 32-bit word by a slot: inside the data? Checked again at use, since results land in the data too. */
bool slot_patch_is_valid(const struct plan_slot_patch *patch, uint64_t data, uint64_t size);

#endif
