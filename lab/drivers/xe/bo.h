/* SPDX-License-Identifier: GPL-2.0-only */
/* What moves a BO, for sources.h of each base */

/* How often what moves a BO warns; its locks are those of xe.c. */
static int lab_warned;
#undef XE_WARN_ON
#define XE_WARN_ON(condition) ({		\
	bool warns = !!(condition);		\
						\
	lab_warned += warns;			\
	warns;					\
})
#define xe_bo_lock	lab_real_bo_lock
#define xe_bo_unlock	lab_real_bo_unlock
int xe_bo_lock(struct xe_bo *bo, bool intr);
void xe_bo_unlock(struct xe_bo *bo);
#include <drivers/gpu/drm/xe/xe_bo.c>
#undef xe_bo_lock
#undef xe_bo_unlock
