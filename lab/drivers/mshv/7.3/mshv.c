// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movable regions of mshv: drivers/hv/mshv_regions.c, and what creates them in
 * drivers/hv/mshv_root_main.c. The hypervisor is an array of which pages the guest
 * has mapped. Pages of a real address space are faulted in by the real page fault
 * path.
 */
#include "drivers.h"
#include <linux/hmm.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include "points.h"
#undef mmu_interval_set_seq

static int mshv_look_up(struct hmm_range *range, unsigned long timeout);
static void mshv_set_seq(struct mmu_interval_notifier *notifier, unsigned long seq);
static int mshv_insert(struct mmu_interval_notifier *notifier, struct mm_struct *mm,
		       unsigned long start, unsigned long length,
		       const struct mmu_interval_notifier_ops *ops);

static void mshv_remove(struct mmu_interval_notifier *notifier);
static void *mshv_memset(void *p, int c, size_t n);
static void *mshv_memchr_inv(const void *p, int c, size_t n);

#define hmm_range_fault_unlocked_timeout	mshv_look_up
#define mmu_interval_set_seq			mshv_set_seq
#define mmu_interval_notifier_insert		mshv_insert
#define mmu_interval_notifier_remove		mshv_remove
#undef memset
#define memset					mshv_memset
#define memchr_inv				mshv_memchr_inv
#include <drivers/hv/mshv_regions.c>
#undef memchr_inv
#undef memset
#include <drivers/hv/mshv_root_main.c>
#undef mmu_interval_notifier_remove
#undef mmu_interval_notifier_insert
#undef mmu_interval_set_seq
#undef hmm_range_fault_unlocked_timeout

#define LAB_PAGES	32
#define LAB_GFN		0x1000

static struct {
	struct kunit *test;
	struct mshv_partition *partition;
	struct mshv_mem_region *region;
	unsigned long start, end;
	/* What the guest can reach, and since when the process has had it, see drivers.h */
	bool mapped[LAB_PAGES];
	unsigned long mapped_since[LAB_PAGES], since;
	int hypercalls, lookups;
	/* The hypervisor wants memory for the next hypercall. */
	bool needs_memory;
	/* Mapping fails: with so many pages done if they were to be accessible */
	int map_error, map_done;
	/* What the guest had when the notifier went, -1 before */
	int left;
	/* Pages were unmapped, the list cleared or looked at without the lock of the notifier. */
	bool unlocked;
	/* The notifier can't be inserted. */
	int insert_error;
	/* The notifier is called as soon as it is inserted. */
	bool early;
	/* Called once, when a page fault has looked up the pages */
	void (*in_fault)(struct kunit *test);
	struct completion held;
	struct task_struct *holder;
} lab;

static int lab_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	int i, n = 0;

	for (i = 0; i < LAB_PAGES; i++) {
		unsigned long addr = lab.start + i * PAGE_SIZE;

		n += lab.mapped[i] && addr >= start && addr < end &&
		     drivers_given_up(addr, lab.mapped_since[i]);
	}
	return n;
}

static int lab_mapped(void)
{
	int i, n = 0;

	for (i = 0; i < LAB_PAGES; i++)
		n += lab.mapped[i];
	return n;
}

/* The hypervisor */

int hv_call_map_gpa_pages(u64 partition_id, u64 gpa_target, u64 page_count, u32 flags,
			  struct page **pages)
{
	int i;

	lockdep_assert_held(&lab.region->mreg_mutex);
	drivers_point();
	lab.hypercalls++;
	/*
	 * Then it is allocated with GFP_KERNEL. To do that here would have lockdep
	 * report MS1 of docs/drivers.md in blocking mode.
	 */
	if (lab.needs_memory)
		might_sleep();
	if (lab.map_error) {
		drivers_failure("the hypercall fails");
		page_count = flags & HV_MAP_GPA_NO_ACCESS ? 0 : lab.map_done;
	}
	for (i = gpa_target - LAB_GFN; page_count--; i++) {
		lab.mapped[i] = !(flags & HV_MAP_GPA_NO_ACCESS);
		lab.mapped_since[i] = lab.since;
	}
	drivers_point();
	return lab.map_error;
}

int hv_call_unmap_gpa_pages(u64 partition_id, u64 gpa_target, u64 page_count, u32 flags)
{
	lab.unlocked |= !mutex_is_locked(&lab.region->mreg_mutex);
	memset(&lab.mapped[gpa_target - LAB_GFN], 0, page_count);
	return 0;
}

/* What clears the list of pages */
static void *mshv_memset(void *p, int c, size_t n)
{
	if (lab.region && p == lab.region->mreg_pages)
		lab.unlocked |= !mutex_is_locked(&lab.region->mreg_mutex);
	return memset(p, c, n);
}

/* What looks if anything is mapped: without the lock a page fault may map it meanwhile. */
static void *mshv_memchr_inv(const void *p, int c, size_t n)
{
	lab.unlocked |= !mutex_is_locked(&lab.region->mreg_mutex);
	return memchr_inv(p, c, n);
}

/* By the callback only, and under the lock under which a page fault looks at it */
static void mshv_set_seq(struct mmu_interval_notifier *notifier, unsigned long seq)
{
	struct mshv_mem_region *region = container_of(notifier, struct mshv_mem_region,
						      mreg_mni);

	lockdep_assert_held(&region->mreg_mutex);
	drivers_set_seq(notifier, seq);
}

static struct drivers_call lab_call(enum drivers_state state, unsigned long start,
				    unsigned long end)
{
	return (struct drivers_call) {
		.callback = "mshv_region_interval_invalidate", .state = state,
		.interval = &lab.region->mreg_mni, .mm = drivers_mm(lab.test),
		.start = start, .end = end,
	};
}

static void lab_asks(unsigned long start, unsigned long end, bool success)
{
	struct drivers_call call = lab_call(success ? DRIVERS_IDLE : DRIVERS_BUSY, start, end);
	int hypercalls = lab.hypercalls;

	if (success)
		drivers_succeeds(lab.test, &call, true);
	else
		drivers_refuses(lab.test, &call);
	KUNIT_EXPECT_EQ(lab.test, hypercalls, lab.hypercalls);
	KUNIT_EXPECT_FALSE(lab.test, lab.unlocked);
}

static void lab_blocks(unsigned long start, unsigned long end)
{
	struct drivers_call call = lab_call(DRIVERS_BLOCKING, start, end);
	struct drivers_outcome out = drivers_blocks(lab.test, &call);

	KUNIT_EXPECT_FALSE(lab.test, out.waited);
	KUNIT_EXPECT_TRUE(lab.test, out.seq_set);
}

/* What the notifier uses */
static bool lab_is_set_up(void)
{
#ifdef CONFIG_DEBUG_MUTEXES
	if (lab.region->mreg_mutex.magic != &lab.region->mreg_mutex)
		return false;
#endif
	return lab.region->partition && lab.region->mreg_type == MSHV_REGION_TYPE_MEM_MOVABLE;
}

static int mshv_insert(struct mmu_interval_notifier *notifier, struct mm_struct *mm,
		       unsigned long start, unsigned long length,
		       const struct mmu_interval_notifier_ops *ops)
{
	int ret;

	if (lab.insert_error) {
		drivers_failure("no notifier could be inserted");
		return lab.insert_error;
	}
	ret = mmu_interval_notifier_insert(notifier, mm, start, length, ops);
	lab.region = container_of(notifier, struct mshv_mem_region, mreg_mni);
	if (ret || !lab.early)
		return ret;
	/* Or else the notifier would not come back. */
	KUNIT_EXPECT_TRUE(lab.test, lab_is_set_up());
	if (lab_is_set_up())
		lab_blocks(start, start + length);
	return ret;
}

static void mshv_remove(struct mmu_interval_notifier *notifier)
{
	lab.left = lab_mapped();
	/* Or else it was never inserted, which mshv_unmovable() does not expect. */
	if (notifier->mm)
		mmu_interval_notifier_remove(notifier);
}

static int mshv_look_up(struct hmm_range *range, unsigned long timeout)
{
	void (*hook)(struct kunit *test) = lab.in_fault;
	int ret;

	drivers_point();
	drivers_settle();
	lab.since = drivers_now();
	ret = hmm_range_fault_unlocked_timeout(range, timeout);
	drivers_point();
	lab.lookups++;
	lab.in_fault = NULL;
	if (hook)
		hook(lab.test);
	return ret;
}

static void lab_put_region(void *region)
{
	mshv_region_put(region);
}

/* A movable region of LAB_PAGES pages, of which none is present */
static void lab_init(struct kunit *test, bool early)
{
	struct mshv_user_mem_region mem = {
		.size = LAB_PAGES * PAGE_SIZE, .guest_pfn = LAB_GFN,
		.flags = BIT(MSHV_SET_MEM_BIT_WRITABLE),
	};
	struct mshv_mem_region *region;

	memset(&lab, 0, sizeof(lab));
	lab.test = test;
	lab.early = early;
	lab.left = -1;
	lab.partition = kunit_kzalloc(test, sizeof(*lab.partition), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lab.partition);
	spin_lock_init(&lab.partition->pt_mem_regions_lock);
	lab.start = kunit_vm_mmap(test, NULL, 0, LAB_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				  MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, lab.start, 0);
	lab.end = lab.start + LAB_PAGES * PAGE_SIZE;
	mem.userspace_addr = lab.start;
	drivers_judge(test, "mshv_region_interval_invalidate", lab_reach_given_up, NULL);
	KUNIT_ASSERT_EQ(test, mshv_partition_create_region(lab.partition, &mem, &region, false),
			0);
	lab.region = region;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_put_region, region), 0);
	KUNIT_ASSERT_EQ(test, region->mreg_type, MSHV_REGION_TYPE_MEM_MOVABLE);
}

static unsigned long lab_addr(int page)
{
	return lab.start + page * PAGE_SIZE;
}

/* The guest touches a page: all of the region comes with it. */
static void lab_fault(void)
{
	KUNIT_ASSERT_TRUE(lab.test, mshv_region_handle_gfn_fault(lab.region, LAB_GFN + 3));
}

static int lab_holder(void *data)
{
	mutex_lock(&lab.region->mreg_mutex);
	complete(&lab.held);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 50);
	mutex_unlock(&lab.region->mreg_mutex);
	return 0;
}

static void lab_hold(void)
{
	struct task_struct *task;

	init_completion(&lab.held);
	task = kthread_run(lab_holder, NULL, "lab-mshv");
	KUNIT_ASSERT_FALSE(lab.test, IS_ERR(task));
	lab.holder = task;
	wait_for_completion(&lab.held);
}

/* Also if it was let go already */
static void lab_unhold(void *unused)
{
	if (lab.holder)
		kthread_stop(lab.holder);
	lab.holder = NULL;
}

static void mshv_held_refuses(struct kunit *test)
{
	struct drivers_call call;

	lab_init(test, false);
	call = lab_call(DRIVERS_HELD, lab.start, lab.end);
	call.let_go = lab_unhold;
	lab_hold();
	drivers_refuses(test, &call);
	lab_unhold(NULL);

	lab_fault();
	lab_hold();
	drivers_refuses(test, &call);
	lab_unhold(NULL);
	KUNIT_EXPECT_EQ(test, lab_mapped(), LAB_PAGES);
}

static void mshv_held_blocks(struct kunit *test)
{
	struct drivers_call call;

	lab_init(test, false);
	call = lab_call(DRIVERS_BLOCKING, lab.start, lab.end);
	call.let_go = lab_unhold;
	lab_fault();
	lab_hold();
	KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &call).waited);
	lab_unhold(NULL);
	KUNIT_EXPECT_EQ(test, lab_mapped(), 0);
}

static void mshv_empty_succeeds(struct kunit *test)
{
	lab_init(test, false);
	lab_asks(lab.start, lab.end, true);
	lab_asks(lab.start - 4 * PAGE_SIZE, lab_addr(4), true);
	lab_blocks(lab.start, lab.end);

	/* Faulted in and invalidated again */
	lab_fault();
	lab_blocks(lab.start, lab.end);
	lab_asks(lab.start, lab.end, true);
	KUNIT_EXPECT_EQ(test, lab_mapped(), 0);
}

/* Whether the hypervisor would want memory for it or not */
static void mshv_mapped_refuses(struct kunit *test)
{
	lab_init(test, false);
	lab_fault();
	lab_asks(lab.start, lab.end, false);
	lab.needs_memory = true;
	lab_asks(lab.start, lab.end, false);
	lab_asks(lab_addr(5), lab_addr(6), false);
	KUNIT_EXPECT_EQ(test, lab_mapped(), LAB_PAGES);
	lab_blocks(lab.start, lab.end);
	KUNIT_EXPECT_EQ(test, lab_mapped(), 0);
}

static void mshv_edges(struct kunit *test)
{
	lab_init(test, false);
	lab_fault();
	lab_blocks(lab_addr(4), lab_addr(12));
	KUNIT_EXPECT_EQ(test, lab_mapped(), LAB_PAGES - 8);
	lab_asks(lab_addr(4), lab_addr(12), true);
	lab_asks(lab_addr(3), lab_addr(12), false);
	lab_asks(lab_addr(4), lab_addr(13), false);
	lab_asks(lab.start - 4 * PAGE_SIZE, lab.end + 4 * PAGE_SIZE, false);
	lab_blocks(lab.start - 4 * PAGE_SIZE, lab_addr(4));
	lab_asks(lab.start - 4 * PAGE_SIZE, lab_addr(12), true);
	lab_asks(lab_addr(12), lab.end + 4 * PAGE_SIZE, false);
	KUNIT_EXPECT_EQ(test, lab_mapped(), LAB_PAGES - 12);
}

static void mshv_reaped_in_fault(struct kunit *test)
{
	lab_asks(lab.start, lab.end, true);
}

static void mshv_fault_under_way(struct kunit *test)
{
	lab_init(test, false);
	lab.in_fault = mshv_reaped_in_fault;
	lab_fault();
	KUNIT_EXPECT_EQ(test, lab.lookups, 2);
	KUNIT_EXPECT_EQ(test, lab_mapped(), LAB_PAGES);
	lab_asks(lab.start, lab.end, false);
}

/* Another thread of the process unmaps memory, while a region is created there. */
static void mshv_invalidated_at_once(struct kunit *test)
{
	lab_init(test, true);
	KUNIT_EXPECT_EQ(test, lab_mapped(), 0);
	lab_fault();
	lab_blocks(lab.start, lab.end);
	KUNIT_EXPECT_EQ(test, lab_mapped(), 0);
}

/* The guest runs while its memory is taken away: the notifier is there until it is. */
static void mshv_destroyed(struct kunit *test)
{
	lab_init(test, false);
	lab_fault();
	KUNIT_EXPECT_EQ(test, lab.left, -1);
	kunit_release_action(test, lab_put_region, lab.region);
	KUNIT_EXPECT_EQ(test, lab.left, 0);
	KUNIT_EXPECT_FALSE(test, lab.unlocked);
}

/* Whoever closes it may have been killed: that does not end the wait for mreg_mutex. */
static void mshv_destroyed_by_a_killed_process(struct kunit *test)
{
	lab_init(test, false);
	lab_fault();
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	kunit_release_action(test, lab_put_region, lab.region);
	KUNIT_EXPECT_TRUE(test, signal_pending(current));
	flush_signals(current);
	disallow_signal(SIGKILL);
	KUNIT_EXPECT_EQ(test, lab.left, 0);
	KUNIT_EXPECT_FALSE(test, lab.unlocked);
}

/* A region that has no notifier */
static void mshv_unmovable(struct kunit *test, bool mmio, enum mshv_region_type type)
{
	struct mshv_user_mem_region mem = {
		.size = LAB_PAGES * PAGE_SIZE, .guest_pfn = LAB_GFN,
		.userspace_addr = lab.start,
	};
	struct mshv_mem_region *region;

	lab.left = -1;
	KUNIT_ASSERT_EQ(test, mshv_partition_create_region(lab.partition, &mem, &region, mmio),
			0);
	KUNIT_EXPECT_EQ(test, region->mreg_type, type);
	if (region->mreg_type == type)
		mshv_region_put(region);
	/* There was no notifier that could be removed. */
	KUNIT_EXPECT_EQ(test, lab.left, -1);
}

/* Nobody would invalidate its pages: they have to be pinned. */
static void mshv_without_a_notifier(struct kunit *test)
{
	lab_init(test, false);
	lab.insert_error = -ENOMEM;
	mshv_unmovable(test, false, MSHV_REGION_TYPE_MEM_PINNED);
}

static void mshv_of_an_encrypted_partition(struct kunit *test)
{
	lab_init(test, false);
	kunit_release_action(test, lab_put_region, lab.region);
	lab.region = NULL;
	lab.partition->isolation_type = HV_PARTITION_ISOLATION_TYPE_SNP;
	mshv_unmovable(test, false, MSHV_REGION_TYPE_MEM_PINNED);
}

/* There are no pages that could be given up. */
static void mshv_of_a_device(struct kunit *test)
{
	lab_init(test, false);
	kunit_release_action(test, lab_put_region, lab.region);
	lab.region = NULL;
	mshv_unmovable(test, true, MSHV_REGION_TYPE_MMIO);
}

/* The guest keeps its pages, and the driver does not forget them. */
static void mshv_failed_unmap_refuses(struct kunit *test)
{
	struct drivers_call call;

	lab_init(test, false);
	lab_fault();
	call = lab_call(DRIVERS_BLOCKING, lab.start, lab.end);
	call.splat = "an invalidation that fails";
	lab.map_error = -EIO;
	KUNIT_EXPECT_FALSE(test, drivers_call(test, &call).success);
	KUNIT_EXPECT_EQ(test, lab_mapped(), LAB_PAGES);
	lab_asks(lab.start, lab.end, false);
	lab_asks(lab_addr(5), lab_addr(6), false);
	lab.map_error = 0;
	lab_blocks(lab.start, lab.end);
	KUNIT_EXPECT_EQ(test, lab_mapped(), 0);
	lab_asks(lab.start, lab.end, true);
}

/* A fault that has mapped half of the pages */
static void mshv_half_mapped_refuses(struct kunit *test)
{
	lab_init(test, false);
	lab.map_error = -EIO;
	lab.map_done = LAB_PAGES / 2;
	KUNIT_EXPECT_EQ(test, mshv_region_range_fault(lab.region, 0, LAB_PAGES), -EIO);
	KUNIT_EXPECT_EQ(test, lab_mapped(), LAB_PAGES / 2);
	lab_asks(lab.start, lab.end, false);
	lab.map_error = 0;
	lab_blocks(lab.start, lab.end);
	KUNIT_EXPECT_EQ(test, lab_mapped(), 0);
	lab_asks(lab.start, lab.end, true);
}

static void mshv_rehearsed(struct kunit *test)
{
	struct drivers_call call;

	lab_init(test, false);
	call = lab_call(DRIVERS_BLOCKING, lab.start, lab.end);
	call.mm = current->mm;
	lab_fault();
	lab.needs_memory = true;
	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &call).waited);
	KUNIT_EXPECT_EQ(test, lab_mapped(), 0);
}

static void mshv_fault_interrupted(struct kunit *test)
{
	struct drivers_call call;

	lab_init(test, false);
	call = lab_call(DRIVERS_BUSY, lab_addr(2), lab_addr(6));
	drivers_path(test, "mshv_region_handle_gfn_fault", &call);
	lab_fault();
	drivers_path_end(test);
}

static void mshv_invalidation_interrupted(struct kunit *test)
{
	struct drivers_call call;

	lab_init(test, false);
	call = lab_call(DRIVERS_BUSY, lab.start, lab.end);
	lab_fault();
	drivers_path(test, "mshv_region_interval_invalidate", &call);
	drivers_blocks_here(test, &call);
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, lab_mapped(), 0);
}

static struct kunit_case mshv_cases[] = {
	KUNIT_CASE(mshv_held_refuses),
	KUNIT_CASE(mshv_held_blocks),
	KUNIT_CASE(mshv_empty_succeeds),
	KUNIT_CASE(mshv_mapped_refuses),
	KUNIT_CASE(mshv_edges),
	KUNIT_CASE(mshv_fault_under_way),
	KUNIT_CASE(mshv_destroyed),
	KUNIT_CASE(mshv_destroyed_by_a_killed_process),
	KUNIT_CASE(mshv_without_a_notifier),
	KUNIT_CASE(mshv_of_an_encrypted_partition),
	KUNIT_CASE(mshv_of_a_device),
	KUNIT_CASE(mshv_failed_unmap_refuses),
	KUNIT_CASE(mshv_half_mapped_refuses),
	KUNIT_CASE(mshv_rehearsed),
	KUNIT_CASE_PARAM(mshv_fault_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mshv_invalidation_interrupted, drivers_points),
	KUNIT_CASE(mshv_invalidated_at_once),
	{}
};

DRIVERS_SUITE(mshv, mshv_cases);
