/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * To be included behind the kernel's headers and in front of the driver's source:
 * where the driver takes or releases a lock, or waits, is a point at which the
 * callback may be called; see users.h.
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

#define USERS_POINT_AROUND(name, lock_t)				\
static __always_inline void users_##name(lock_t *lock)			\
{									\
	users_point();							\
	name(lock);							\
	users_point();							\
}

USERS_POINT_AROUND(mutex_lock, struct mutex)
USERS_POINT_AROUND(mutex_unlock, struct mutex)
USERS_POINT_AROUND(down_read, struct rw_semaphore)
USERS_POINT_AROUND(up_read, struct rw_semaphore)
USERS_POINT_AROUND(down_write, struct rw_semaphore)
USERS_POINT_AROUND(up_write, struct rw_semaphore)
USERS_POINT_AROUND(mmap_read_lock, struct mm_struct)
USERS_POINT_AROUND(mmap_read_unlock, struct mm_struct)
USERS_POINT_AROUND(mmap_write_lock, struct mm_struct)
USERS_POINT_AROUND(mmap_write_unlock, struct mm_struct)

/*
 * SIGKILL ends the wait for these, so a task that was killed does not get them: as if
 * another one held the lock.
 */
#define USERS_ENDED_BY_A_KILL(name, lock_t)				\
static __always_inline int __must_check users_##name(lock_t *lock)	\
{									\
	users_point();							\
	return fatal_signal_pending(current) ? -EINTR : name(lock);	\
}

USERS_ENDED_BY_A_KILL(mutex_lock_interruptible, struct mutex)
USERS_ENDED_BY_A_KILL(mutex_lock_killable, struct mutex)
USERS_ENDED_BY_A_KILL(down_read_killable, struct rw_semaphore)
USERS_ENDED_BY_A_KILL(down_write_killable, struct rw_semaphore)

static __always_inline void users_spin_unlock(spinlock_t *lock)
{
	spin_unlock(lock);
	users_point();
}

static __always_inline signed long users_fence_wait(struct dma_fence *fence, bool intr)
{
	signed long ret;

	users_point();
	ret = dma_fence_wait(fence, intr);
	users_point();
	return ret;
}

static __always_inline long users_resv_wait(struct dma_resv *resv, enum dma_resv_usage usage,
					    bool intr, unsigned long timeout)
{
	long ret = 0;

	users_point();
	/* The device takes longer than any timeout. */
	if (timeout == MAX_SCHEDULE_TIMEOUT || dma_resv_test_signaled(resv, usage))
		ret = dma_resv_wait_timeout(resv, usage, intr, timeout);
	users_point();
	return ret;
}

#undef mutex_lock
#define mutex_lock(lock)		users_mutex_lock(lock)
#undef mutex_unlock
#define mutex_unlock(lock)		users_mutex_unlock(lock)
#undef down_read
#define down_read(lock)			users_down_read(lock)
#undef up_read
#define up_read(lock)			users_up_read(lock)
#undef down_write
#define down_write(lock)		users_down_write(lock)
#undef up_write
#define up_write(lock)			users_up_write(lock)
#undef mutex_lock_interruptible
#define mutex_lock_interruptible(lock)	users_mutex_lock_interruptible(lock)
#undef mutex_lock_killable
#define mutex_lock_killable(lock)	users_mutex_lock_killable(lock)
#undef down_read_killable
#define down_read_killable(lock)	users_down_read_killable(lock)
#undef down_write_killable
#define down_write_killable(lock)	users_down_write_killable(lock)
#undef spin_unlock
#define spin_unlock(lock)		users_spin_unlock(lock)
#define mmap_read_lock(mm)		users_mmap_read_lock(mm)
#define mmap_read_unlock(mm)		users_mmap_read_unlock(mm)
#define mmap_write_lock(mm)		users_mmap_write_lock(mm)
#define mmap_write_unlock(mm)		users_mmap_write_unlock(mm)
#define dma_fence_wait(fence, intr)	users_fence_wait(fence, intr)
#define dma_resv_wait_timeout(resv, usage, intr, timeout) \
	users_resv_wait(resv, usage, intr, timeout)
#define mmu_interval_set_seq(sub, seq)	users_set_seq(sub, seq)

#endif
