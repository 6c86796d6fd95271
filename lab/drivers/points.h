/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * To be included behind the kernel's headers and in front of the driver's source:
 * where the driver takes or releases a lock, or waits, is a point at which the
 * callback may be called; see drivers.h.
 */
#ifndef LAB_POINTS_H
#define LAB_POINTS_H

#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/mmap_lock.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#define DRIVERS_POINT_AROUND(name, lock_t)				\
static __always_inline void drivers_##name(lock_t *lock)		\
{									\
	drivers_point();						\
	name(lock);							\
	drivers_point();						\
}

DRIVERS_POINT_AROUND(mutex_lock, struct mutex)
DRIVERS_POINT_AROUND(mutex_unlock, struct mutex)
DRIVERS_POINT_AROUND(down_read, struct rw_semaphore)
DRIVERS_POINT_AROUND(up_read, struct rw_semaphore)
DRIVERS_POINT_AROUND(down_write, struct rw_semaphore)
DRIVERS_POINT_AROUND(up_write, struct rw_semaphore)
DRIVERS_POINT_AROUND(mmap_read_lock, struct mm_struct)
DRIVERS_POINT_AROUND(mmap_read_unlock, struct mm_struct)
DRIVERS_POINT_AROUND(mmap_write_lock, struct mm_struct)
DRIVERS_POINT_AROUND(mmap_write_unlock, struct mm_struct)

/*
 * SIGKILL ends the wait for these, so a task that was killed does not get them: as if
 * another one held the lock.
 */
#define DRIVERS_ENDED_BY_A_KILL(name, lock_t)				\
static __always_inline int __must_check drivers_##name(lock_t *lock)	\
{									\
	drivers_point();						\
	return fatal_signal_pending(current) ? -EINTR : name(lock);	\
}

DRIVERS_ENDED_BY_A_KILL(mutex_lock_interruptible, struct mutex)
DRIVERS_ENDED_BY_A_KILL(mutex_lock_killable, struct mutex)
DRIVERS_ENDED_BY_A_KILL(down_read_killable, struct rw_semaphore)
DRIVERS_ENDED_BY_A_KILL(down_write_killable, struct rw_semaphore)

static __always_inline void drivers_spin_unlock(spinlock_t *lock)
{
	spin_unlock(lock);
	drivers_point();
}

static __always_inline signed long drivers_fence_wait(struct dma_fence *fence, bool intr)
{
	signed long ret;

	drivers_point();
	ret = dma_fence_wait(fence, intr);
	drivers_point();
	return ret;
}

static __always_inline long drivers_resv_wait(struct dma_resv *resv, enum dma_resv_usage usage,
					      bool intr, unsigned long timeout)
{
	long ret = 0;

	drivers_point();
	/* The device takes longer than any timeout. */
	if (timeout == MAX_SCHEDULE_TIMEOUT || dma_resv_test_signaled(resv, usage))
		ret = dma_resv_wait_timeout(resv, usage, intr, timeout);
	drivers_point();
	return ret;
}

#undef mutex_lock
#define mutex_lock(lock)		drivers_mutex_lock(lock)
#undef mutex_unlock
#define mutex_unlock(lock)		drivers_mutex_unlock(lock)
#undef down_read
#define down_read(lock)			drivers_down_read(lock)
#undef up_read
#define up_read(lock)			drivers_up_read(lock)
#undef down_write
#define down_write(lock)		drivers_down_write(lock)
#undef up_write
#define up_write(lock)			drivers_up_write(lock)
#undef mutex_lock_interruptible
#define mutex_lock_interruptible(lock)	drivers_mutex_lock_interruptible(lock)
#undef mutex_lock_killable
#define mutex_lock_killable(lock)	drivers_mutex_lock_killable(lock)
#undef down_read_killable
#define down_read_killable(lock)	drivers_down_read_killable(lock)
#undef down_write_killable
#define down_write_killable(lock)	drivers_down_write_killable(lock)
#undef spin_unlock
#define spin_unlock(lock)		drivers_spin_unlock(lock)
#define mmap_read_lock(mm)		drivers_mmap_read_lock(mm)
#define mmap_read_unlock(mm)		drivers_mmap_read_unlock(mm)
#define mmap_write_lock(mm)		drivers_mmap_write_lock(mm)
#define mmap_write_unlock(mm)		drivers_mmap_write_unlock(mm)
#define dma_fence_wait(fence, intr)	drivers_fence_wait(fence, intr)
#define dma_resv_wait_timeout(resv, usage, intr, timeout) \
	drivers_resv_wait(resv, usage, intr, timeout)
#define mmu_interval_set_seq(sub, seq)	drivers_set_seq(sub, seq)

#endif
